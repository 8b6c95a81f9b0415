import { equalBytes, sha256 } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { PublicationRow, RecordCodec } from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { isSlotTableOf, readSlots } from '@concordat/common/domain/slots.js';
import type { CheckStatement, Verified } from '@concordat/common/domain/statement.js';

export interface ReadLedgerRecord {
  readonly statement: Verified<'LedgerStatement'>;
  /** what it publishes, by leaf; none for releases and seals */
  readonly published: readonly PublicationRow[];
}

/** A record of `origin`'s ledger whose body is really the one that its statement signs. */
export function readLedgerRecord(
  codec: RecordCodec,
  statements: CheckStatement,
  bytes: Uint8Array,
  origin: MemberId,
): Result<ReadLedgerRecord, ConcordatError> {
  const record = codec.decode('LedgerRecord', bytes);
  if (!record.ok) return record;
  const statement = statements('LedgerStatement', record.value.statement, { signer: origin });
  if (!statement.ok) return statement;
  const { kind, number, blockNumber, treeSize, root } = statement.value.value;
  const refuse = (what: string): Result<never, ConcordatError> =>
    err(new ConcordatError('BLOCK_ROOT_MISMATCH', `ledger record ${number}: ${what}`));
  if ((kind === 'PUBLICATION') !== (blockNumber === 0)) {
    return refuse('expected a publication as the first record of a block, and nowhere else');
  }
  if (kind !== 'PUBLICATION') {
    const table = readSlots(codec, kind, record.value.body);
    if (!table.ok) return table;
    if (!isSlotTableOf(codec, statement.value.value, table.value)) {
      return refuse('the slots do not lead to the signed root');
    }
    return ok({ statement: statement.value, published: [] });
  }
  const table = codec.decode('PublicationTable', record.value.body);
  if (!table.ok) return table;
  const fits = equalBytes(sha256(record.value.body), root) && table.value.rows.length === treeSize;
  if (!fits) return refuse('the table is not the one that was signed');
  return ok({ statement: statement.value, published: table.value.rows });
}
