import { bytesKey, equalBytes } from '@concordat/common/domain/bytes.js';
import type { EventId, Hash, MemberId } from '@concordat/common/domain/ids.js';
import { type Cover, meets, takesSection } from '@concordat/common/domain/purge-order.js';
import type {
  DerivedFrom,
  Audience,
  Header,
  PurgeEntry,
  Receipt,
  RecordCodec,
  Release,
  SealRecord,
} from '@concordat/common/domain/records.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import {
  type KeyDirectory,
  type Verified,
  kindOfStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { type EventKey, keyOf } from './holdings.js';

/** What the envelopes on an origin's topic of events say. */
export interface Published {
  readonly key: EventKey;
  readonly header: Header;
  readonly audience: Audience;
  readonly parents: readonly EventKey[];
  /** some bytes of each section's ciphertext */
  readonly pieces: ReadonlyMap<string, Uint8Array>;
  readonly atMs: number;
}

export interface Sealed {
  readonly record: SealRecord;
  /** the step of the commit */
  readonly step: number;
  readonly atMs: number;
}

export interface Entered {
  readonly entry: PurgeEntry;
  readonly hash: Hash;
  readonly step: number;
  readonly atMs: number;
}

const PIECE = { from: 40, to: 64 };

/** What the members signed, as it came: read once, with their own keys, and never forgotten. */
export class Papers {
  readonly published = new Map<EventKey, Published>();
  /** every seal of every origin that takes something of an event */
  readonly sealsOf = new Map<EventKey, Sealed[]>();
  readonly seals: Sealed[] = [];
  /** by hash */
  readonly entries = new Map<string, Entered>();
  /** the entries that name an event */
  readonly entriesOf = new Map<EventKey, Entered[]>();
  /** by its signature, as the receipts */
  readonly #releases = new Map<string, readonly Release[]>();
  readonly #receipts = new Map<string, Verified<'Receipt'>>();
  readonly #codec: RecordCodec;
  readonly #keys: KeyDirectory;

  constructor(codec: RecordCodec, keys: KeyDirectory) {
    this.#codec = codec;
    this.#keys = keys;
  }

  /** @returns what was not here before */
  addBlock(value: Uint8Array, atMs: number): readonly Published[] {
    const block = this.#codec.decode('Block', value);
    if (!block.ok) return []; // somebody forges
    const codec = this.#codec;
    const found = block.value.envelopes.flatMap(
      ({ header: bytes, audience, derivedFrom, sections }) => {
        const header = parseHeader(codec, bytes);
        if (!header.ok) return [];
        const meant = audience && codec.decode('Audience', audience.value);
        const from = derivedFrom && codec.decode('DerivedFrom', derivedFrom.value);
        const pieces = sections.map(
          ({ name, sealed }) => [name, sealed.slice(PIECE.from, PIECE.to)] as const,
        );
        const key = keyOf(header.value.origin, header.value.id);
        const nobody: Audience = { byAgreement: false, members: [] };
        const parents: DerivedFrom['parents'] = from?.ok === true ? from.value.parents : [];
        return {
          ...{ key, header: header.value, pieces: new Map(pieces), atMs },
          audience: meant?.ok === true ? meant.value : nobody,
          parents: parents.map(({ origin, id }) => keyOf(origin, id)),
        };
      },
    );
    const added = found.filter(({ key }) => !this.published.has(key));
    for (const one of added) this.published.set(one.key, one);
    return added;
  }

  addSeal(
    origin: MemberId,
    bytes: Uint8Array,
    now: Pick<Sealed, 'step' | 'atMs'>,
  ): Sealed | undefined {
    const read = verifyStatement(this.#codec, this.#keys, 'SealRecord', bytes, { signer: origin });
    if (!read.ok) return undefined;
    const record = read.value.value;
    if (this.seals.some((one) => one.record.orderId === record.orderId)) return undefined;
    const sealed = { record, ...now };
    this.seals.push(sealed);
    for (const id of record.ids) append(this.sealsOf, keyOf(origin, id), sealed);
    return sealed;
  }

  addEntry(
    origin: MemberId,
    bytes: Uint8Array,
    now: Pick<Sealed, 'step' | 'atMs'>,
  ): Entered | undefined {
    const read = verifyStatement(this.#codec, this.#keys, 'PurgeEntry', bytes, { signer: origin });
    if (!read.ok) return undefined;
    const { value: entry, hash } = read.value;
    if (this.entries.has(bytesKey(hash))) return undefined;
    const entered = { entry, hash, ...now };
    this.entries.set(bytesKey(hash), entered);
    for (const id of entry.ids) append(this.entriesOf, keyOf(origin, id), entered);
    return entered;
  }

  entryOf({ entryHash }: Pick<Receipt, 'entryHash'>): Entered | undefined {
    return this.entries.get(bytesKey(entryHash));
  }

  /** @returns undefined for what is no receipt of this holder, media statements among them */
  receipt(holder: MemberId, bytes: Uint8Array): Verified<'Receipt'> | undefined {
    const signature = signatureIn(bytes);
    const known = this.#receipts.get(signature);
    if (known && equalBytes(known.bytes, bytes)) return known;
    if (kindOfStatement(this.#codec, ['Receipt'], bytes) === undefined) return undefined;
    const read = verifyStatement(this.#codec, this.#keys, 'Receipt', bytes, { signer: holder });
    if (!read.ok) return undefined;
    this.#receipts.set(signature, read.value);
    return read.value;
  }

  /** The releases of a feed statement, in order. */
  releasesOf(origin: MemberId, statement: Uint8Array): readonly Release[] {
    const signature = signatureIn(statement);
    const known = this.#releases.get(signature);
    if (known) return known;
    const read = verifyStatement(this.#codec, this.#keys, 'FeedStatement', statement, {
      signer: origin,
    });
    const releases = read.ok ? read.value.value.releases : [];
    this.#releases.set(signature, releases);
    return releases;
  }

  /** The number of the head that a freshness answer names. */
  headIn(origin: MemberId, answer: Uint8Array): number | undefined {
    const read = verifyStatement(this.#codec, this.#keys, 'FreshnessAnswer', answer, {
      signer: origin,
    });
    return read.ok ? read.value.value.head : undefined;
  }

  /** The seals that take this section of the event from this member. */
  takenFrom(event: EventKey, recipient: MemberId, section: string): readonly Sealed[] {
    const seals = this.sealsOf.get(event) ?? [];
    return seals.filter(({ record }) => takes(record, { recipient, section }));
  }
}

/** The signature stands last in a signed statement. */
const SIGNATURE_BYTES = 64;

function signatureIn(signed: Uint8Array): string {
  return bytesKey(signed.subarray(-SIGNATURE_BYTES));
}

/** Does a cover take this section from this member? The origin itself loses what is taken from everybody, whole. */
export function takes(
  cover: Cover & Pick<SealRecord, 'origin'>,
  { recipient, section }: { readonly recipient: MemberId; readonly section: string },
): boolean {
  if (recipient === cover.origin) return cover.recipients.length + cover.sections.length === 0;
  return takesSection(cover, section) && meets(cover, { recipient, sections: [section] });
}

/** Does an entry of this origin to this member name the event? */
export function names({ entry }: Entered, recipient: MemberId, id: EventId): boolean {
  return entry.recipient === recipient && entry.ids.includes(id);
}

function append<Key, T>(map: Map<Key, T[]>, key: Key, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
