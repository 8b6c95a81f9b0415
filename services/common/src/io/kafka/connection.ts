import { connect } from 'node:net';
import kafkajs, {
  type ISocketFactory,
  type Kafka,
  type LogEntry,
  type RetryOptions,
  type logLevel,
} from 'kafkajs';
import type { Clock, Random } from '../../domain/ports.js';
import { refuseCompression } from './codecs.js';
import { quietRequestQueues } from './request-queue.js';

/** Takes what the client library has to say; the text has no content and no time stamp. */
export type LogLine = (level: 'error' | 'warn', text: string) => void;

export interface KafkaOptions {
  /** `host:port` of one or more brokers. */
  readonly brokers: readonly string[];
  /** Names us to the broker, `node-de`. */
  readonly clientId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: silent. */
  readonly log?: LogLine;
}

export interface KafkaConnection extends KafkaOptions {
  /** For reading and writing. */
  readonly kafka: Kafka;
  /** For questions: answers or gives up soon. */
  readonly asking: Kafka;
}

export const CONNECT_MS_MAX = 3_000;
export const REQUEST_MS_MAX = 10_000;
/** In all about 9 s of trying, which outlasts the restart of a broker. */
export const RETRY = {
  initialRetryTime: 100,
  factor: 0.2,
  multiplier: 2,
  maxRetryTime: 2_000,
  retries: 8,
} as const;

/** In all about 1.5 s: a topic that is not there is no reason to wait for long. */
const ASK_RETRY = { ...RETRY, retries: 4 } as const;

/** We end a producer after any failure, so bounded retries are safe: the next one has a new producer id. */
const EXPECTED = 'Limiting retries for the idempotent producer';

export function connectKafka(options: KafkaOptions): KafkaConnection {
  refuseCompression();
  quietRequestQueues();
  const { log } = options;
  const creator =
    () =>
    ({ level, namespace, log: entry }: LogEntry): void => {
      if (entry.message.includes(EXPECTED)) return;
      log?.(isError(level) ? 'error' : 'warn', `${namespace}: ${entry.message}`);
    };
  const open = (retry: RetryOptions): Kafka =>
    new kafkajs.Kafka({
      brokers: [...options.brokers],
      clientId: options.clientId,
      connectionTimeout: CONNECT_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      retry,
      logLevel: log === undefined ? kafkajs.logLevel.NOTHING : kafkajs.logLevel.WARN,
      logCreator: creator,
      socketFactory: plainSocket,
    });
  return { ...options, kafka: open(RETRY), asking: open(ASK_RETRY) };
}

/** The library's own keeps the end of a large request back until its beginning is acknowledged (Nagle), up to 40 ms. */
const plainSocket: ISocketFactory = ({ host, port, onConnect }) =>
  connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, onConnect);

function isError(level: logLevel): boolean {
  return level === kafkajs.logLevel.ERROR;
}
