import { lengthPrefixed, utf8 } from '@concordat/common/domain/bytes.js';
import type { UnixMs } from '@concordat/common/domain/ids.js';
import type { Opening, Release, SealedSection } from '@concordat/common/domain/records.js';
import { fromSortable, sortable } from '@concordat/common/io/store/packed.js';

/** Terms of a release without its hashes, as kept beside a row. */
export type StoredRelease = Omit<Release, 'headerHash' | 'block' | 'id'> & {
  readonly block: { readonly lane: number; readonly epoch: number; readonly number: number };
};

/** What is kept of one event beside its key in the store: as it travelled, so that it stays evidence. */
export interface EventBody {
  readonly category: string;
  readonly header: Uint8Array;
  /** own events only: what the release decision needs */
  readonly audience?: Opening;
  /** received events only */
  readonly release?: StoredRelease;
  readonly sections: readonly SealedSection[];
}

/** Names of sections and purposes hold no blanks. */
const BETWEEN = ' ';
const NOTHING = new Uint8Array();

/**
 * One blob for each event, since a row's cost is in its number of values. Parts behind their lengths: category, header,
 * salt and value of the audience, terms, then name and ciphertext of each section. Bytes, not text: a time in decimal
 * text could be taken for a document's number.
 */
export function encodeBody({
  category,
  header,
  audience,
  release,
  sections,
}: EventBody): Uint8Array {
  return lengthPrefixed(
    utf8(category),
    header,
    audience?.salt ?? NOTHING,
    audience?.value ?? NOTHING,
    release ? encodeTerms(release) : NOTHING,
    ...sections.flatMap(({ name, sealed }) => [utf8(name), sealed]),
  );
}

/** @throws TypeError when the store is damaged */
export function decodeBody(bytes: Uint8Array): EventBody {
  const [category, header, salt, value, terms, ...rest] = partsOf(bytes);
  if (!category || !header || !salt || !value || !terms) throw damaged();
  const sections: SealedSection[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    const [name, sealed] = [rest[at], rest[at + 1]];
    if (!name || !sealed) throw damaged();
    sections.push({ name: text(name), sealed });
  }
  return {
    category: text(category),
    header,
    ...(salt.length > 0 && { audience: { salt: salt as Opening['salt'], value } }),
    ...(terms.length > 0 && { release: decodeTerms(terms) }),
    sections,
  };
}

function encodeTerms(release: StoredRelease): Uint8Array {
  const { block } = release;
  return lengthPrefixed(
    utf8(release.agreementId),
    utf8(release.consentId),
    utf8(release.sections.join(BETWEEN)),
    utf8(release.purposes.join(BETWEEN)),
    ...[release.agreementVersion, release.deleteByMs, release.onward ? 1 : 0].map(sortable),
    ...[block.lane, block.epoch, block.number, release.leaf].map(sortable),
    sortable(release.custody === 'leased' ? 1 : 0),
  );
}

function decodeTerms(bytes: Uint8Array): StoredRelease {
  const [agreement, consent, sections, purposes, ...numbers] = partsOf(bytes);
  const [version, deleteBy, onward, lane, epoch, number, leaf, leased] = numbers.map(fromSortable);
  if (!agreement || !consent || !sections || !purposes || leaf === undefined) throw damaged();
  return {
    agreementId: text(agreement),
    agreementVersion: version ?? 0,
    consentId: text(consent),
    sections: namesOf(sections),
    purposes: namesOf(purposes),
    deleteByMs: (deleteBy ?? 0) as UnixMs,
    onward: onward === 1,
    block: { lane: lane ?? 0, epoch: epoch ?? 0, number: number ?? 0 },
    leaf,
    // what was stored before there were leases says nothing of them
    custody: leased === 1 ? 'leased' : 'held',
  };
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const from = at + 4;
    if (from > bytes.length) throw damaged();
    at = from + view.getUint32(at);
    if (at > bytes.length) throw damaged();
    parts.push(bytes.subarray(from, at));
  }
  return parts;
}

/** `''.split` would make a name of nothing, and nothing then a purpose. */
function namesOf(bytes: Uint8Array): string[] {
  return text(bytes)
    .split(BETWEEN)
    .filter((name) => name !== '');
}

const decoder = new TextDecoder();

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function damaged(): TypeError {
  return new TypeError('a body in the data store is damaged');
}
