import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import type { LogClient, LogRecord } from '@concordat/common/io/log-client.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { FINAL } from '../checker/history.js';
import type { Book } from './book.js';

const AGAIN_MS = 500;
const DIGEST_CHARACTERS = 16;

/** Names of the logs of lanes; a topic that was made anew has other logs than the one before. */
export class Generations {
  readonly #of = new Map<string, number>();

  next(topic: string): void {
    this.#of.set(topic, (this.#of.get(topic) ?? 0) + 1);
  }

  name(topic: string, lane: number): string {
    const generation = this.#of.get(topic) ?? 0;
    return `${topic}/${String(lane)}${generation === 0 ? '' : ` (${String(generation)})`}`;
  }
}

function digestOf({ value }: LogRecord): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, DIGEST_CHARACTERS);
}

function valuesOf(records: readonly LogRecord[]): { offset: number; value: string }[] {
  return records.map((record) => ({ offset: Number(record.offset), value: digestOf(record) }));
}

export function openLog(brokers: readonly string[], clientId: string): LogClient {
  return kafkaLogClient({ brokers, clientId, clock: systemClock, random: systemRandom });
}

/** Reads topics by the adapter that the services use, as they do: own positions, begun again by whoever runs it when it dies. */
export class LaneReader {
  deaths = 0;
  readonly #positions = new Map<string, bigint>();
  /** lanes whose next batch says where they begin */
  readonly #fresh = new Set<string>();
  readonly #done: Promise<void>;
  readonly #over = new AbortController();

  constructor(
    name: string,
    about: {
      readonly topics: readonly string[];
      readonly brokers: readonly string[];
      readonly book: Book;
      readonly generations: Generations;
    },
  ) {
    this.#done = this.#follow(name, about);
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#done;
  }

  async #follow(name: string, about: ConstructorParameters<typeof LaneReader>[1]): Promise<void> {
    const { topics, brokers, book, generations } = about;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const log = openLog(brokers, name);
      try {
        const died = new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
          log
            .read({
              ...{ name, topics },
              position: (topic, lane) => {
                const key = generations.name(topic, lane);
                const next = this.#positions.get(key) ?? 0n;
                if (next === 0n) this.#fresh.add(key);
                else book.assign(key, 'lane', name, Number(next) - 1);
                return next;
              },
              handle: async (records) => {
                const [first] = records;
                const last = records.at(-1);
                if (!first || !last) return;
                const key = generations.name(first.topic, first.lane);
                if (this.#fresh.delete(key) || !this.#positions.has(key)) {
                  book.assign(key, 'lane', name, Number(first.offset) - 1);
                }
                book.poll(key, name, valuesOf(records));
                this.#positions.set(key, last.offset + 1n);
              },
              onRestart: (topic, lane) => this.#positions.delete(generations.name(topic, lane)),
              onDeath: () => resolve(),
            })
            .catch(() => resolve());
        });
        await died;
      } finally {
        await log.close();
      }
      this.deaths += 1;
      await delay(AGAIN_MS);
    }
  }
}

/** Reads everything that is there once more. */
export async function readToTheEnd(
  topics: readonly string[],
  brokers: readonly string[],
  book: Book,
  generations: Generations,
): Promise<void> {
  const log = openLog(brokers, FINAL);
  try {
    const open = new Map<string, bigint>();
    for (const topic of topics) {
      for (const { lane, low, high } of await log.ends(topic)) {
        const key = generations.name(topic, lane);
        book.assign(key, 'lane', FINAL, Number(low) - 1);
        if (high > low) open.set(key, high);
      }
    }
    if (open.size === 0) return;
    await new Promise<void>((resolve, reject) => {
      const handle = async (records: readonly LogRecord[]): Promise<void> => {
        const [last] = records.slice(-1);
        if (!last) return;
        const key = generations.name(last.topic, last.lane);
        book.poll(key, FINAL, valuesOf(records));
        if (last.offset + 1n >= (open.get(key) ?? 0n)) open.delete(key);
        if (open.size === 0) resolve();
      };
      const options = { name: FINAL, topics, position: () => 0n, handle, onDeath: reject };
      log.read(options).catch(reject);
    });
  } finally {
    await log.close();
  }
}
