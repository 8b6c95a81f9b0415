import { ConcordatError } from '../../domain/errors.js';
import { closedError } from '../log-checks.js';
import type { LogClient, LogReader, LogRecord } from '../log-client.js';
import { openAdmin } from './admin.js';
import { type KafkaOptions, connectKafka } from './connection.js';
import { type KafkaReadOptions, openReader } from './reader.js';
import { openSender } from './sender.js';

/** The `LogClient` over Apache Kafka. Connects when it is first used; what it cannot reach is BROKER_UNAVAILABLE. */
export function kafkaLogClient(options: KafkaOptions): LogClient {
  const connection = connectKafka(options);
  const admin = openAdmin(connection);
  const sender = openSender(connection, admin);
  const readers = new Set<LogReader>();
  let closed = false;

  const read = async (how: KafkaReadOptions): Promise<LogReader> => {
    if (closed) throw closedError();
    const reader = await openReader(connection, admin, how);
    readers.add(reader);
    return {
      progress: () => reader.progress(),
      close: async () => {
        readers.delete(reader);
        await reader.close();
      },
    };
  };

  /** Reads lanes from `from` to `end` once, in order of each lane, and stops. */
  const readOnce = async (once: Once): Promise<void> => {
    const left = new Map([...once.ranges].filter(([, { from, end }]) => from < end));
    if (left.size === 0) return;
    const over = deferred();
    const take = async (record: LogRecord): Promise<void> => {
      const range = left.get(record.lane);
      if (range === undefined) return;
      if (record.offset < range.end) await once.visit(record);
      if (record.offset + 1n >= range.end) left.delete(record.lane);
      if (left.size === 0) over.resolve();
    };
    const reader = await read({
      name: `${options.clientId}-scan`,
      topics: [once.topic],
      ...(once.onlyLane === undefined ? {} : { onlyLane: once.onlyLane }),
      position: (_topic, lane) => once.ranges.get(lane)?.from ?? 0n,
      handle: async (batch) => {
        try {
          for (const record of batch) await take(record);
        } catch (cause) {
          left.clear();
          over.reject(cause);
        }
      },
      onDeath: over.reject,
    });
    try {
      await over.promise;
    } finally {
      await reader.close();
    }
  };

  return {
    send: sender.send,
    read,
    laneCount: admin.laneCount,
    ends: admin.ends,
    tails: async (topic) => {
      const newest: LogRecord[] = [];
      const ends = await admin.ends(topic);
      const ranges = ends.map(({ lane, low, high }) => {
        return [lane, { from: high > low ? high - 1n : high, end: high }] as const;
      });
      const visit = (record: LogRecord): void => void newest.push(record);
      await readOnce({ topic, ranges: new Map(ranges), visit });
      return newest.sort((a, b) => a.lane - b.lane);
    },
    scan: async (topic, lane, from, visit) => {
      const ends = (await admin.ends(topic)).find((each) => each.lane === lane);
      if (ends === undefined) {
        throw new ConcordatError('REQUEST_INVALID', `topic ${topic} has no lane ${String(lane)}`);
      }
      const range = { from: from > ends.low ? from : ends.low, end: ends.high };
      await readOnce({ topic, onlyLane: lane, ranges: new Map([[lane, range]]), visit });
    },
    close: async () => {
      closed = true;
      await Promise.all([...readers].map((reader) => reader.close()));
      readers.clear();
      await sender.close();
      await admin.close();
    },
  };
}

interface Once {
  readonly topic: string;
  readonly onlyLane?: number;
  /** By lane: the offsets [from, end). */
  readonly ranges: ReadonlyMap<number, { readonly from: bigint; readonly end: bigint }>;
  readonly visit: (record: LogRecord) => void | Promise<void>;
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** A promise that is settled from outside, and may be rejected before somebody waits for it. */
function deferred(): Deferred {
  let resolve: Deferred['resolve'] = () => undefined;
  let reject: Deferred['reject'] = () => undefined;
  const promise = new Promise<void>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
