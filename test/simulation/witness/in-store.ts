const PAGE_BYTES = 8_192;
/** b-tree pages: interior and leaf, of indexes and of tables; what stands behind their cells' pointers is of nobody */
const HEADER_BYTES: Readonly<Record<number, number>> = { 2: 12, 5: 12, 10: 8, 13: 8 };

/** Is this piece anywhere in a store's file or journal? */
export function isInStore(
  files: ReadonlyMap<string, Uint8Array>,
  store: 'data' | 'vault',
  piece: Uint8Array,
): boolean {
  const wanted = bufferOf(piece);
  const journal = files.get(`${store}.db-wal`);
  if (journal && bufferOf(journal).includes(wanted)) return true;
  const file = bufferOf(files.get(`${store}.db`) ?? new Uint8Array());
  for (let at = file.indexOf(wanted); at >= 0; at = file.indexOf(wanted, at + 1)) {
    if (!isLeftBehind(file, at)) return true;
  }
  return false;
}

/**
 * Where SQLite moves a row to another page, its old copy may stay in the unused middle of a page that is still in use:
 * `secure_delete` overwrites rows that are deleted, not those that are moved. See docs/purges.md.
 */
function isLeftBehind(file: Buffer, at: number): boolean {
  const page = file.subarray(at - (at % PAGE_BYTES), at - (at % PAGE_BYTES) + PAGE_BYTES);
  const header = HEADER_BYTES[page[0] ?? 0];
  if (header === undefined) return false;
  const unusedFrom = header + 2 * page.readUInt16BE(3);
  const unusedTo = page.readUInt16BE(5);
  return at % PAGE_BYTES >= unusedFrom && at % PAGE_BYTES < unusedTo;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
