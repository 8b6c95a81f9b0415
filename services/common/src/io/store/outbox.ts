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
  readonly stop: (why: ConcordatError) => void;
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
  readonly #dead = new Map<string, ConcordatError>();
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
    if (this.#busy.has(key) || this.#dead.has(key) || this.#closing.signal.aborted) return;
    const run = Promise.resolve()
      .then(() => this.#drain(topic, lane, key))
      .catch((cause: unknown) => this.#die(key, asConcordatError(cause)));
    this.#busy.set(key, run);
  }

  /** Resolves when the broker has acknowledged the row; rejects when this process stops before. */
  acknowledged(topic: string, lane: number, seq: number): Promise<void> {
    return this.#tables.isSent(topic, lane, seq) ? Promise.resolve() : this.#wait(topic, lane, seq);
  }

  /** Resolves when the lane has nothing left to send; rejects when this process stops before. */
  idle(topic: string, lane: number): Promise<void> {
    return this.#wait(topic, lane, Infinity);
  }

  /** Is a send to this lane under way? A block is closed when it is not. */
  isSending(topic: string, lane: number): boolean {
    return this.#busy.has(laneKey(topic, lane));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#busy.values());
    this.#tables.deleteSent();
    for (const waiting of this.#waiters.values()) for (const { stop } of waiting) stop(stopped());
    this.#waiters.clear();
  }

  #wait(topic: string, lane: number, seq: number): Promise<void> {
    const key = laneKey(topic, lane);
    return new Promise((resolve, reject) => {
      const ended = this.#dead.get(key) ?? (this.#closing.signal.aborted ? stopped() : undefined);
      if (ended) {
        reject(ended);
        return;
      }
      const waiter: Waiter = { seq, done: resolve, stop: reject };
      this.#waiters.set(key, [...(this.#waiters.get(key) ?? []), waiter]);
      this.wake(topic, lane);
    });
  }

  /** This very row can never be sent: who waits for it learns why, and nothing overtakes it. */
  #die(key: string, cause: ConcordatError): void {
    this.#busy.delete(key);
    this.#dead.set(key, cause);
    const waiting = this.#waiters.get(key) ?? [];
    this.#waiters.delete(key);
    for (const { stop } of waiting) stop(cause);
    this.#onDeath(cause);
  }

  async #drain(topic: string, lane: number, key: string): Promise<void> {
    for (let pauseMs = RETRY_MS_MIN; !this.#closing.signal.aborted;) {
      const rows = fitting(this.#tables.outboxOf(topic, lane, SEND_ROWS_MAX));
      const last = rows.at(-1);
      if (!last) {
        // before anybody is told: who waits for an idle lane may send at once
        this.#busy.delete(key);
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

function stopped(): ConcordatError {
  return new ConcordatError('BROKER_UNAVAILABLE', 'stopped before the broker answered');
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
