import type { Admin } from 'kafkajs';
import { ConcordatError } from '../../domain/errors.js';
import { closedError } from '../log-checks.js';
import type { LaneEnds } from '../log-client.js';
import type { KafkaConnection } from './connection.js';
import { asLogError, saysNotReady } from './errors.js';

export interface LogAdmin {
  readonly laneCount: (topic: string) => Promise<number>;
  readonly ends: (topic: string) => Promise<readonly LaneEnds[]>;
  /** One call of the library's admin client, on a connection that is made when it is needed and again after a failure. */
  readonly call: <T>(doing: string, run: (admin: Admin) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/** A lane that was just made has no leader yet, and the library gives up on that answer: about 2 s of asking again. */
const NOT_READY_RETRIES = 8;
const NOT_READY_PAUSE_MS = 250;

export function openAdmin(connection: KafkaConnection): LogAdmin {
  let open: Promise<Admin> | undefined;
  let closed = false;

  const connect = async (): Promise<Admin> => {
    const admin = connection.asking.admin();
    await admin.connect();
    return admin;
  };

  const disconnect = async (): Promise<void> => {
    const closing = open;
    open = undefined;
    const admin = await closing?.catch(() => undefined);
    await admin?.disconnect().catch(() => undefined);
  };

  const call = async <T>(doing: string, run: (admin: Admin) => Promise<T>): Promise<T> => {
    for (let left = NOT_READY_RETRIES; ; left -= 1) {
      if (closed) throw closedError();
      const used = (open ??= connect());
      let wasOpen = false;
      try {
        const admin = await used;
        wasOpen = true;
        return await run(admin);
      } catch (cause) {
        // a call beside this one may have failed before and closed the connection under it
        const isCutOff = wasOpen && open !== used;
        if (open === used) void disconnect();
        const mayPass = isCutOff || saysNotReady(cause);
        if (left === 0 || !mayPass) throw asLogError(cause, doing, connection.brokers);
        await connection.clock.sleep(NOT_READY_PAUSE_MS);
      }
    }
  };

  const ends = async (topic: string): Promise<readonly LaneEnds[]> => {
    const found = await call(`ends of ${topic}`, (admin) => admin.fetchTopicOffsets(topic));
    if (found.length === 0)
      throw new ConcordatError('TOPIC_MISSING', `topic ${topic} does not exist`);
    return found
      .map(({ partition, low, high }) => ({
        lane: partition,
        low: BigInt(low),
        high: BigInt(high),
      }))
      .sort((a, b) => a.lane - b.lane);
  };

  return {
    call,
    ends,
    laneCount: async (topic) => (await ends(topic)).length,
    close: async () => {
      closed = true;
      await disconnect();
    },
  };
}
