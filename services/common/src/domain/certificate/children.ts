import { equalBytes } from '../bytes.js';
import type { MemberId } from '../ids.js';
import { isWhole } from '../purge-order.js';
import type {
  Certificate,
  CertifiedHolder,
  PurgeOrder,
  ReceiptChild,
  SealRecord,
} from '../records.js';
import type { Verified } from '../statement.js';
import type { Answer } from './receipts.js';
import { type Reading, demand } from './rules.js';

/** A child certificate that holds by itself. */
export interface Child<Purge> {
  readonly certificate: Verified<'Certificate'>;
  readonly purge: Purge;
}

/** What a child's own certificate was found to prove. */
export interface ChildPurge {
  readonly order: Verified<'PurgeOrder'>;
  readonly missing: readonly unknown[];
}

/**
 * The certificates of what a holder derived: each is named by one of its receipts, proves the purge of that child, and, if
 * it was made because of this order, names one of this holder's entries.
 *
 * @param verify applies all rules to the child's certificate; a child may have children
 */
export function checkChildren<Purge extends ChildPurge>(
  reading: Reading,
  { recipient, children: given }: CertifiedHolder,
  answers: readonly Answer[],
  verify: (certificate: Certificate) => Purge,
): readonly Child<Purge>[] {
  const children: Child<Purge>[] = [];
  for (const bytes of given) {
    const certificate = reading.statement('K1', 'Certificate', bytes, recipient);
    const isNew = !children.some((one) => equalBytes(one.certificate.hash, certificate.hash));
    const named = answers.flatMap((answer) => namedBy(answer, certificate));
    demand(isNew && named.length > 0, 'K2', `${recipient}: a child certificate that none names`);
    const purge = verify(certificate.value);
    for (const one of named) checkChild(reading, one, purge.order, answers);
    children.push({ certificate, purge });
  }
  return children;
}

function namedBy({ open, final }: Answer, { hash }: Verified<'Certificate'>): ReceiptChild[] {
  const said = [...(open?.value.children ?? []), ...(final?.value.children ?? [])];
  return said.filter((one) => one.certificateHash && equalBytes(one.certificateHash, hash));
}

function checkChild(
  { origin }: Reading,
  child: ReceiptChild,
  order: Verified<'PurgeOrder'>,
  answers: readonly Answer[],
): void {
  const entries = answers.map(({ entry }) => entry);
  const [rule = 'K3', what = ''] = childProblem(origin, child, order.value, entries) ?? [];
  demand(what === '', rule, `${child.origin}: ${what}`);
}

/**
 * What is wrong with an order as the one that purged this child; undefined when nothing is.
 *
 * @param entries of the parent's order, to this holder
 */
export function childProblem(
  origin: MemberId,
  child: Pick<ReceiptChild, 'id' | 'orderId'>,
  order: PurgeOrder,
  entries: readonly Pick<Verified<'PurgeEntry'>, 'value' | 'hash'>[],
): readonly [rule: 'K3' | 'K4', what: string] | undefined {
  if (!order.ids.includes(child.id) || !isWhole(order)) {
    return ['K3', 'a child certificate about other events'];
  }
  if (child.orderId !== order.orderId) return ['K3', "a child's certificate of another order"];
  const { cause } = order;
  const orderId = entries[0]?.value.orderId;
  // a child of several parents is purged once, because of any of them
  if (cause?.origin !== origin || cause.orderId !== orderId) return undefined;
  const isOfEntry = entries.some(
    (entry) =>
      equalBytes(entry.hash, cause.entryHash) &&
      cause.parents.every((parent) => entry.value.ids.includes(parent)),
  );
  return isOfEntry ? undefined : ['K4', 'a child order that cites no entry of this order'];
}

/**
 * Is something derived from this entry's events not shown to be purged? Every child that was granted, or that a receipt
 * names, needs a complete certificate, or the holder's final word that it was never made.
 */
export function hasOpenChildren(
  { entry, final }: Answer,
  grants: SealRecord['grants'],
  children: readonly Child<ChildPurge>[],
): boolean {
  if (!final) return false; // then its receipt says so, or it is silent
  const said = final.value.children;
  const isGrantOpen = grants.some(
    ({ holder, parent, child }) =>
      holder === entry.value.recipient &&
      entry.value.ids.includes(parent) &&
      !said.some((one) => one.parent === parent && one.id === child),
  );
  return isGrantOpen || said.some((one) => !isShown(one, children));
}

function isShown(
  { certificateHash }: ReceiptChild,
  children: readonly Child<ChildPurge>[],
): boolean {
  if (certificateHash === null) return true;
  return children.some(
    ({ certificate, purge }) =>
      equalBytes(certificate.hash, certificateHash) && purge.missing.length === 0,
  );
}
