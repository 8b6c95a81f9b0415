import { ConcordatError, asConcordatError } from '../../domain/errors.js';
import type { Clock } from '../../domain/ports.js';
import { type LogClient, type OutgoingRecord, SEND_BYTES_MAX } from '../log-client.js';
import { sendBytes } from '../log-checks.js';
import type { ChainTables, OutboxRow } from './chain-tables.js';

/** Rows read from the outbox for one send. */
const SEND_ROWS_MAX = 64;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;

interface Waiter {
  readonly seq: number;
  readonly done: () => void;
  readonly stop: () => void;
}

/**
 * Sends committed rows in the order of their commit, lane by lane, until the broker has them; the bytes of a second
 * try are the same. Waiting for the broker is only ever done here.
 */
export class Outbox {
  readonly #tables: ChainTables;
  readonly #log: LogClient;
  readonly #clock: Clock;
  readonly #onRetry: (topic: string, cause: ConcordatError) => void;
  readonly #onDeath: (cause: ConcordatError) => void;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #waiters = new Map<string, Waiter[]>();
  readonly #closing = new AbortController();

  constructor(ports: {
    readonly tables: ChainTables;
    readonly log: LogClient;
    readonly clock: Clock;
    readonly onRetry: (topic: string, cause: ConcordatError) => void;
    /** sending ended for good; the process should end with it */
    readonly onDeath: (cause: ConcordatError) => void;
  }) {
    this.#tables = ports.tables;
    this.#log = ports.log;
    this.#clock = ports.clock;
    this.#onRetry = ports.onRetry;
    this.#onDeath = ports.onDeath;
  }

  /** Sends what an earlier process committed and did not see acknowledged. */
  start(): void {
    for (const { topic, lane } of this.#tables.outboxLanes()) this.wake(topic, lane);
  }

  /** Call after the commit that enqueued rows for this lane. */
  wake(topic: string, lane: number): void {
    const key = laneKey(topic, lane);
    if (this.#busy.has(key) || this.#closing.signal.aborted) return;
    const run = this.#drain(topic, lane, key).then(
      () => {
        this.#busy.delete(key);
        const waited = (this.#waiters.get(key)?.length ?? 0) > 0;
        if (waited || this.#tables.outboxOf(topic, lane, 1).length > 0) this.wake(topic, lane);
      },
      (cause: unknown) => {
        this.#busy.delete(key);
        this.#onDeath(asConcordatError(cause));
      },
    );
    this.#busy.set(key, run);
  }

  /** Resolves when the broker has acknowledged the row; rejects when this process stops before. */
  acknowledged(topic: string, lane: number, seq: number): Promise<void> {
    const key = laneKey(topic, lane);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        reject(new ConcordatError('BROKER_UNAVAILABLE', 'stopped before the broker answered'));
      };
      if (this.#closing.signal.aborted) {
        stop();
        return;
      }
      this.#waiters.set(key, [...(this.#waiters.get(key) ?? []), { seq, done: resolve, stop }]);
      this.wake(topic, lane);
    });
  }

  /** Is a send to this lane under way? A block is closed when it is not (or when it is full). */
  isSending(topic: string, lane: number): boolean {
    return this.#busy.has(laneKey(topic, lane));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#busy.values());
    for (const waiting of this.#waiters.values()) for (const { stop } of waiting) stop();
  }

  async #drain(topic: string, lane: number, key: string): Promise<void> {
    for (let pauseMs = RETRY_MS_MIN; !this.#closing.signal.aborted;) {
      const rows = fitting(this.#tables.outboxOf(topic, lane, SEND_ROWS_MAX));
      const last = rows.at(-1);
      if (!last) {
        this.#release(key, Infinity);
        return;
      }
      try {
        await this.#log.send(
          topic,
          lane,
          rows.map(({ record }) => record),
        );
        this.#tables.sent(topic, lane, last.seq);
        this.#release(key, last.seq);
        pauseMs = RETRY_MS_MIN;
      } catch (cause) {
        if (!(cause instanceof ConcordatError) || !cause.retryable) throw cause;
        this.#onRetry(topic, cause);
        await this.#clock.sleep(pauseMs, this.#closing.signal).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX);
      }
    }
  }

  #release(key: string, upTo: number): void {
    const waiting = this.#waiters.get(key) ?? [];
    this.#waiters.set(
      key,
      waiting.filter(({ seq }) => seq > upTo),
    );
    for (const { seq, done } of waiting) if (seq <= upTo) done();
  }
}

function laneKey(topic: string, lane: number): string {
  return `${topic}/${String(lane)}`;
}

/** As many rows as fit into one send, at least one. */
function fitting(rows: readonly OutboxRow[]): OutboxRow[] {
  const taken: OutboxRow[] = [];
  const records: OutgoingRecord[] = [];
  for (const row of rows) {
    records.push(row.record);
    if (taken.length > 0 && sendBytes(records) > SEND_BYTES_MAX) break;
    taken.push(row);
  }
  return taken;
}
