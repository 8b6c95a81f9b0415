import { type EventId, type OrderId, idBytes } from '../../domain/ids.js';
import { PACKED_MAX } from './sqlite.js';

/**
 * Many rows of equal width in one blob, which SQLite takes apart itself: one statement for a block of events, where
 * binding and running one for each would cost more than everything else that happens to an event.
 *
 *     SELECT nth.i FROM nth JOIN tombstone ON id = ${idAt(1)} WHERE nth.i < ?2
 */
export function packIds(ids: readonly (EventId | OrderId)[]): Uint8Array {
  const bytes = new Uint8Array(ids.length * 16);
  for (const [at, id] of ids.entries()) bytes.set(idBytes(id), at * 16);
  return bytes;
}

/** SQL for the i-th id in the packed parameter `?param`. */
export function idAt(param: number): string {
  return `substr(?${String(param)}, nth.i * 16 + 1, 16)`;
}

/** Rows of `width` bytes each, side by side. */
export function packRows(rows: readonly Uint8Array[], width: number): Uint8Array {
  const bytes = new Uint8Array(rows.length * width);
  for (const [at, row] of rows.entries()) {
    if (row.length !== width) throw new TypeError('packed rows are of one width');
    bytes.set(row, at * width);
  }
  return bytes;
}

/** Eight bytes, big-endian: they sort as the numbers do. For whole numbers from 0 to 2^53. */
export function sortable(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

export function fromSortable(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(0));
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
