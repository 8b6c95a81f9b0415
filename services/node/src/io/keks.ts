import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes } from '@concordat/common/domain/bytes.js';
import type { Random } from '@concordat/common/domain/ports.js';

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;

/** Key-encryption keys, one file a generation, outside of every database and every backup. */
export class KekFiles {
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
    const file = this.#file(generation);
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
    const dir = openSync(this.#dir, 'r');
    try {
      fsyncSync(dir);
    } finally {
      closeSync(dir);
    }
  }

  wrap(generation: number, key: Uint8Array, label: Uint8Array): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key(generation), nonce, {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(label);
    return concatBytes(nonce, cipher.update(key), cipher.final(), cipher.getAuthTag());
  }

  /** @throws Error when the row was changed or belongs elsewhere: the vault is damaged */
  unwrap(generation: number, wrapped: Uint8Array, label: Uint8Array): Uint8Array {
    const nonce = wrapped.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key(generation), nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(label);
    decipher.setAuthTag(wrapped.subarray(wrapped.length - TAG_BYTES));
    const body = wrapped.subarray(NONCE_BYTES, wrapped.length - TAG_BYTES);
    return concatBytes(decipher.update(body), decipher.final());
  }

  #key(generation: number): Uint8Array {
    const known = this.#keys.get(generation);
    if (known) return known;
    const key = Uint8Array.from(readFileSync(this.#file(generation)));
    if (key.length !== KEY_BYTES)
      throw new Error(`key file of generation ${String(generation)} is damaged`);
    this.#keys.set(generation, key);
    return key;
  }

  #file(generation: number): string {
    return join(this.#dir, `generation-${String(generation)}.key`);
  }
}
