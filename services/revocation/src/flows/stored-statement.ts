import type { RecordCodec, RecordTypes } from '@concordat/common/domain/records.js';
import type { StatementName } from '@concordat/common/domain/statement.js';

/** What a statement of the own store says; it was checked when it came. @throws ConcordatError for what never was */
export function storedStatement<Name extends StatementName>(
  codec: RecordCodec,
  name: Name,
  bytes: Uint8Array,
): RecordTypes[Name] {
  const signed = codec.decode('Signed', bytes);
  const value = signed.ok ? codec.decode(name, signed.value.payload) : signed;
  if (!value.ok) throw value.error;
  return value.value;
}
