import { ConcordatError, asConcordatError } from '../../domain/errors.js';
import type { Clock } from '../../domain/ports.js';
import type { FollowedTopic, MissingPart } from './followed-topic.js';
import type { SentAgain, WantedAgain } from './send-again.js';

const RETRY_MS_MIN = 200;
/** A gap is asked for again within this time, however long the writer was away. */
const RETRY_MS_MAX = 10_000;

/** Asks the writer of a topic for what it sent; fails with a ConcordatError. */
export type FetchAgain = (wanted: WantedAgain, signal: AbortSignal) => Promise<SentAgain>;

export interface GapFillerPorts {
  readonly fetch: FetchAgain;
  readonly clock: Clock;
  /** Told after every commit that took something. */
  readonly onFilled: () => void | Promise<void>;
  /** Told when a gap cannot be filled at present, once for each reason. */
  readonly onProblem: (error: ConcordatError, at: { topic: string; lane: number }) => void;
  readonly onDeath: (cause: Error) => void;
}

/**
 * Fetches what the lanes of one topic miss from its writer, part by part, until nothing is missing. What the writer no
 * longer has stays a gap, and is asked for again and again: it is never skipped.
 */
export class GapFiller {
  readonly #followed: FollowedTopic;
  readonly #ports: GapFillerPorts;
  readonly #closing = new AbortController();
  readonly #problems = new Map<number, ConcordatError>();
  #running: Promise<void> | undefined;
  #again = false;

  constructor(followed: FollowedTopic, ports: GapFillerPorts) {
    this.#followed = followed;
    this.#ports = ports;
  }

  /** Call whenever something may be missing; returns at once. */
  wake(): void {
    this.#again = true;
    if (this.#running || this.#closing.signal.aborted) return;
    // not in the commit that found the gap
    this.#running = Promise.resolve()
      .then(() => this.#run())
      .then(
        () => {
          this.#running = undefined;
          if (this.#again) this.wake();
        },
        (cause: unknown) => this.#ports.onDeath(asConcordatError(cause)),
      );
  }

  /**
   * The topic's gaps with the reason why one is not filled, and what its writer has told of and does not come.
   *
   * @param gaps as the tables name them, `<chain>: missing …`
   */
  named(gaps: readonly string[]): string[] {
    const { topic } = this.#followed;
    const reasons = new Map(
      [...this.#problems].map(([lane, { message }]) => [this.#followed.chainOf(lane), message]),
    );
    return [...gaps, ...this.#followed.expected()]
      .map((gap) => ({ gap, chain: gap.slice(0, gap.indexOf(':')) }))
      .filter(({ chain }) => chain === topic || chain.startsWith(`${topic}/`))
      .map(({ gap, chain }) => {
        const reason = reasons.get(chain);
        return reason === undefined ? gap : `${gap} (${reason})`;
      });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let retryMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      this.#again = false;
      const missing = this.#followed.missing();
      this.#forgetOthers(missing);
      if (missing.length === 0) return;
      let moved = false;
      for (const part of missing) moved = (await this.#fill(part)) || moved;
      retryMs = moved ? RETRY_MS_MIN : Math.min(retryMs * 2, RETRY_MS_MAX);
      if (!moved) await this.#ports.clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }

  /** @returns whether anything changed */
  async #fill(part: MissingPart): Promise<boolean> {
    const { signal } = this.#closing;
    const { lane, epoch, from } = part;
    try {
      const answer = await this.#ports.fetch({ lane, epoch, fromNumber: from }, signal);
      if (signal.aborted) return false;
      if (answer.blocks.length === 0) return this.#nothingCame(part, answer);
      const moved = this.#followed.fill(lane, answer.blocks);
      await this.#ports.onFilled();
      if (moved === 0) throw gap(this.#followed.topic, part, 'what the writer sent is refused');
      this.#problems.delete(lane);
      return true;
    } catch (cause) {
      if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
      if (!signal.aborted) this.#note(lane, asConcordatError(cause));
      return false;
    }
  }

  #nothingCame(part: MissingPart, { firstKept, head, voids = [] }: SentAgain): boolean {
    let problem: ConcordatError | undefined;
    for (const value of voids) {
      problem = this.#followed.leaveOut(part.lane, value);
      if (problem) continue;
      this.#problems.delete(part.lane);
      return true;
    }
    if (problem) throw problem;
    if (head < part.from) {
      this.#followed.isComplete(part.lane);
      const isWanted = this.#followed.missing().some(({ lane }) => lane === part.lane);
      if (isWanted) throw gap(this.#followed.topic, part, 'the writer does not know of them');
      return true;
    }
    const kept = firstKept === 0 ? 'none' : `from ${String(firstKept)} on`;
    throw gap(this.#followed.topic, part, `the writer no longer keeps them, but ${kept}`);
  }

  #note(lane: number, error: ConcordatError): void {
    const isKnown = this.#problems.get(lane)?.message === error.message;
    this.#problems.set(lane, error);
    if (!isKnown) this.#ports.onProblem(error, { topic: this.#followed.topic, lane });
  }

  #forgetOthers(missing: readonly MissingPart[]): void {
    const lanes = new Set(missing.map(({ lane }) => lane));
    for (const lane of this.#problems.keys()) if (!lanes.has(lane)) this.#problems.delete(lane);
  }
}

function gap(topic: string, { lane, from }: MissingPart, why: string): ConcordatError {
  const where = `${topic}/${String(lane)} from number ${String(from)} on`;
  return new ConcordatError('CHAIN_GAP', `${where}: ${why}`);
}
