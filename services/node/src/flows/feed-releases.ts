import { BoundedMap } from '@concordat/common/domain/bounded-map.js';
import type { RecordCodec, Release } from '@concordat/common/domain/records.js';

/** Decoded statements that are kept. */
const KEPT_MAX = 64;

/** What the stored feed statements of one origin release, batch by batch. */
export class FeedReleases {
  readonly #codec: RecordCodec;
  readonly #kept = new BoundedMap<number, readonly Release[]>(KEPT_MAX);

  constructor(codec: RecordCodec) {
    this.#codec = codec;
  }

  /** It need not be decoded again, for a while. */
  remember(batch: number, releases: readonly Release[]): void {
    this.#kept.set(batch, releases);
  }

  /** @param statement of this batch, signed, as received and checked */
  of(batch: number, statement: Uint8Array): readonly Release[] {
    const known = this.#kept.get(batch);
    if (known) return known;
    const signed = this.#codec.decode('Signed', statement);
    const feed = signed.ok ? this.#codec.decode('FeedStatement', signed.value.payload) : signed;
    if (!feed.ok) throw feed.error;
    this.remember(batch, feed.value.releases);
    return feed.value.releases;
  }

  forget(batch: number): void {
    this.#kept.delete(batch);
  }
}
