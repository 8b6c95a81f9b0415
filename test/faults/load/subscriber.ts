import { setTimeout as delay } from 'node:timers/promises';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import type { NationalService } from '@concordat/common/io/rpc/definitions.js';
import { PURPOSE } from '#bench/events.js';
import type { Book } from './book.js';

const STREAM_MS_MAX = 600_000;
const AGAIN_MS = 100;
/** Of a cursor: 8 bytes name the log, 6 are the number. */
const NUMBER_AT = 8;
const NUMBER_BYTES = 6;

/** Every notice, from the beginning or after a cursor. */
export function followFrom(cursor: string) {
  return {
    ...{ purpose: PURPOSE, caseId: 'faults', category: '', includeHeld: true },
    ...{ cursor, systemId: '' },
  };
}

/** The number of the notice that a cursor stands after; only a test may look into one. */
export function numberIn(cursor: string): number {
  return Buffer.from(cursor, 'base64url').readUIntBE(NUMBER_AT, NUMBER_BYTES);
}

/** A national system of a recipient. It can be killed; what it has written down, cursor and notices, survives that. */
export class Subscriber {
  readonly name: string;
  /** how often its stream ended */
  broken = 0;
  /** events that it was ever told of */
  readonly told = new Set<string>();
  failed: unknown;
  readonly #node: ClientOf<typeof NationalService>;
  readonly #log: string;
  readonly #book: Book;
  readonly #done: Promise<void>;
  #cursor = '';
  #stream = new AbortController();
  #over = false;

  constructor(name: string, member: MemberId, node: ClientOf<typeof NationalService>, book: Book) {
    this.name = name;
    this.#node = node;
    this.#book = book;
    this.#log = `notices.${member}`;
    book.owners.set(this.#log, member);
    book.assign(this.#log, 'notices', name, 0);
    this.#done = this.#follow().catch((cause: unknown) => void (this.failed = cause));
  }

  /** As a crash: what was given and not written down yet is forgotten. */
  kill(): void {
    this.#stream.abort();
  }

  async close(): Promise<void> {
    this.#over = true;
    this.kill();
    await this.#done;
  }

  async #follow(): Promise<void> {
    while (!this.#over) {
      this.#stream = new AbortController();
      const { signal } = this.#stream;
      try {
        const options = { timeoutMs: STREAM_MS_MAX, waitForReady: true, signal };
        const notices = this.#node.subscribe(followFrom(this.#cursor), options);
        for await (const { kind, eventId, cursor } of notices) {
          if (signal.aborted) break;
          const offset = numberIn(cursor);
          this.#book.poll(this.#log, this.name, [{ offset, value: `${kind} ${eventId}` }]);
          this.#cursor = cursor;
          this.told.add(eventId);
        }
      } catch (cause) {
        if (cause instanceof ConcordatError && cause.code === 'CURSOR_INVALID') throw cause;
      }
      this.broken += 1;
      await delay(AGAIN_MS);
    }
  }
}
