/** CRC-64-AVRO, the Rabin fingerprint of a schema's parsing canonical form (Avro 1.12, schema fingerprints). */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let fp = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) fp = (fp >> 1n) ^ (EMPTY & -(fp & 1n));
  return BigInt.asUintN(64, fp);
});

/** Eight bytes, little-endian, as the single-object encoding wants them. */
export function crc64Avro(bytes: Uint8Array): Uint8Array {
  let fp = EMPTY;
  for (const byte of bytes) fp = (fp >> 8n) ^ (TABLE[Number((fp ^ BigInt(byte)) & 0xffn)] ?? 0n);
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt.asUintN(64, fp), true);
  return out;
}
