import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { readLedgerBody } from '@concordat/common/domain/ledger-body.js';
import type { PublicationRow, RecordCodec } from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
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
  const { kind, number, blockNumber } = statement.value.value;
  if ((kind === 'PUBLICATION') !== (blockNumber === 0)) {
    const text = 'expected a publication as the first record of a block, and nowhere else';
    return err(new ConcordatError('BLOCK_ROOT_MISMATCH', `ledger record ${number}: ${text}`));
  }
  const body = readLedgerBody(codec, statement.value.value, record.value.body);
  if (!body.ok) return body;
  const published = body.value.kind === 'PUBLICATION' ? body.value.rows : [];
  return ok({ statement: statement.value, published });
}
