import { equalBytes, sha256 } from './bytes.js';
import { ConcordatError } from './errors.js';
import type { LedgerStatement, PublicationTable, RecordCodec } from './records.js';
import { type Result, err, ok } from './result.js';
import { type Slots, isSlotTableOf, readSlots } from './slots.js';

/** What a ledger record tells beside its statement. */
export type LedgerBody =
  | { readonly kind: 'PUBLICATION'; readonly rows: PublicationTable['rows'] }
  | { readonly kind: 'RELEASE' | 'SEAL'; readonly slots: Slots };

/**
 * The body of a ledger record, if it is the one that its statement signs.
 *
 * @returns BLOCK_ROOT_MISMATCH when it is another one, else what the codec refuses it for
 */
export function readLedgerBody(
  codec: RecordCodec,
  statement: Pick<LedgerStatement, 'kind' | 'number' | 'root' | 'treeSize'>,
  body: Uint8Array,
): Result<LedgerBody, ConcordatError> {
  const { kind, number, root, treeSize } = statement;
  const refuse = (what: string): Result<never, ConcordatError> =>
    err(new ConcordatError('BLOCK_ROOT_MISMATCH', `ledger record ${number}: ${what}`));
  if (kind !== 'PUBLICATION') {
    const slots = readSlots(codec, kind, body);
    if (!slots.ok) return slots;
    if (isSlotTableOf(codec, statement, slots.value)) return ok({ kind, slots: slots.value });
    return refuse('the slots do not lead to the signed root');
  }
  const table = codec.decode('PublicationTable', body);
  if (!table.ok) return table;
  const { rows } = table.value;
  const fits = equalBytes(sha256(body), root) && rows.length === treeSize;
  return fits ? ok({ kind, rows }) : refuse('the table is not the one that was signed');
}
