import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import type { BlockPlace } from '../../io/state/own-publications.js';
import type { NodeContext } from '../context.js';

/** The events of an own block, leaf by leaf, as its publication was recorded. */
export function idsOfBlock({ state, codec }: NodeContext, block: BlockPlace): EventId[] {
  const found = state.ledger.publicationOf(block);
  const record = found && codec.decode('LedgerRecord', found.record);
  const table = record?.ok === true && codec.decode('PublicationTable', record.value.body);
  if (!table || !table.ok) {
    throw new ConcordatError('INTERNAL', 'an own block without the record of its publication');
  }
  return table.value.rows.map(({ id }) => id);
}
