import { equalBytes } from '../bytes.js';
import type { EventId } from '../ids.js';
import type { CertifiedHolder, SealRecord } from '../records.js';
import type { Verified } from '../statement.js';
import type { Holders } from './chain.js';
import { type Reading, demand, isSet, sameSet } from './rules.js';

/** Are these exactly the members that the ledger names, in the seal record and in the certificate? */
export function checkHolderLists(
  seal: SealRecord,
  certified: readonly CertifiedHolder[],
  found: Holders,
): void {
  demand(
    isSet(seal.holders.map((one) => one.recipient)),
    'H1',
    'seal record: a holder stands twice',
  );
  const same =
    seal.holders.length === found.size &&
    seal.holders.every((one) => sameSet(one.ids, [...(found.get(one.recipient) ?? [])]));
  demand(same, 'H1', 'seal record: other holders than the ledger');
  const listed = certified.map((one) => one.recipient);
  demand(isSet(listed), 'H2', 'a holder stands twice');
  demand(sameSet(listed, [...found.keys()]), 'H2', 'holders: not exactly those in the ledger');
  const grants = seal.grants.map(
    ({ parent, childOrigin, child }) => `${parent} ${childOrigin} ${child}`,
  );
  demand(isSet(grants), 'H3', 'seal record: a grant stands twice');
  for (const { holder, parent, childOrigin } of seal.grants) {
    const isHeld = found.get(holder)?.has(parent) ?? false;
    demand(isHeld && childOrigin === holder, 'H3', 'seal record: a grant to who did not hold it');
  }
}

/** One holder's entries, by part: together they order back what it held, and nothing else. */
export function checkEntries(
  reading: Reading,
  { recipient, entries: given }: CertifiedHolder,
  facts: {
    readonly order: Verified<'PurgeOrder'>;
    readonly seal: Verified<'SealRecord'>;
    readonly ids: ReadonlySet<EventId>;
  },
): readonly Verified<'PurgeEntry'>[] {
  const { order, seal, ids } = facts;
  const entries: Verified<'PurgeEntry'>[] = [];
  let before = 0;
  for (const [at, bytes] of given.entries()) {
    const entry = reading.statement('E1', 'PurgeEntry', bytes);
    const { value } = entry;
    demand(value.recipient === recipient, 'E2', `${recipient}: an entry for another member`);
    const isOfOrder = value.orderId === order.value.orderId;
    demand(isOfOrder, 'E3', `${recipient}: another order's entry`);
    const isOfSeal = equalBytes(value.sealRecordHash, seal.hash);
    demand(isOfSeal, 'E4', `${recipient}: an entry names another seal record`);
    const isNext = value.part === at + 1 && value.parts === given.length && value.number > before;
    demand(isNext, 'E5', `${recipient}: an entry is missing`);
    const isCover =
      sameSet(value.sections, order.value.sections) &&
      value.recipientsAll === (order.value.recipients.length === 0);
    demand(isCover, 'E6', `${recipient}: an entry of another cover`);
    before = value.number;
    entries.push(entry);
  }
  const ordered = entries.flatMap(({ value }) => value.ids);
  demand(sameSet(ordered, [...ids]), 'E7', `${recipient}: entries leave events out`);
  return entries;
}
