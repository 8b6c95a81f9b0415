import type { ConcordatError } from '../domain/errors.js';

/** One record of a lane, as it travelled. */
export interface LogRecord {
  readonly topic: string;
  /** The partition: the unit of order. */
  readonly lane: number;
  readonly offset: bigint;
  /** The bytes as they arrived; a record without a value has none of them. Never changed by a reader. */
  readonly value: Uint8Array;
  /** Text of the record's headers; of a repeated name the first. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a record stood, in words: topic, lane, offset. */
export function sourceOf({
  topic,
  lane,
  offset,
}: Pick<LogRecord, 'topic' | 'lane' | 'offset'>): string {
  return `${topic}/${String(lane)}/${offset.toString()}`;
}

export interface OutgoingRecord {
  /** Text for people who look into the topic; it neither chooses the lane nor is it read. */
  readonly key?: string;
  readonly value: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a lane holds: the offsets [low, high). `high` is where the next record will stand. */
export interface LaneEnds {
  readonly lane: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** Where a reader stands in one lane: `next` is the offset that it will hand over next. */
export interface LaneProgress {
  readonly topic: string;
  readonly lane: number;
  readonly next: bigint;
}

export interface ReadOptions {
  /** Names the reader in the broker's list of groups and in messages, `node-fr-feed`. */
  readonly name: string;
  readonly topics: readonly string[];
  /**
   * The caller's own position: the offset of the first record that has no effect yet. Asked when a lane is taken up,
   * and again after `handle` has thrown.
   */
  readonly position: (topic: string, lane: number) => bigint;
  /**
   * Takes 1 to `BATCH_RECORDS_MAX` consecutive records of one lane. Returning means that all of them are done, quarantined
   * ones included. It throws only when trying again could help: then nothing of the batch counts, `position` is asked again
   * and the lane goes on from there after a pause; other lanes go on meanwhile. A `TypeError` and its kin, or a
   * `ConcordatError` that is not retryable, ends the reader at once, and so does the `HANDLE_ATTEMPTS_MAX`-th failure at
   * one position (RECORD_STUCK): a record is never skipped, and never loops unseen. Never called twice at once for a lane,
   but for several lanes at the same time: a transaction that spans an `await` needs a lock of its own.
   */
  readonly handle: (batch: readonly LogRecord[]) => Promise<void>;
  /** The reader is over and reads no more; called once, never after `close`. The process should end with it. */
  readonly onDeath: (cause: Error) => void;
  /**
   * The lane does not hold what `position` says: it was deleted and made anew, or cut. The caller changes its position, which
   * is then asked for again; no `handle` runs meanwhile. Without it, LOG_RESTARTED ends the reader.
   */
  readonly onRestart?: (topic: string, lane: number, error: ConcordatError) => void;
  /** Told of every time that `handle` threw and will be called again: for a counter and a log line. */
  readonly onRetry?: (at: LaneProgress, attempt: number, cause: unknown) => void;
}

export interface LogReader {
  /** One row per lane that was taken up. */
  progress(): readonly LaneProgress[];
  /** Ends reading: resolves when no `handle` runs and none will. */
  close(): Promise<void>;
}

/**
 * The log between members: topics of numbered lanes. Meaning never rests on its offsets: order, identity and completeness
 * are in signed bytes. Whatever fails is a `ConcordatError`; BROKER_UNAVAILABLE names what was tried, and a topic that does
 * not exist is TOPIC_MISSING.
 */
export interface LogClient {
  /**
   * Appends the records to the lane, together and in order; resolves when all in-sync replicas have them. A failure that is
   * retryable is *unknown*: they may be there or not, and the caller sends the same bytes again. Calls for one lane that do
   * not wait for each other keep their order; those that wait behind one that fails, fail with it.
   *
   * @throws ConcordatError RECORD_TOO_LARGE, and nothing is sent, when the call comes to more than `SEND_BYTES_MAX`
   */
  send(
    topic: string,
    lane: number,
    records: readonly OutgoingRecord[],
  ): Promise<{ readonly baseOffset: bigint }>;

  /**
   * Hands over every record from the caller's own positions on, in the order of each lane. A position that the lane does
   * not have ([low, high], the end included) is LOG_RESTARTED, at the start or later, for `onRestart` or as the reader's death:
   * it never jumps.
   * Only a position of 0 begins at `low` when older records are gone: the chain's numbers then tell the gap. Nothing is
   * ever inflated: a compressed batch is the reader's death, COMPRESSION_REFUSED; topics are set so that the broker keeps
   * none. Resolves once the positions are checked and reading has begun.
   */
  read(options: ReadOptions): Promise<LogReader>;

  /** The newest record of every lane that holds one, by lane: a writer adopts its own verified tail at start. */
  tails(topic: string): Promise<readonly LogRecord[]>;

  /**
   * Visits what the lane holds from `from` (or `low`, if that is later) up to the end it had when asked, in order; for a
   * writer that replays its own topic and for dumps. A `visit` that throws ends it with that error.
   */
  scan(
    topic: string,
    lane: number,
    from: bigint,
    visit: (record: LogRecord) => void | Promise<void>,
  ): Promise<void>;

  laneCount(topic: string): Promise<number>;
  /** Every lane of the topic, by lane. */
  ends(topic: string): Promise<readonly LaneEnds[]>;
  /** Closes its readers, finishes what is being sent, disconnects. Idempotent. */
  close(): Promise<void>;
}

/** Values, headers and framing of one `send`: what one record batch may have on the broker (max.message.bytes). */
export const SEND_BYTES_MAX = 1_048_576;
/** Records of one `handle` call. */
export const BATCH_RECORDS_MAX = 512;
/** Failures of `handle` at one position before the reader gives up: with the pauses between them, about a minute. */
export const HANDLE_ATTEMPTS_MAX = 20;
