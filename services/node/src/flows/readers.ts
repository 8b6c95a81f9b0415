import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Replayable } from '@concordat/common/io/chain/quarantine-service.js';
import type { LogClient, LogReader, LogRecord } from '@concordat/common/io/log-client.js';
import type { Logger } from '@concordat/common/io/logger.js';

/** One topic that is read, and what takes its records. */
export interface TopicFlow extends Replayable {
  /** call after every commit: what follows from it */
  settle(): void | Promise<void>;
  handle(batch: readonly LogRecord[]): Promise<void>;
  /** ends the waiting of `handle` */
  close(): void;
}

/** A reader for each group of topics, so that a purge never waits behind data. */
export class Readers {
  readonly #groups: ReadonlyMap<string, readonly TopicFlow[]>;
  readonly #ports: {
    readonly log: LogClient;
    readonly logger: Logger;
    readonly onDeath: (cause: Error) => void;
  };
  #open: LogReader[] = [];
  #reopening: Promise<void> | undefined;
  #closed = false;

  /** @param groups reader's name to the topics that it reads */
  constructor(
    groups: ReadonlyMap<string, readonly TopicFlow[]>,
    ports: {
      readonly log: LogClient;
      readonly logger: Logger;
      readonly onDeath: (cause: Error) => void;
    },
  ) {
    this.#groups = groups;
    this.#ports = ports;
  }

  async open(): Promise<void> {
    for (const [name, flows] of this.#groups) {
      if (flows.length > 0) this.#open.push(await this.#read(name, flows));
    }
  }

  /** Stops reading, lets `change` the positions, and reads on from there; a second call waits for the first one's end. */
  reopen(change: () => void): Promise<void> {
    const before = this.#reopening ?? Promise.resolve();
    this.#reopening = before.then(() => this.#reopenNow(change));
    return this.#reopening;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const flow of this.#flows()) flow.close();
    await this.#reopening?.catch(() => undefined);
    await this.#closeOpen();
  }

  async #reopenNow(change: () => void): Promise<void> {
    if (this.#closed) {
      throw new ConcordatError('PEER_UNAVAILABLE', 'expected a node that runs, this one stops');
    }
    try {
      await this.#closeOpen();
      for (const flow of this.#flows()) flow.followed.forget();
      change();
      await this.open();
    } catch (cause) {
      // a node that reads nothing must not look alive
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#ports.onDeath(error);
      throw error;
    }
  }

  async #closeOpen(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    await Promise.all(open.map((reader) => reader.close()));
  }

  #flows(): TopicFlow[] {
    return [...this.#groups.values()].flat();
  }

  #read(name: string, flows: readonly TopicFlow[]): Promise<LogReader> {
    const byTopic = new Map(flows.map((flow) => [flow.followed.topic, flow]));
    const flowOf = (topic: string): TopicFlow => {
      const flow = byTopic.get(topic);
      if (!flow) throw new TypeError(`nobody reads ${topic}`);
      return flow;
    };
    const { log, logger, onDeath } = this.#ports;
    return log.read({
      name,
      topics: [...byTopic.keys()],
      position: (topic, lane) => flowOf(topic).followed.position(lane),
      handle: async (batch) => {
        const topic = batch[0]?.topic;
        if (topic !== undefined) await flowOf(topic).handle(batch);
      },
      onRestart: (topic, lane, error) => flowOf(topic).followed.restarted(lane, error),
      onDeath,
      onRetry: ({ topic, lane }, attempt, error) =>
        logger.warn('reading again', { topic, lane, attempt, error }),
    });
  }
}
