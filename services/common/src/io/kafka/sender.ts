import type { Producer, RecordMetadata } from 'kafkajs';
import { ConcordatError } from '../../domain/errors.js';
import { allElseDone } from '../all-else-done.js';
import type { LogClient, OutgoingRecord } from '../log-client.js';
import { checkSend, closedError } from '../log-checks.js';
import type { LogAdmin } from './admin.js';
import { type KafkaConnection, REQUEST_MS_MAX, RETRY } from './connection.js';
import { asLogError, isProtocolError } from './errors.js';

/** Lanes that may share one request to the broker. */
const REQUEST_SENDS_MAX = 64;

interface Waiting {
  readonly topic: string;
  readonly lane: number;
  readonly records: readonly OutgoingRecord[];
  readonly resolve: (answer: { readonly baseOffset: bigint }) => void;
  readonly reject: (cause: ConcordatError) => void;
}

export interface Sender {
  readonly send: LogClient['send'];
  close(): Promise<void>;
}

/**
 * One request at a time, carrying whatever lanes wait by then: load makes large requests. After a failure the producer is
 * ended: its next sequence number would be the failed one's, and the broker would take other bytes for a repetition of it.
 */
export function openSender(connection: KafkaConnection, admin: LogAdmin): Sender {
  const waiting: Waiting[] = [];
  const lanesOf = new Map<string, number>();
  let producer: Producer | undefined;
  let draining: Promise<void> | undefined;
  let closed = false;

  const connected = async (): Promise<Producer> => {
    if (producer !== undefined) return producer;
    const made = connection.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: RETRY,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    try {
      await made.connect();
    } catch (cause) {
      await made.disconnect().catch(() => undefined);
      throw cause;
    }
    producer = made;
    return made;
  };

  const retire = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    lanesOf.clear();
    await old?.disconnect().catch(() => undefined);
  };

  const request = async (sends: readonly Waiting[]): Promise<void> => {
    const answers = await (
      await connected()
    ).sendBatch({
      acks: -1,
      timeout: REQUEST_MS_MAX,
      topicMessages: sends.map(({ topic, lane, records }) => ({
        topic,
        messages: records.map(({ key = null, value, headers }) => ({
          key,
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          partition: lane,
          ...(headers ? { headers: { ...headers } } : {}),
        })),
      })),
    });
    for (const each of sends) each.resolve({ baseOffset: baseOffset(answers, each) });
  };

  const carry = async (sends: readonly Waiting[]): Promise<void> => {
    try {
      await request(sends);
    } catch (cause) {
      await retire();
      if (sends.length > 1 && isProtocolError(cause)) {
        for (const each of sends) await carry([each]); // the broker refused one of them: find out which
        return;
      }
      for (const each of sends) {
        const doing = `send to ${each.topic} lane ${String(each.lane)}`;
        fail(each, asLogError(cause, doing, connection.brokers));
      }
    }
  };

  /** What waits behind it in its lane must not overtake it: the caller sends all of them again, in order. */
  const fail = (failed: Waiting, cause: ConcordatError): void => {
    failed.reject(cause);
    for (const behind of takeLane(waiting, failed)) {
      const text = `not sent, for the send before it failed: ${cause.message}`;
      behind.reject(new ConcordatError('BROKER_UNAVAILABLE', text, { cause }));
    }
  };

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      await allElseDone(); // what one commit wrote, and what follows one answer, is sent together
      const sends = await valid(takeDistinctLanes(waiting));
      if (sends.length > 0) await carry(sends);
    }
    draining = undefined;
  };

  /** Those whose lane exists; the others are told so and hold up nobody. */
  const valid = async (sends: readonly Waiting[]): Promise<readonly Waiting[]> => {
    const good: Waiting[] = [];
    for (const each of sends) {
      try {
        await checkLane(each);
        good.push(each);
      } catch (cause) {
        fail(each, asLogError(cause, `send to ${each.topic}`, connection.brokers));
      }
    }
    return good;
  };

  const checkLane = async ({ topic, lane }: Waiting): Promise<void> => {
    const lanes = lanesOf.get(topic) ?? (await admin.laneCount(topic));
    lanesOf.set(topic, lanes);
    if (lane < lanes) return;
    const text = `topic ${topic} has ${String(lanes)} lanes, none numbered ${String(lane)}`;
    throw new ConcordatError('REQUEST_INVALID', text);
  };

  return {
    send: async (topic, lane, records) => {
      checkSend(topic, records);
      if (closed) throw closedError();
      return new Promise((resolve, reject) => {
        waiting.push({ topic, lane, records, resolve, reject });
        draining ??= drain();
      });
    },
    close: async () => {
      closed = true;
      await draining;
      await retire();
    },
  };
}

/** Takes the sends that may travel together: at most one of each lane, in the order in which they came. */
function takeDistinctLanes(waiting: Waiting[]): readonly Waiting[] {
  const lanes = new Set<string>();
  const taken: Waiting[] = [];
  const left: Waiting[] = [];
  for (const each of waiting) {
    const key = `${each.topic}/${String(each.lane)}`;
    const takes = !lanes.has(key) && taken.length < REQUEST_SENDS_MAX;
    lanes.add(key);
    (takes ? taken : left).push(each);
  }
  waiting.splice(0, waiting.length, ...left);
  return taken;
}

/** Takes out all that wait for the lane of `at`. */
function takeLane(waiting: Waiting[], at: Waiting): readonly Waiting[] {
  const same = ({ topic, lane }: Waiting): boolean => topic === at.topic && lane === at.lane;
  const taken = waiting.filter(same);
  waiting.splice(0, waiting.length, ...waiting.filter((each) => !same(each)));
  return taken;
}

function baseOffset(answers: readonly RecordMetadata[], { topic, lane }: Waiting): bigint {
  const answer = answers.find((each) => each.topicName === topic && each.partition === lane);
  if (answer?.baseOffset === undefined) {
    throw new ConcordatError('BROKER_UNAVAILABLE', `no offset for ${topic} lane ${String(lane)}`);
  }
  return BigInt(answer.baseOffset);
}
