import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { ConcordatError } from '../../domain/errors.js';
import { LaneWorker } from '../lane-worker.js';
import { logRestarted, startOffset } from '../log-checks.js';
import type { LaneProgress, LogReader, LogRecord, ReadOptions } from '../log-client.js';
import type { LogAdmin } from './admin.js';
import type { KafkaConnection } from './connection.js';
import { asLogError, isUnreached } from './errors.js';
import { type LaneLook, WATCH_START, type WatchState, renew, watch } from './watchdog.js';

const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2_000;
/** The broker answers at once when there is data; this bounds how long a lane that was held back waits to be asked for again. */
const FETCH_WAIT_MS = 100;
const LANE_FETCH_BYTES = 524_288;
const FETCH_BYTES = 4_194_304;
const LOOK_EVERY_MS = 5_000;
const JOIN_ATTEMPTS = 5;
const JOIN_PAUSE_MS_FIRST = 100;
const JOIN_PAUSE_MS_MAX = 5_000;
/** How long the start of a reader waits for a broker that answers but is not ready. */
const START_MS_MAX = 15_000;
const DISCONNECT_MS_MAX = 5_000;
const RECHECKS = 2;
const RECHECK_MS = 500;

export interface KafkaReadOptions extends ReadOptions {
  /** Only this lane of the topics; the others are left alone. */
  readonly onlyLane?: number;
}

/** Checks the caller's positions, takes up the lanes and begins to read. */
export async function openReader(
  connection: KafkaConnection,
  admin: LogAdmin,
  options: KafkaReadOptions,
): Promise<LogReader> {
  const reader = new KafkaReader(connection, admin, options);
  try {
    await reader.start();
  } catch (cause) {
    await reader.close();
    throw asLogError(cause, `read ${options.topics.join(', ')}`, connection.brokers);
  }
  return reader;
}

class KafkaReader implements LogReader {
  readonly #connection: KafkaConnection;
  readonly #admin: LogAdmin;
  readonly #options: KafkaReadOptions;
  readonly #workers = new Map<string, LaneWorker>();
  readonly #stop = new AbortController();
  #consumer: Consumer | undefined;
  #left: Promise<void> = Promise.resolve();
  #watched: WatchState = WATCH_START;
  #renewing: Promise<void> | undefined;
  /** Lanes whose log was lost and that are being begun again. */
  readonly #beginning = new Set<LaneWorker>();
  #watching: Promise<void> | undefined;

  constructor(connection: KafkaConnection, admin: LogAdmin, options: KafkaReadOptions) {
    this.#connection = connection;
    this.#admin = admin;
    this.#options = options;
  }

  async start(): Promise<void> {
    for (const topic of this.#options.topics) await this.#takeUp(topic);
    await this.#joinPatiently(this.#connection.clock.monotonicMs() + START_MS_MAX);
    this.#watching = this.#watch();
  }

  progress(): readonly LaneProgress[] {
    return [...this.#workers.values()].map((worker) => worker.progress());
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
    await this.#leave();
    await this.#renewing;
    await this.#watching;
  }

  get #over(): boolean {
    return this.#stop.signal.aborted;
  }

  async #takeUp(topic: string): Promise<void> {
    for (const { lane } of await this.#admin.ends(topic)) {
      if (this.#options.onlyLane !== undefined && this.#options.onlyLane !== lane) continue;
      this.#addWorker(topic, lane, await this.#startOffset(topic, lane));
    }
  }

  #addWorker(topic: string, lane: number, start: bigint): void {
    const worker: LaneWorker = new LaneWorker({
      ...this.#options,
      topic,
      lane,
      start,
      clock: this.#connection.clock,
      onDeath: (cause) => {
        this.#die(cause);
      },
      onPause: () => {
        this.#steer((consumer) => {
          consumer.pause([{ topic, partitions: [lane] }]);
        });
      },
      onResume: () => {
        this.#steer((consumer) => {
          consumer.seek({ topic, partition: lane, offset: String(worker.wanted) });
          consumer.resume([{ topic, partitions: [lane] }]);
        });
      },
    });
    this.#workers.set(laneKey(topic, lane), worker);
  }

  /** A new leader's end may lag for a moment: what looks cut is looked at again. */
  async #startOffset(topic: string, lane: number): Promise<bigint> {
    const { onRestart } = this.#options;
    let isTold = onRestart === undefined;
    for (let look = 0; ; look++) {
      const ends = (await this.#admin.ends(topic)).find((each) => each.lane === lane);
      if (ends === undefined)
        throw new ConcordatError('TOPIC_MISSING', `${topic} lost lane ${String(lane)}`);
      const start = startOffset(topic, this.#options.position(topic, lane), ends);
      if (start.ok) return start.value;
      if (look >= RECHECKS) {
        if (isTold) throw start.error;
        isTold = true;
        onRestart?.(topic, lane, start.error);
        continue;
      }
      await this.#connection.clock.sleep(RECHECK_MS, this.#stop.signal);
    }
  }

  /** A consumer in a group of its own, so that nobody's session has to end first. Resolves once it has its lanes. */
  async #join(): Promise<void> {
    const { kafka, random } = this.#connection;
    const suffix = Buffer.from(random.bytes(8)).toString('base64url');
    const consumer = kafka.consumer({
      groupId: `${this.#options.name}.${suffix}`,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: LANE_FETCH_BYTES,
      allowAutoTopicCreation: false,
      retry: {
        initialRetryTime: 100,
        multiplier: 2,
        maxRetryTime: 1_000,
        retries: JOIN_ATTEMPTS,
        restartOnFailure: () => Promise.resolve(false), // we make a new one ourselves
      },
    });
    const group: { joined: boolean; crash: Error | undefined } = {
      joined: false,
      crash: undefined,
    };
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      group.joined = true;
      this.#place(consumer, payload.memberAssignment);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      group.crash = payload.error;
      if (this.#consumer === consumer) this.#crashed(payload.error);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 1, // a batch only enters its lane's queue
        eachBatch: (payload) => this.#take(consumer, payload),
      });
      if (!group.joined) throw group.crash ?? new Error('the consumer did not join its group');
    } catch (cause) {
      await disconnect(consumer, this.#connection);
      throw cause;
    }
    this.#consumer = consumer;
    if (this.#over) await this.#leave();
    else if (group.crash !== undefined) this.#crashed(group.crash);
  }

  /** Puts every lane of a consumer that has just been assigned them where we want it. */
  #place(consumer: Consumer, assigned: Readonly<Record<string, readonly number[]>>): void {
    const others: { topic: string; partitions: number[] }[] = [];
    for (const { topic, lane, wanted, paused } of this.#workers.values()) {
      consumer.seek({ topic, partition: lane, offset: String(wanted) });
      if (paused) others.push({ topic, partitions: [lane] });
    }
    const { onlyLane } = this.#options;
    if (onlyLane !== undefined) {
      for (const [topic, partitions] of Object.entries(assigned)) {
        others.push({ topic, partitions: partitions.filter((lane) => lane !== onlyLane) });
      }
    }
    if (others.length > 0) consumer.pause(others);
  }

  async #take(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    if (this.#over || !payload.isRunning() || payload.isStale()) return;
    const worker = this.#workers.get(laneKey(batch.topic, batch.partition));
    if (worker === undefined || worker.paused) return;
    const all = batch.messages.map((message) => asRecord(batch.topic, batch.partition, message));
    const records = all.filter(({ offset }) => offset >= worker.wanted);
    if (records[0]?.offset !== worker.wanted && !(await this.#mayJump(worker))) return;
    if (records.length === 0) {
      consumer.seek({ topic: worker.topic, partition: worker.lane, offset: String(worker.wanted) });
      return;
    }
    worker.offer(records);
    payload.resolveOffset(batch.lastOffset());
  }

  /**
   * kafkajs answers OFFSET_OUT_OF_RANGE by starting over elsewhere, without a word. So whenever a batch is not the one that
   * follows, the broker is asked what the lane holds.
   */
  async #mayJump(worker: LaneWorker): Promise<boolean> {
    const { topic, lane, wanted } = worker;
    try {
      const ends = (await this.#admin.ends(topic)).find((each) => each.lane === lane);
      if (ends === undefined) return false;
      const start = startOffset(topic, wanted, ends);
      if (!start.ok) this.#lost(topic, lane, start.error);
      return start.ok;
    } catch {
      return false; // the broker cannot say: nothing is taken, the batch comes again
    }
  }

  #steer(action: (consumer: Consumer) => void): void {
    if (this.#consumer === undefined || this.#over) return;
    try {
      action(this.#consumer);
    } catch {
      // the consumer is not running: `#place` does this when its successor joins
    }
  }

  #crashed(error: Error): void {
    const { brokers } = this.#connection;
    const cause = asLogError(error, `read ${this.#options.topics.join(', ')}`, brokers);
    if (this.#over) return;
    if (cause.code !== 'BROKER_UNAVAILABLE' && cause.code !== 'TOPIC_MISSING') {
      this.#die(cause);
      return;
    }
    if (!isUnreached(error)) {
      const { state, exhausted } = renew(this.#watched, this.#connection.clock.monotonicMs());
      this.#watched = state;
      if (exhausted) {
        this.#die(
          new ConcordatError('LOG_STALLED', `reading ends again and again: ${cause.message}`),
        );
        return;
      }
    }
    this.#renew();
  }

  #renew(): void {
    this.#renewing ??= this.#rejoin()
      .catch((cause: unknown) => {
        if (!this.#over) this.#die(cause instanceof Error ? cause : new Error(String(cause)));
      })
      .finally(() => {
        this.#renewing = undefined;
      });
  }

  async #rejoin(): Promise<void> {
    await this.#leave();
    await this.#joinPatiently(Infinity); // whoever runs us sees in our progress that we wait
  }

  /** Tries again while the broker is away or not ready, `__consumer_offsets` being made at the first group, for example. */
  async #joinPatiently(untilMs: number): Promise<void> {
    const { brokers, clock, log } = this.#connection;
    for (let pauseMs = JOIN_PAUSE_MS_FIRST; !this.#over; pauseMs = nextPauseMs(pauseMs)) {
      try {
        await this.#join();
        return;
      } catch (cause) {
        const error = asLogError(cause, `read ${this.#options.topics.join(', ')}`, brokers);
        const passes = error.code === 'BROKER_UNAVAILABLE' || error.code === 'TOPIC_MISSING';
        if (!passes || clock.monotonicMs() >= untilMs) throw error;
        log?.('warn', error.message);
      }
      await clock.sleep(pauseMs, this.#stop.signal).catch(() => undefined);
    }
  }

  /** Resolves when no consumer of ours is connected. */
  #leave(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (consumer !== undefined) this.#left = disconnect(consumer, this.#connection);
    return this.#left;
  }

  async #watch(): Promise<void> {
    const { clock } = this.#connection;
    let missing = 0;
    const slept = (): Promise<boolean> =>
      clock.sleep(LOOK_EVERY_MS, this.#stop.signal).then(
        () => true,
        () => false,
      );
    while (await slept()) {
      try {
        this.#judge(await this.#look());
        missing = 0;
      } catch (cause) {
        // an unreachable broker is no verdict on the lanes; a topic that is gone is one, at the second look
        const gone = cause instanceof ConcordatError && cause.code === 'TOPIC_MISSING';
        missing = gone ? missing + 1 : 0;
        if (gone && missing > 1) this.#die(cause);
      }
    }
  }

  async #look(): Promise<readonly LaneLook[]> {
    const looks: LaneLook[] = [];
    for (const topic of this.#options.topics) {
      const before = [...this.#workers.values()]
        .filter((worker) => worker.topic === topic)
        .map(({ lane, wanted }) => ({ lane, wanted }));
      const ends = await this.#admin.ends(topic);
      for (const { lane, wanted } of before) {
        const worker = this.#workers.get(laneKey(topic, lane));
        const found = ends.find((each) => each.lane === lane);
        if (worker === undefined || found === undefined) continue;
        const { paused } = worker;
        looks.push({ topic, wanted, ends: found, paused, handlingMs: worker.handlingMs() });
      }
    }
    return looks;
  }

  #judge(looks: readonly LaneLook[]): void {
    const nowMs = this.#connection.clock.monotonicMs();
    const { state, verdict } = watch(this.#watched, looks, nowMs);
    this.#watched = state;
    if (this.#over || verdict.kind === 'fine') return;
    const { topic, ends, wanted } = verdict.look;
    const where = `${topic} lane ${String(ends.lane)} offset ${String(wanted)}`;
    switch (verdict.kind) {
      case 'restarted':
        this.#lost(topic, ends.lane, logRestarted(topic, wanted, ends));
        return;
      case 'renew':
        this.#connection.log?.('warn', `${where}: no progress, reading anew`);
        this.#renew();
        return;
      case 'stalled':
        this.#die(
          new ConcordatError('LOG_STALLED', `${where}: no progress, reading anew did not help`),
        );
        return;
      case 'handler-stuck':
        this.#die(new ConcordatError('LOG_STALLED', `${where}: its handler does not return`));
    }
  }

  /** The lane was made anew or cut: whoever reads it may begin it again, with a consumer that knows nothing of the old one. */
  #lost(topic: string, lane: number, error: ConcordatError): void {
    const worker = this.#workers.get(laneKey(topic, lane));
    if (this.#options.onRestart === undefined || worker === undefined) {
      this.#die(error);
      return;
    }
    if (this.#beginning.has(worker)) return;
    this.#beginning.add(worker);
    this.#begin(worker)
      .catch((cause: unknown) => {
        this.#die(cause instanceof Error ? cause : error);
      })
      .finally(() => this.#beginning.delete(worker));
  }

  async #begin(worker: LaneWorker): Promise<void> {
    const { topic, lane } = worker;
    await worker.close();
    const start = await this.#startOffset(topic, lane); // looks again, and tells of it
    if (this.#over) return;
    this.#addWorker(topic, lane, start);
    this.#watched = { ...this.#watched, lanes: new Map() };
    this.#renew();
  }

  #die(cause: Error): void {
    if (this.#over) return;
    this.#stop.abort();
    for (const worker of this.#workers.values()) void worker.close();
    void this.#leave();
    this.#options.onDeath(cause);
  }
}

function nextPauseMs(pauseMs: number): number {
  return Math.min(2 * pauseMs, JOIN_PAUSE_MS_MAX);
}

function laneKey(topic: string, lane: number): string {
  return `${topic}/${String(lane)}`;
}

function asRecord(topic: string, lane: number, message: KafkaMessage): LogRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => {
    // kafkajs takes what Object.prototype has under a header's name for an earlier header of that name
    const first = [value].flat().find((each) => typeof each === 'string' || Buffer.isBuffer(each));
    return [name, first?.toString() ?? ''] as const;
  });
  return {
    topic,
    lane,
    offset: BigInt(message.offset),
    value: message.value ?? new Uint8Array(),
    headers: Object.fromEntries(headers),
  };
}

/** kafkajs waits for ever for some answers of a broker that is gone. */
async function disconnect(consumer: Consumer, { clock }: KafkaConnection): Promise<void> {
  const done = new AbortController();
  const left = consumer.disconnect().catch(() => undefined);
  await Promise.race([left, clock.sleep(DISCONNECT_MS_MAX, done.signal).catch(() => undefined)]);
  done.abort();
}
