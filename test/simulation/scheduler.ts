import { setImmediate as turn } from 'node:timers/promises';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';

/** Whom something happens to; nothing happens to the dead. */
export interface Party {
  readonly name: string;
  readonly isAlive: boolean;
}

/** Something that may happen next: a record or a call arrives, a broker acknowledges. */
interface Ready {
  readonly process: Party;
  readonly label: string;
  readonly go: () => void;
}

interface Sleeper {
  readonly process: Party;
  readonly atMs: number;
  readonly wake: () => void;
}

/** How much happens at once. */
export interface Pace {
  /** out of a hundred: more than one thing in a step */
  readonly togetherPercent: number;
  /** at most so many then */
  readonly togetherMax: number;
  /** out of a hundred: time passes although something is ready */
  readonly timePercent: number;
  /** At most so many turns of the event loop follow a step: not everything that can go on has done so. */
  readonly turnsMax: number;
}

const ONE_BY_ONE: Pace = { togetherPercent: 25, togetherMax: 2, timePercent: 15, turnsMax: 4 };

/**
 * Decides who goes on. Whatever reaches a process from outside waits here for its turn: messages, acknowledgements, the
 * end of a sleep. Choice and time follow from the draw alone, so the same draw makes the same run.
 */
export class Scheduler {
  /** what happened, in order */
  readonly trace: string[] = [];
  readonly #draw: Draw;
  #ready: Ready[] = [];
  readonly #sleepers = new Set<Sleeper>();
  readonly #pace: Pace;
  readonly #startMs: number;
  #nowMs: number;
  #steps = 0;

  constructor(draw: Draw, startMs: number, pace = ONE_BY_ONE) {
    this.#pace = pace;
    this.#draw = draw;
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  note(text: string): void {
    this.trace.push(text);
  }

  /** Resolves as `act` does, which runs when it is chosen; never, when the process is dead by then. */
  turn<T>(process: Party, label: string, act: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!process.isAlive) return;
      const go = async (): Promise<void> => {
        try {
          const result = await act();
          if (process.isAlive) resolve(result);
        } catch (cause) {
          if (process.isAlive) reject(cause instanceof Error ? cause : new Error(String(cause)));
        }
      };
      this.#ready.push({ process, label, go: () => void go() });
    });
  }

  /** As `Clock.sleep`, for this process. */
  sleep(process: Party, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!process.isAlive) return;
      if (signal?.aborted === true) {
        reject(asError(signal.reason));
        return;
      }
      const stop = (): void => {
        this.#sleepers.delete(sleeper);
        reject(asError(signal?.reason));
      };
      const sleeper: Sleeper = {
        process,
        atMs: this.#nowMs + Math.max(ms, 0),
        wake: () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        },
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Runs `wake` at its time, unless it is stopped or the process dies before. @returns stops it */
  after(process: Party, ms: number, wake: () => void): () => void {
    const sleeper = { process, atMs: this.#nowMs + Math.max(ms, 0), wake };
    if (process.isAlive) this.#sleepers.add(sleeper);
    return () => void this.#sleepers.delete(sleeper);
  }

  /** Everybody has slept for so long: what is due by then comes after it, each once. */
  leap(ms: number): void {
    this.#nowMs += ms;
    this.note(`${String(Math.round(ms / 60_000))} minutes pass`);
  }

  /** Is there anything to do before this moment? */
  isBusyUntil(ms: number): boolean {
    if (this.#ready.length > 0) return true;
    for (const one of this.#sleepers) if (one.atMs <= ms) return true;
    return false;
  }

  /** A process is gone: nothing reaches it any more. */
  drop(process: Party): void {
    this.#ready = this.#ready.filter((one) => one.process !== process);
    for (const one of this.#sleepers) if (one.process === process) this.#sleepers.delete(one);
  }

  /** One thing happens, or several at once, and some of what follows from it. */
  async step(): Promise<void> {
    this.#steps += 1;
    const { togetherPercent, togetherMax, turnsMax } = this.#pace;
    const isOne = !this.#draw.chance(togetherPercent);
    const count = isOne ? 1 : togetherMax === 2 ? 2 : this.#draw.whole(2, togetherMax);
    for (let n = 0; n < count; n += 1) this.#next();
    const turns = this.#draw.whole(1, turnsMax);
    for (let n = 0; n < turns; n += 1) await turn();
  }

  /** Steps until `work` has ended. */
  async drive<T>(work: Promise<T>): Promise<T> {
    const ended = { is: false };
    const end = (): void => void (ended.is = true);
    void work.then(end, end);
    for (let steps = 0; !ended.is; steps += 1) {
      if (steps > DRIVE_STEPS_MAX) throw new Error('expected an end; nothing is left to happen');
      await this.step();
    }
    return work;
  }

  #next(): void {
    const isTime = this.#sleepers.size > 0 && this.#draw.chance(this.#pace.timePercent);
    if (this.#ready.length > 0 && !isTime) {
      const [chosen] = this.#ready.splice(this.#draw.whole(0, this.#ready.length - 1), 1);
      if (!chosen) return;
      this.note(`${chosen.process.name}: ${chosen.label}`);
      chosen.go();
      return;
    }
    let first: Sleeper | undefined;
    for (const one of this.#sleepers) if (!first || one.atMs < first.atMs) first = one;
    if (!first) return;
    this.#sleepers.delete(first);
    this.#nowMs = Math.max(this.#nowMs, first.atMs);
    this.note(`${first.process.name}: wakes at ${String(this.#nowMs - this.#startMs)} ms`);
    first.wake();
  }
}

const DRIVE_STEPS_MAX = 20_000;

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
