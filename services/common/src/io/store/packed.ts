import { concatBytes, outsideOfHeap } from '../../domain/bytes.js';
import { type EventId, type MemberId, writeId } from '../../domain/ids.js';
import { PACKED_MAX, type Row, numberOf } from './sqlite.js';

/**
 * Many rows of equal width in one blob, which SQLite takes apart itself: one statement for a block of events, where
 * binding and running one for each would cost more than everything else that happens to an event.
 *
 *     SELECT nth.i FROM nth JOIN tombstone ON id = ${idAt(1)} WHERE nth.i < ?2
 */
export function packIds(ids: readonly (EventId | null)[]): Uint8Array {
  const bytes = outsideOfHeap(ids.length * 16);
  let at = 0;
  for (const id of ids) {
    if (id !== null) writeId(id, bytes, at);
    at += 16;
  }
  return bytes;
}

/** SQL for the i-th id in the packed parameter `?param`. */
export function idAt(param: number): string {
  return `substr(?${String(param)}, nth.i * 16 + 1, 16)`;
}

/** SQL for the i-th id in `?param`, NULL where none was packed: a UUIDv7 is never all zeros. */
export function optionalIdAt(param: number): string {
  return `nullif(${idAt(param)}, zeroblob(16))`;
}

/** SQL for the set of ids in `?param`, of which there are `?count`. */
export function idsIn(param: number, count: number): string {
  return `(SELECT ${idAt(param)} FROM nth WHERE nth.i < ?${String(count)})`;
}

/** Numbers as `sortable` has them, side by side. */
export function packNumbers(values: readonly number[]): Uint8Array {
  const bytes = outsideOfHeap(values.length * NUMBER_BYTES);
  let at = 0;
  for (const value of values) {
    writeSortable(value, bytes, at);
    at += NUMBER_BYTES;
  }
  return bytes;
}

/** SQL for the i-th number in `?param`. */
export function numberAt(param: number): string {
  return `substr(?${String(param)}, nth.i * 8 + 1, 8)`;
}

/** Rows of `width` bytes each, side by side. */
export function packRows(rows: readonly Uint8Array[], width: number): Uint8Array {
  const bytes = outsideOfHeap(rows.length * width);
  for (const [at, row] of rows.entries()) {
    if (row.length !== width) throw new TypeError('packed rows are of one width');
    bytes.set(row, at * width);
  }
  return bytes;
}

/** Lengths are below 2^20, and so many of them side by side below 2^32. */
const LENGTH_BITS = 20;

/** Blobs of any length, side by side, and where each stands: two parameters for `blobsIn`. */
export function packBlobs(
  blobs: readonly Uint8Array[],
): readonly [bytes: Uint8Array, spans: string] {
  const spans: number[] = [];
  let length = 0;
  for (const blob of blobs) {
    if (blob.length >= 2 ** LENGTH_BITS) throw new TypeError('a packed blob is below a mebibyte');
    spans.push(length * 2 ** LENGTH_BITS + blob.length);
    length += blob.length;
  }
  return [concatBytes(...blobs), JSON.stringify(spans)];
}

/** SQL for the table `span` of packed blobs: its `key` counts them from 0. */
export function blobsIn(spans: number): string {
  return `json_each(?${String(spans)}) AS span`;
}

/** SQL for the blob of the row of `span`, in the packed parameter `?bytes`. */
export function blobAt(bytes: number): string {
  const [from, length] = [
    `span.value >> ${String(LENGTH_BITS)}`,
    `span.value & ${String(2 ** LENGTH_BITS - 1)}`,
  ];
  return `substr(?${String(bytes)}, (${from}) + 1, ${length})`;
}

const NUMBER_BYTES = 8;

/** Eight bytes, big-endian: they sort as the numbers do. For whole numbers from 0 to 2^53. */
export function sortable(value: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  writeSortable(value, bytes, 0);
  return bytes;
}

function writeSortable(value: number, bytes: Uint8Array, start: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError('not a whole number from 0');
  const high = Math.floor(value / 2 ** 32);
  // what is given to an octet is cut to its eight bits
  for (let i = 0; i < 4; i += 1) {
    bytes[start + i] = high >>> (24 - 8 * i);
    bytes[start + 4 + i] = value >>> (24 - 8 * i);
  }
}

export function fromSortable(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

/** Pieces that one packed statement takes. */
export function* pieces<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += PACKED_MAX) yield items.slice(at, at + PACKED_MAX);
}

/** Items by what they have in common, in the order in which they came. */
export function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Items that follow each other and have the same key, each run small enough for one packed statement. */
export function* runs<T>(
  items: readonly T[],
  keyOf: (item: T) => unknown,
): Generator<readonly T[]> {
  for (const part of pieces(items)) {
    let from = 0;
    for (let at = 1; at <= part.length; at += 1) {
      const [first, next] = [part[from], part[at]];
      if (first !== undefined && next !== undefined && keyOf(first) === keyOf(next)) continue;
      yield part.slice(from, at);
      from = at;
    }
  }
}

/**
 * What a table holds of these ids, in as many statements as there are pieces.
 *
 * @param query answers rows with the position of their id in the packed ones as `i`
 */
export function lookUp(
  ids: readonly EventId[],
  query: (packed: Uint8Array, count: number) => readonly Row[],
): { readonly id: EventId; readonly row: Row }[] {
  return [...pieces(ids)].flatMap((part) =>
    query(packIds(part), part.length).flatMap((row) => {
      const id = part[numberOf(row, 'i')];
      return id === undefined ? [] : [{ id, row }];
    }),
  );
}

/** Events as packed statements take them, each of one origin. */
export function* packedByOrigin(
  events: readonly { readonly origin: MemberId; readonly id: EventId }[],
): Generator<{ readonly origin: MemberId; readonly ids: Uint8Array; readonly count: number }> {
  for (const [origin, some] of grouped(events, (one) => one.origin)) {
    for (const part of pieces(some)) {
      yield { origin, ids: packIds(part.map(({ id }) => id)), count: part.length };
    }
  }
}
