import { type KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { bytesKey, concatBytes } from '@concordat/common/domain/bytes.js';

/** Two subjects of 2^64 share a tag this long, and its holder could still not tell whose it is. */
const TAG_BYTES = 16;
const LABEL = 'concordat subject v1\n';

/**
 * Whom own events are about, as HMAC-SHA-256 under a key of the vault's own. Tags are wrapped together with the event's
 * keys: they go with them, and are as unreadable as they once the key is destroyed that had wrapped both.
 */
export class SubjectTags {
  readonly #readKey: () => Uint8Array;
  #key: KeyObject | undefined;

  /** @param readKey called once, when the first subject comes */
  constructor(readKey: () => Uint8Array) {
    this.#readKey = readKey;
  }

  /** @param subjects in the spelling of `domain/subjects.ts` */
  join(subjects: readonly string[]): Uint8Array {
    return concatBytes(...subjects.map((one) => this.#tag(one)));
  }

  /** Tells whether joined tags have one of these subjects. */
  finder(subjects: readonly string[]): (joined: Uint8Array) => boolean {
    const wanted = new Set(subjects.map((one) => bytesKey(this.#tag(one))));
    return (joined) => {
      for (let at = 0; at < joined.length; at += TAG_BYTES) {
        if (wanted.has(bytesKey(joined.subarray(at, at + TAG_BYTES)))) return true;
      }
      return false;
    };
  }

  #tag(subject: string): Uint8Array {
    this.#key ??= createSecretKey(this.#readKey());
    const hmac = createHmac('sha256', this.#key).update(LABEL).update(subject, 'utf8');
    return Uint8Array.from(hmac.digest().subarray(0, TAG_BYTES));
  }
}
