import { BoundedMap } from './bounded-map.js';
import { bytesKey, sha256 } from './bytes.js';
import type { RecordCodec } from './records.js';
import {
  type CheckStatement,
  type KeyDirectory,
  type StatementName,
  type Verified,
  verifyStatement,
} from './statement.js';

/** About 4 MiB. */
const STATEMENTS_MAX = 4_096;
/** What is longer lists a thousand things and more, beside which a signature costs little. */
const BYTES_MAX = 4_096;

/**
 * Verifies statements, each once: the same order, block or ledger statement is needed for many things, and the certificates
 * of a block's events all hold its whole chain. What was refused is not remembered.
 *
 * @param keys may not take back a key while this lives
 */
export function rememberingStatements(codec: RecordCodec, keys: KeyDirectory): CheckStatement {
  const known = new BoundedMap<string, Verified<StatementName>>(STATEMENTS_MAX);
  return <Name extends StatementName>(
    name: Name,
    bytes: Uint8Array,
    expected: Parameters<CheckStatement>[2],
  ) => {
    if (bytes.length > BYTES_MAX) return verifyStatement(codec, keys, name, bytes, expected);
    const place = `${name} ${expected.signer} ${bytesKey(sha256(bytes))}`;
    const before = known.get(place);
    // the name is part of the place
    if (before) return { ok: true, value: before as Verified<Name> };
    // of a copy: these bytes are often a view of a certificate of some MiB, which would be remembered with it
    const checked = verifyStatement(codec, keys, name, Uint8Array.from(bytes), expected);
    if (checked.ok) known.set(place, checked.value);
    return checked;
  };
}
