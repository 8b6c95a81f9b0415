import { blockRef, sameBlock } from '../block.js';
import { equalBytes } from '../bytes.js';
import { ConcordatError } from '../errors.js';
import { meets } from '../purge-order.js';
import type { Certificate, CertifiedBlock, RecordCodec, SlotTable } from '../records.js';
import { type Result, err, ok } from '../result.js';
import { isSlotTableOf } from '../slots.js';
import {
  type CheckStatement,
  type KeyDirectory,
  type Verified,
  checkStatements,
} from '../statement.js';
import type { CertifiedPurge } from './verify-certificate.js';

/**
 * Does a certificate name who was given keys by this ledger record? A member gets the record with its keys. Where a
 * certificate holds and leaves that member out, the origin has signed two histories of one block, and this shows it.
 *
 * @param about a certificate, and what it was found to prove
 * @param bytes the LedgerRecord as the origin's node answered it
 * @returns 'named'; 'elsewhere' for keys that the order does not take; CERTIFICATE_INVALID when the recipient is left out;
 *   else what is wrong with the record itself
 */
export function checkKeyRecord(
  codec: RecordCodec,
  keys: KeyDirectory,
  { certificate, purge }: { readonly certificate: Certificate; readonly purge: CertifiedPurge },
  bytes: Uint8Array,
): Result<'named' | 'elsewhere', ConcordatError> {
  const statements = checkStatements(codec, keys);
  const read = readKeyRecord(codec, statements, purge, bytes);
  if (!read.ok) return read;
  const { statement, table } = read.value;
  const { recipient } = table;
  if (recipient === '') return ok('elsewhere');
  const block = certificate.blocks.find((one) => isBlockOf(statements, one, statement, purge));
  const ordered = new Set(block?.leaves.map(({ leaf }) => leaf));
  const isTaken = table.leaves.some(
    ({ leaf, sections }) => ordered.has(leaf) && meets(purge.order.value, { recipient, sections }),
  );
  if (!block || !isTaken) return ok('elsewhere');
  const { origin: signer } = purge;
  const isInChain = block.chain.some((link) => {
    const own = statements('LedgerStatement', link.statement, { signer });
    return own.ok && equalBytes(own.value.hash, statement.hash);
  });
  if (isInChain) return ok('named');
  const place = `record ${String(statement.value.blockNumber)} of its block`;
  const text = `${recipient} is left out: ${place} gave it keys, and the certificate's chain lacks it`;
  return err(new ConcordatError('CERTIFICATE_INVALID', text));
}

function readKeyRecord(
  codec: RecordCodec,
  statements: CheckStatement,
  { origin: signer }: CertifiedPurge,
  bytes: Uint8Array,
): Result<
  { readonly statement: Verified<'LedgerStatement'>; readonly table: SlotTable },
  ConcordatError
> {
  const record = codec.decode('LedgerRecord', bytes);
  if (!record.ok) return record;
  const statement = statements('LedgerStatement', record.value.statement, { signer });
  if (!statement.ok) return statement;
  const table = codec.decode('SlotTable', record.value.body);
  if (!table.ok) return table;
  const isSigned = isSlotTableOf(codec, statement.value.value, table.value);
  if (isSigned && table.value.kind === 'RELEASE') {
    return ok({ statement: statement.value, table: table.value });
  }
  return err(new ConcordatError('RECORD_MALFORMED', 'expected the record of a key release'));
}

function isBlockOf(
  statements: CheckStatement,
  { statement: bytes }: CertifiedBlock,
  { value }: Verified<'LedgerStatement'>,
  { origin: signer }: CertifiedPurge,
): boolean {
  const block = statements('BlockStatement', bytes, { signer });
  return block.ok && sameBlock(blockRef(block.value), value.block);
}
