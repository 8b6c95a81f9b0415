import { ConcordatError } from '../domain/errors.js';
import type { Clock } from '../domain/ports.js';
import { allElseDone } from './all-else-done.js';
import {
  BATCH_RECORDS_MAX,
  HANDLE_ATTEMPTS_MAX,
  type LaneProgress,
  type LogRecord,
  type ReadOptions,
} from './log-client.js';

/** Bytes that wait in a lane before its source is asked to pause; at most one fetch more can follow. */
export const QUEUE_BYTES_MAX = 2_097_152;
const BACKOFF_MS_FIRST = 50;
const BACKOFF_MS_MAX = 5_000;

export interface LaneWorkerOptions extends Pick<ReadOptions, 'handle' | 'position' | 'onRetry'> {
  readonly topic: string;
  readonly lane: number;
  /** The offset to begin with. */
  readonly start: bigint;
  readonly clock: Clock;
  /** The lane is over: `handle` cannot go on. */
  readonly onDeath: (cause: Error) => void;
  /** The source stops sending: the queue is full, or the lane rests after a failure. */
  readonly onPause: () => void;
  /** The source goes on from `wanted`, which may lie before what it sent last. */
  readonly onResume: () => void;
}

/** Would the very same call fail the same way for ever? Then the process, not the record, is at fault. */
function isOurMistake(cause: unknown): boolean {
  if (cause instanceof ConcordatError) return !cause.retryable;
  return (
    cause instanceof TypeError ||
    cause instanceof RangeError ||
    cause instanceof ReferenceError ||
    cause instanceof SyntaxError
  );
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

export function backoffMs(attempt: number): number {
  return Math.min(BACKOFF_MS_FIRST * 2 ** (attempt - 1), BACKOFF_MS_MAX);
}

/**
 * One lane between a source of records and `handle`: keeps the order, hands over in batches, rewinds to the caller's own
 * position after a failure, and gives up rather than skip. Both adapters of the log read through it.
 */
export class LaneWorker {
  readonly topic: string;
  readonly lane: number;
  readonly #options: LaneWorkerOptions;
  readonly #stop = new AbortController();
  #queue: LogRecord[] = [];
  #queueBytes = 0;
  #next: bigint;
  #wanted: bigint;
  #attempt = 0;
  #failedAt: bigint | undefined;
  #paused = false;
  #resting = false;
  #busySinceMs: number | undefined;
  #running: Promise<void> | undefined;

  constructor(options: LaneWorkerOptions) {
    this.topic = options.topic;
    this.lane = options.lane;
    this.#options = options;
    this.#next = options.start;
    this.#wanted = options.start;
  }

  /** The offset that the source has to send next. */
  get wanted(): bigint {
    return this.#wanted;
  }

  /** Must the source hold back? */
  get paused(): boolean {
    return this.#paused;
  }

  /** How long the present `handle` call has been running; 0 when none is. */
  handlingMs(): number {
    return this.#busySinceMs === undefined
      ? 0
      : this.#options.clock.monotonicMs() - this.#busySinceMs;
  }

  progress(): LaneProgress {
    return { topic: this.topic, lane: this.lane, next: this.#next };
  }

  /** Takes records in order of offset, all of them at or after `wanted`. While the lane rests they are dropped: they come again. */
  offer(records: readonly LogRecord[]): void {
    const last = records.at(-1);
    if (last === undefined || this.#resting || this.#stop.signal.aborted) return;
    this.#queue.push(...records);
    for (const record of records) this.#queueBytes += record.value.length;
    this.#wanted = last.offset + 1n;
    if (this.#queueBytes >= QUEUE_BYTES_MAX) this.#pause();
    this.#running ??= this.#run().catch((cause: unknown) => {
      this.#die(asError(cause));
    });
  }

  /** Resolves when no `handle` runs and none will. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    await allElseDone(); // the source asks for more first, so that it comes while these are handled
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const batch = this.#queue.splice(0, BATCH_RECORDS_MAX);
      for (const record of batch) this.#queueBytes -= record.value.length;
      await this.#handle(batch);
      if (this.#paused && this.#queueBytes < QUEUE_BYTES_MAX / 2) this.#resume();
    }
    this.#running = undefined;
  }

  async #handle(batch: readonly LogRecord[]): Promise<void> {
    this.#busySinceMs = this.#options.clock.monotonicMs();
    try {
      await this.#options.handle(batch);
      const last = batch.at(-1);
      if (last !== undefined) this.#next = last.offset + 1n;
      this.#attempt = 0;
    } catch (cause) {
      this.#busySinceMs = undefined;
      await this.#failed(cause);
    } finally {
      this.#busySinceMs = undefined;
    }
  }

  async #failed(cause: unknown): Promise<void> {
    this.#queue = [];
    this.#queueBytes = 0;
    this.#resting = true;
    this.#pause();
    if (this.#stop.signal.aborted) return;
    if (isOurMistake(cause)) {
      this.#die(asError(cause));
      return;
    }
    this.#next = this.#options.position(this.topic, this.lane);
    this.#attempt = this.#failedAt === this.#next ? this.#attempt + 1 : 1;
    this.#failedAt = this.#next;
    const where = `${this.topic} lane ${String(this.lane)} offset ${String(this.#next)}`;
    if (this.#attempt >= HANDLE_ATTEMPTS_MAX) {
      const text = `${where}: no effect after ${String(this.#attempt)} attempts: ${asError(cause).message}`;
      this.#die(new ConcordatError('RECORD_STUCK', text, { cause }));
      return;
    }
    this.#options.onRetry?.(this.progress(), this.#attempt, cause);
    const rested = await this.#options.clock
      .sleep(backoffMs(this.#attempt), this.#stop.signal)
      .then(
        () => true,
        () => false,
      );
    if (!rested) return;
    this.#wanted = this.#next;
    this.#resting = false;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#options.onPause();
  }

  #resume(): void {
    if (this.#resting) return;
    this.#paused = false;
    this.#options.onResume();
  }

  #die(cause: Error): void {
    this.#stop.abort();
    this.#options.onDeath(cause);
  }
}
