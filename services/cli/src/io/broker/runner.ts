import type { BrokerWay } from '../../domain/broker-way.js';
import { repositoryPath } from '../home.js';

/** Both ways run this one script: `sh start.sh DIRECTORY JARS`. */
export const START_SCRIPT = repositoryPath('infra/kafka/start.sh');

/** Where a broker keeps its files on this machine, and the port on the loopback at which it is reached. */
export interface BrokerPlace {
  readonly directory: string;
  readonly port: number;
}

/** A way to run `start.sh`: by this machine's Java, or in a container. */
export interface BrokerRunner {
  readonly way: BrokerWay;
  /** For people, after "Apache Kafka": `in a container (Docker Compose)`. */
  readonly inWords: string;
  readonly listenOn: '127.0.0.1' | '0.0.0.0';
  /** The path by which the broker itself knows its directory. */
  seenAs(directory: string): string;
  /** Begins a life of the broker; its files are there. It ends with our process, however we end. */
  start(place: BrokerPlace): Promise<RunningBroker>;
}

/** One life of a broker. */
export interface RunningBroker {
  /** undefined when it does not run on this machine */
  readonly pid: number | undefined;
  isRunning(): Promise<boolean>;
  /** Resolves when it has ended and its port is free; SIGKILL follows a SIGTERM that does not help. Idempotent. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** How long a broker may take to stop by itself. */
export const STOP_MS_MAX = 15_000;
