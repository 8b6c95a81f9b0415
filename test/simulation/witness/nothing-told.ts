import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import type { AnsweredCall } from '../world/connections.js';
import { type Scene, violate } from './scene.js';
import type { Witness } from './witness.js';

/** What the generated contents of all categories say somewhere, see `synthetic/generate.ts`. */
const MARKS = ['An invented', 'Synthetic '].map((text) => Buffer.from(text));
/** So much of a key is enough to know it by. */
const KEY_PIECE_BYTES = 16;
const PREFIX_BYTES = 4;
const FILTER_BITS = 18;

/** S12: what the broker keeps and what is logged tells no content and no key. */
export class NothingTold implements Witness {
  readonly name = 'nothing is told that is content or a key';
  readonly #scene: Scene;
  readonly #records: () => Iterable<LogRecord>;
  readonly #logged: () => readonly string[];
  /** by the number that their first bytes make */
  readonly #keys = new Map<number, Buffer[]>();
  readonly #filter = new Uint8Array(1 << FILTER_BITS);

  /** @param told everything that the broker has now, and every line that was logged */
  constructor(
    scene: Scene,
    told: { readonly records: () => Iterable<LogRecord>; readonly logged: () => readonly string[] },
  ) {
    this.#scene = scene;
    this.#records = told.records;
    this.#logged = told.logged;
  }

  answered({ method, outcome, answer }: AnsweredCall): void {
    if (method !== 'KeyService.keyRelease' || outcome !== 'answered') return;
    for (const { released } of (answer as concordat.node.v1.KeyReleaseResponse).answers) {
      for (const { key } of released?.keys ?? []) this.#add(Buffer.from(key));
    }
  }

  async healed(): Promise<void> {
    for (const { topic, value, headers } of this.#records()) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
      const said = Buffer.from(JSON.stringify(headers));
      if (MARKS.some((mark) => bytes.includes(mark) || said.includes(mark))) {
        violate(this.#scene, 'S12', 'the broker', `has content on ${topic}`);
      }
      if (this.#hasKey(bytes)) violate(this.#scene, 'S12', 'the broker', `has a key on ${topic}`);
    }
    for (const line of this.#logged()) {
      if (!MARKS.some((mark) => line.includes(mark.toString()))) continue;
      violate(this.#scene, 'S12', 'a log', `has content: ${line.slice(0, 40)}`);
    }
  }

  #add(key: Buffer): void {
    const prefix = key.readInt32BE();
    const alike = this.#keys.get(prefix) ?? [];
    this.#keys.set(prefix, alike);
    const piece = key.subarray(0, KEY_PIECE_BYTES);
    if (!alike.some((one) => one.equals(piece))) alike.push(piece);
    this.#filter[slotOf(prefix)] = 1;
  }

  #hasKey(bytes: Buffer): boolean {
    const filter = this.#filter;
    let prefix = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      prefix = (prefix << 8) | (bytes[at] ?? 0);
      if (filter[slotOf(prefix)] === 0 || at < PREFIX_BYTES - 1) continue;
      const from = at - PREFIX_BYTES + 1;
      const alike = this.#keys.get(prefix) ?? [];
      if (alike.some((key) => bytes.subarray(from, from + key.length).equals(key))) return true;
    }
    return false;
  }
}

function slotOf(prefix: number): number {
  return Math.imul(prefix, 0x9e37_79b1) >>> (32 - FILTER_BITS);
}
