import { ConcordatError } from '../domain/errors.js';
import type { Clock } from '../domain/ports.js';
import { LaneWorker } from './lane-worker.js';
import { checkSend, closedError, logRestarted, startOffset } from './log-checks.js';
import {
  BATCH_RECORDS_MAX,
  type LaneEnds,
  type LogClient,
  type LogReader,
  type LogRecord,
  type OutgoingRecord,
  type ReadOptions,
} from './log-client.js';

interface Lane {
  low: bigint;
  high: bigint;
  records: LogRecord[];
}

interface ActiveReader {
  readonly topics: readonly string[];
  /** Looks at the topic again: there is more, or it is no longer what it was. */
  readonly wake: (topic: string) => void;
}

/** What a test or the simulator does to the next `send`. */
export type SendFault = 'lost' | 'unknown-but-there';

/**
 * A log in memory, for the simulator and for tests: several clients may share it. It has no time and no randomness of its
 * own: what happens follows from the calls alone.
 */
export class MemoryLog {
  readonly #topics = new Map<string, Lane[]>();
  readonly #readers = new Set<ActiveReader>();
  readonly #faults: SendFault[] = [];
  #reachable = true;

  createTopic(topic: string, lanes: number): void {
    this.#topics.set(
      topic,
      Array.from({ length: lanes }, () => ({ low: 0n, high: 0n, records: [] })),
    );
    this.#wake(topic);
  }

  deleteTopic(topic: string): void {
    this.#topics.delete(topic);
    this.#wake(topic);
  }

  /** Drops what lies before `low`, as retention does. */
  deleteRecordsBefore(topic: string, lane: number, low: bigint): void {
    const found = this.lane(topic, lane);
    found.records = found.records.filter((record) => record.offset >= low);
    found.low = low;
    this.#wake(topic);
  }

  /** While unreachable every call is BROKER_UNAVAILABLE and readers get nothing. */
  setReachable(reachable: boolean): void {
    this.#reachable = reachable;
    if (reachable) for (const topic of this.#topics.keys()) this.#wake(topic);
  }

  /** The next sends fail so, one fault each. */
  failSends(...faults: readonly SendFault[]): void {
    this.#faults.push(...faults);
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  lanes(topic: string): readonly Lane[] {
    if (!this.#reachable)
      throw new ConcordatError('BROKER_UNAVAILABLE', 'the log in memory is cut off');
    const lanes = this.#topics.get(topic);
    if (lanes === undefined)
      throw new ConcordatError('TOPIC_MISSING', `topic ${topic} does not exist`);
    return lanes;
  }

  lane(topic: string, lane: number): Lane {
    const lanes = this.lanes(topic);
    const found = lanes[lane];
    if (found === undefined) {
      const text = `topic ${topic} has ${String(lanes.length)} lanes, none numbered ${String(lane)}`;
      throw new ConcordatError('REQUEST_INVALID', text);
    }
    return found;
  }

  append(topic: string, lane: number, records: readonly OutgoingRecord[]): bigint {
    const found = this.lane(topic, lane);
    const fault = this.#faults.shift();
    const baseOffset = found.high;
    if (fault !== 'lost') {
      for (const { value, headers } of records) {
        const kept = { value: Uint8Array.from(value), headers: { ...headers } };
        found.records.push({ topic, lane, offset: found.high, ...kept });
        found.high += 1n;
      }
      this.#wake(topic);
    }
    if (fault !== undefined)
      throw new ConcordatError('BROKER_UNAVAILABLE', `fault ${fault}: outcome unknown`);
    return baseOffset;
  }

  attach(reader: ActiveReader): void {
    this.#readers.add(reader);
  }

  detach(reader: ActiveReader): void {
    this.#readers.delete(reader);
  }

  #wake(topic: string): void {
    for (const reader of this.#readers) if (reader.topics.includes(topic)) reader.wake(topic);
  }
}

function endsOf(lanes: readonly Lane[]): readonly LaneEnds[] {
  return lanes.map(({ low, high }, lane) => ({ lane, low, high }));
}

class MemoryReader implements LogReader {
  readonly #log: MemoryLog;
  readonly #options: ReadOptions;
  readonly #clock: Clock;
  #workers: LaneWorker[] = [];
  readonly #beginning = new Set<LaneWorker>();
  readonly #active: ActiveReader;
  #over = false;

  constructor(log: MemoryLog, clock: Clock, options: ReadOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#options = options;
    for (const topic of options.topics) {
      for (const { lane } of endsOf(log.lanes(topic))) this.#takeUp(topic, lane);
    }
    this.#active = {
      topics: options.topics,
      wake: (topic) => {
        for (const worker of this.#workers) if (worker.topic === topic) this.#feed(worker);
      },
    };
    log.attach(this.#active);
    for (const worker of this.#workers) this.#feed(worker);
  }

  #takeUp(topic: string, lane: number): LaneWorker {
    const worker: LaneWorker = new LaneWorker({
      ...this.#options,
      topic,
      lane,
      start: this.#startOffset(topic, lane),
      clock: this.#clock,
      onDeath: (cause) => {
        this.#die(cause);
      },
      onPause: () => undefined,
      onResume: () => {
        this.#feed(worker);
      },
    });
    this.#workers.push(worker);
    return worker;
  }

  #startOffset(topic: string, lane: number): bigint {
    const { low, high } = this.#log.lane(topic, lane);
    const ends = { lane, low, high };
    const start = startOffset(topic, this.#options.position(topic, lane), ends);
    if (start.ok) return start.value;
    if (!this.#options.onRestart) throw start.error;
    this.#options.onRestart(topic, lane, start.error);
    const again = startOffset(topic, this.#options.position(topic, lane), ends);
    if (!again.ok) throw again.error;
    return again.value;
  }

  progress(): ReturnType<LogReader['progress']> {
    return this.#workers.map((worker) => worker.progress());
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#log.detach(this.#active);
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  #feed(worker: LaneWorker): void {
    try {
      this.#offer(worker);
    } catch (cause) {
      this.#die(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  #offer(worker: LaneWorker): void {
    while (!this.#over && !worker.paused && this.#log.reachable) {
      // a topic that is gone may come back; how long Kafka's reader waits for that is a matter of time, which is not here
      if (!this.#log.has(worker.topic)) return;
      const lane = this.#log.lane(worker.topic, worker.lane);
      const at = worker.wanted;
      if (at > lane.high || (at < lane.low && at > 0n)) {
        this.#lost(worker, logRestarted(worker.topic, at, { lane: worker.lane, ...lane }));
        return;
      }
      const from = Number(at < lane.low ? 0n : at - lane.low);
      const records = lane.records.slice(from, from + BATCH_RECORDS_MAX);
      if (records.length === 0) return;
      worker.offer(records);
    }
  }

  #lost(worker: LaneWorker, error: ConcordatError): void {
    if (!this.#options.onRestart) throw error;
    if (this.#beginning.has(worker)) return;
    this.#beginning.add(worker);
    const begin = async (): Promise<void> => {
      await worker.close();
      if (this.#over) return;
      this.#workers = this.#workers.filter((one) => one !== worker);
      this.#feed(this.#takeUp(worker.topic, worker.lane));
    };
    begin().catch((cause: unknown) => {
      this.#die(cause instanceof Error ? cause : error);
    });
  }

  #die(cause: Error): void {
    if (this.#over) return;
    void this.close();
    this.#options.onDeath(cause);
  }
}

/** The `LogClient` over a `MemoryLog`; `clock` times the pauses after a failed `handle`. */
export function memoryLogClient(log: MemoryLog, clock: Clock): LogClient {
  const readers = new Set<LogReader>();
  let closed = false;
  const run = <T>(action: () => T): Promise<T> =>
    settle(() => {
      if (closed) throw closedError();
      return action();
    });
  return {
    send: (topic, lane, records) =>
      run(() => {
        checkSend(topic, records);
        return { baseOffset: log.append(topic, lane, records) };
      }),
    read: (options) =>
      run(() => {
        const reader = new MemoryReader(log, clock, options);
        readers.add(reader);
        return reader;
      }),
    tails: (topic) => run(() => log.lanes(topic).flatMap(({ records }) => records.slice(-1))),
    scan: async (topic, lane, from, visit) => {
      const held = await run(() =>
        log.lane(topic, lane).records.filter(({ offset }) => offset >= from),
      );
      for (const record of held) await visit(record);
    },
    laneCount: (topic) => run(() => log.lanes(topic).length),
    ends: (topic) => run(() => endsOf(log.lanes(topic))),
    close: async () => {
      closed = true;
      await Promise.all([...readers].map((reader) => reader.close()));
      readers.clear();
    },
  };
}

/** Runs it now, so that the order of calls is the order of effects; what it throws becomes a rejection. */
function settle<T>(run: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(run());
  });
}
