/** Is this piece anywhere in a store's file or journal? */
export function isInStore(
  files: ReadonlyMap<string, Uint8Array>,
  store: 'data' | 'vault',
  piece: Uint8Array,
): boolean {
  return [`${store}.db`, `${store}.db-wal`].some((name) => {
    const bytes = files.get(name);
    return (
      bytes !== undefined &&
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(Buffer.from(piece))
    );
  });
}
