import type { EventId, Hash } from '@concordat/common/domain/ids.js';
import type { Leaver } from '../../io/leaver-rows.js';
import type { RevocationContext } from '../context.js';

/** Ledger records of one commit, of up to 256 events each: calls are answered in between. */
const RECORDS_PER_COMMIT = 32;

/**
 * Reads from the own ledger which events a leaving member was given keys of. A release that was recorded before the member's
 * leaving and is read only later is found then.
 *
 * @returns true when there may be more
 */
export function readHoldings(context: RevocationContext, { member, readUpTo }: Leaver): boolean {
  const { ledger, leavers, db } = context.store;
  const records = ledger.recordsAfter(readUpTo, RECORDS_PER_COMMIT);
  const last = records.at(-1);
  if (!last) return false;
  const published = new Map<Hash, readonly EventId[]>();
  db.transaction(() => {
    for (const { block, bytes } of records) {
      const leaves = leavesGivenTo(context, bytes, member);
      if (leaves.length === 0) continue;
      const ids = published.get(block) ?? idsOf(context, block);
      published.set(block, ids);
      leavers.addEvents(
        member,
        leaves.map((leaf) => ids[leaf]).filter((id) => id !== undefined),
      );
    }
    leavers.readUpTo(member, last.number);
  });
  return records.length === RECORDS_PER_COMMIT;
}

/** None for a record of another kind, or about another member. It was checked when it was read. */
function leavesGivenTo(
  { codec }: RevocationContext,
  bytes: Uint8Array,
  member: Leaver['member'],
): readonly number[] {
  const record = codec.decode('LedgerRecord', bytes);
  if (!record.ok) throw record.error;
  const signed = codec.decode('Signed', record.value.statement);
  const statement = signed.ok ? codec.decode('LedgerStatement', signed.value.payload) : signed;
  if (!statement.ok) throw statement.error;
  if (statement.value.kind !== 'RELEASE') return [];
  const slots = codec.decode('SlotTable', record.value.body);
  if (!slots.ok) throw slots.error;
  const { recipient, leaves } = slots.value;
  return recipient === member ? leaves.map(({ leaf }) => leaf) : [];
}

/** The events of one block, leaf by leaf. */
function idsOf({ codec, store }: RevocationContext, block: Hash): readonly EventId[] {
  const bytes = store.ledger.publicationOf(block);
  const record = bytes && codec.decode('LedgerRecord', bytes);
  if (!record) throw new TypeError('a release stands in the ledger, and no publication before it');
  const table = record.ok ? codec.decode('PublicationTable', record.value.body) : record;
  if (!table.ok) throw table.error;
  return table.value.rows.map(({ id }) => id);
}
