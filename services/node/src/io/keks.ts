import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import {
  KEY_BYTES,
  NONCE_BYTES,
  aeadOpen,
  aeadSeal,
  joinSealed,
  splitSealed,
} from '@concordat/common/domain/aead.js';
import type { Random } from '@concordat/common/domain/ports.js';

/** Key-encryption keys, one file a generation, outside of every database and every backup. */
export class KekFiles {
  /** A disk may keep what was overwritten: flash does, and so do copies on write. */
  readonly level = 'BEST_EFFORT';
  readonly #dir: string;
  readonly #random: Random;
  readonly #keys = new Map<number, Uint8Array>();

  constructor(dir: string, random: Random) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#dir = dir;
    this.#random = random;
  }

  /** Makes the generation's key durable before anything is wrapped under it. */
  create(generation: number): void {
    this.#create(this.#file(generation));
  }

  /** The key of the index of subjects, made when it is first asked for: it wraps nothing. */
  subjects(): Uint8Array {
    const file = join(this.#dir, 'subjects.key');
    this.#create(file);
    return readKey(file);
  }

  #create(file: string): void {
    if (existsSync(file)) return;
    // under its name only when whole: a crash must not leave half a key that every start stumbles over
    const unfinished = `${file}.new`;
    const fd = openSync(unfinished, 'w', 0o600);
    try {
      writeSync(fd, this.#random.bytes(KEY_BYTES));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(unfinished, file);
    this.#syncDir();
  }

  #syncDir(): void {
    const dir = openSync(this.#dir, 'r');
    try {
      fsyncSync(dir);
    } finally {
      closeSync(dir);
    }
  }

  /**
   * Overwrites the generation's key, in the file and in memory, and takes the file away. Nothing that is wrapped under it
   * opens any more. What is gone already stays so.
   */
  destroy(generation: number): void {
    this.#keys.get(generation)?.fill(0);
    this.#keys.delete(generation);
    const file = this.#file(generation);
    if (!existsSync(file)) return;
    const fd = openSync(file, 'r+');
    try {
      writeSync(fd, this.#random.bytes(Math.max(KEY_BYTES, statSync(file).size)), 0, undefined, 0);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    unlinkSync(file);
    this.#syncDir();
  }

  /** Every generation that has a file; half a one, as a crash leaves it, wrapped nothing. */
  generations(): number[] {
    const found = readdirSync(this.#dir).flatMap((name) => {
      const number = /^generation-(\d+)\.key$/.exec(name)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
    return [...new Set(found)];
  }

  has(generation: number): boolean {
    return existsSync(this.#file(generation));
  }

  wrap(generation: number, key: Uint8Array, label: Uint8Array): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const secret = { key: this.#key(generation), nonce };
    return joinSealed({ nonce, ...aeadSeal(secret, key, label) });
  }

  /** @throws Error when the row was changed or belongs elsewhere: the vault is damaged */
  unwrap(generation: number, wrapped: Uint8Array, label: Uint8Array): Uint8Array {
    const key = aeadOpen(this.#key(generation), splitSealed(wrapped), label);
    if (!key) throw new Error('a wrapped key was changed or belongs elsewhere');
    return key;
  }

  #key(generation: number): Uint8Array {
    const known = this.#keys.get(generation);
    if (known) return known;
    const key = readKey(this.#file(generation));
    this.#keys.set(generation, key);
    return key;
  }

  #file(generation: number): string {
    return join(this.#dir, `generation-${String(generation)}.key`);
  }
}

function readKey(file: string): Uint8Array {
  const key = Uint8Array.from(readFileSync(file));
  if (key.length !== KEY_BYTES) throw new Error(`key file ${basename(file)} is damaged`);
  return key;
}
