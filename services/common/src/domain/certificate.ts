import { equalBytes } from './bytes.js';
import { blockRef, sameBlock } from './block.js';
import { EMPTY_HEAD } from './chain.js';
import { ConcordatError } from './errors.js';
import { parseHeader } from './header.js';
import { type EventId, type MemberId, parseMemberId } from './ids.js';
import { isIncluded, leafHash } from './merkle.js';
import { mayOrder, stageOf } from './purge-order.js';
import type {
  Certificate,
  CertifiedBlock,
  CertifiedHolder,
  RecordCodec,
  SealRecord,
} from './records.js';
import { type Result, err, ok } from './result.js';
import { verifySlot } from './slots.js';
import {
  type CheckStatement,
  type KeyDirectory,
  type StatementName,
  type Verified,
  checkStatements,
} from './statement.js';

/** What a valid certificate proves, in the words of a report. */
export interface CertifiedPurge {
  readonly origin: MemberId;
  readonly order: Verified<'PurgeOrder'>;
  readonly holders: readonly { readonly recipient: MemberId; readonly ids: readonly EventId[] }[];
  readonly timeMs: number;
}

class Invalid extends Error {}

/**
 * Checks a certificate with public keys only, no network: the order, the seal, the complete ledger chain of every
 * block that the order touched, the holders that these chains name, and a receipt of each of them for every entry.
 *
 * @param certificate verified by `verifyDsse`, so that its signer is the revocation service of `origin`
 * @param statements remembers what was verified, for who checks many certificates of the same blocks
 * @returns CERTIFICATE_INVALID with the first thing that does not hold
 */
export function verifyCertificate(
  codec: RecordCodec,
  keys: KeyDirectory,
  certificate: Certificate,
  statements: CheckStatement = checkStatements(codec, keys),
): Result<CertifiedPurge, ConcordatError> {
  try {
    return ok(check(codec, statements, certificate));
  } catch (cause) {
    if (!(cause instanceof Invalid)) throw cause;
    return err(new ConcordatError('CERTIFICATE_INVALID', cause.message));
  }
}

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Invalid(message);
}

function need<T>(what: string, result: Result<T, ConcordatError>): T {
  if (!result.ok) throw new Invalid(`${what}: ${result.error.code}: ${result.error.message}`);
  return result.value;
}

function check(
  codec: RecordCodec,
  statements: CheckStatement,
  certificate: Certificate,
): CertifiedPurge {
  const { origin } = certificate;
  demand(parseMemberId(origin).ok, 'origin: not a member id');
  const verified = <Name extends StatementName>(name: Name, bytes: Uint8Array): Verified<Name> =>
    need(name, statements(name, bytes, { signer: origin }));

  const order = verified('PurgeOrder', certificate.order);
  demand(
    mayOrder(order.key.role, order.value.reason),
    `order: role ${order.key.role} may not order for reason ${order.value.reason}`,
  );
  demand(order.value.ids.length > 0, 'order: covers nothing');
  demand(isSet(order.value.ids), 'order: an id stands twice');

  const seal = verified('SealRecord', certificate.sealRecord);
  demand(seal.value.orderId === order.value.orderId, 'seal record: of another order');
  demand(equalBytes(seal.value.orderHash, order.hash), 'seal record: of another order');
  demand(sameSet(seal.value.ids, order.value.ids), 'seal record: covers other events');

  const found = new Map<MemberId, Set<EventId>>();
  const certifiedIds: EventId[] = [];
  const sealed = new Set<string>();
  for (const block of certificate.blocks) {
    const leaves = checkLeaves(codec, block, verified('BlockStatement', block.statement));
    certifiedIds.push(...leaves.values());
    const last = checkChain(codec, block, verified, { leaves, seal: seal.value, found });
    demand(!sealed.has(last), 'a block stands twice');
    sealed.add(last);
  }
  demand(isSet(certifiedIds), 'blocks: an event stands twice');
  demand(sameSet(certifiedIds, order.value.ids), 'blocks: not exactly the ordered events');
  demand(sealed.size === seal.value.seals.length, 'seal record: names other seals');

  const holders = [...found].map(([recipient, ids]) => ({ recipient, ids: [...ids] }));
  checkHolderList('seal record', seal.value.holders, found);
  demand(isSet(certificate.holders.map((one) => one.recipient)), 'a holder stands twice');
  demand(certificate.holders.length === found.size, 'holders: not exactly those in the ledger');
  for (const holder of certificate.holders) {
    const ids = found.get(holder.recipient);
    demand(ids !== undefined, 'holders: not exactly those in the ledger');
    checkHolder(statements, holder, { order, seal, ids: [...ids], verified });
  }
  return { origin, order, holders, timeMs: certificate.timeMs };
}

type Verify = <Name extends StatementName>(name: Name, bytes: Uint8Array) => Verified<Name>;

/** leaf to event id, each header proven to be in the signed block */
function checkLeaves(
  codec: RecordCodec,
  block: CertifiedBlock,
  statement: Verified<'BlockStatement'>,
): Map<number, EventId> {
  const leaves = new Map<number, EventId>();
  for (const { leaf, header: bytes, path } of block.leaves) {
    const header = need('header', parseHeader(codec, bytes));
    demand(header.origin === statement.value.origin, 'header: names another origin');
    const included = isIncluded({
      leaf: leafHash(bytes),
      index: leaf,
      size: statement.value.treeSize,
      path,
      root: statement.value.root,
    });
    demand(included && !leaves.has(leaf), 'header: not in the signed block');
    leaves.set(leaf, header.id);
  }
  demand(leaves.size > 0, 'block: without an ordered event');
  return leaves;
}

/** Follows a block's ledger chain from its publication to this order's seal; collects who got keys. */
function checkChain(
  codec: RecordCodec,
  block: CertifiedBlock,
  verified: Verify,
  facts: {
    readonly leaves: ReadonlyMap<number, EventId>;
    readonly seal: SealRecord;
    readonly found: Map<MemberId, Set<EventId>>;
  },
): string {
  const blockStatement = verified('BlockStatement', block.statement);
  const ref = blockRef(blockStatement);
  let previous = EMPTY_HEAD.hash;
  let sealedBy: string | undefined;
  for (const [index, link] of block.chain.entries()) {
    const { value, hash } = verified('LedgerStatement', link.statement);
    demand(sealedBy === undefined, 'chain: goes on after the seal');
    demand(sameBlock(value.block, ref), 'chain: a record of another block');
    demand(value.blockNumber === index, 'chain: a record is missing');
    demand(equalBytes(value.blockPrevious, previous), 'chain: a record does not follow');
    demand(value.treeSize === blockStatement.value.treeSize, 'chain: another tree size');
    demand((value.kind === 'PUBLICATION') === (index === 0), 'chain: begins with the publication');
    previous = hash;
    if (index === 0) {
      demand(link.opened.length === 0, 'chain: a publication has no slots');
      continue;
    }
    demand(link.opened.length === facts.leaves.size, 'chain: not exactly the ordered slots');
    let seals = 0;
    for (const [position, [leaf, id]] of [...facts.leaves].entries()) {
      const opened = link.opened[position];
      demand(opened !== undefined, 'chain: a slot is missing');
      const slot = need('slot', verifySlot(codec, value, opened, leaf));
      if (slot.kind === 'RELEASE') {
        demand(slot.recipient !== '', 'slot: a release to nobody');
        const ids = facts.found.get(slot.recipient) ?? new Set<EventId>();
        facts.found.set(slot.recipient, ids.add(id));
      }
      if (slot.kind === 'SEAL') {
        demand(slot.orderId === facts.seal.orderId, 'slot: sealed by another order');
        seals += 1;
      }
    }
    demand(seals === 0 || seals === facts.leaves.size, 'chain: an ordered event is not sealed');
    if (seals > 0) {
      const named = facts.seal.seals.some(
        (one) => one.ledgerNumber === value.number && equalBytes(one.statementHash, hash),
      );
      demand(named, 'chain: the seal record names another seal');
      sealedBy = `${String(value.epoch)}/${String(value.number)}`;
    }
  }
  demand(sealedBy !== undefined, 'chain: ends before the seal');
  return sealedBy;
}

function checkHolderList(
  what: string,
  list: SealRecord['holders'],
  found: ReadonlyMap<MemberId, ReadonlySet<EventId>>,
): void {
  demand(isSet(list.map((one) => one.recipient)), `${what}: a holder stands twice`);
  const same =
    list.length === found.size &&
    list.every((one) => sameSet(one.ids, [...(found.get(one.recipient) ?? [])]));
  demand(same, `${what}: other holders than the ledger`);
}

function checkHolder(
  statements: CheckStatement,
  holder: CertifiedHolder,
  facts: {
    readonly order: Verified<'PurgeOrder'>;
    readonly seal: Verified<'SealRecord'>;
    readonly ids: readonly EventId[];
    readonly verified: Verify;
  },
): void {
  const { recipient } = holder;
  const ordered: EventId[] = [];
  demand(holder.entries.length === holder.receipts.length, `${recipient}: a receipt is missing`);
  for (const [index, bytes] of holder.entries.entries()) {
    const entry = facts.verified('PurgeEntry', bytes);
    demand(entry.value.recipient === recipient, `${recipient}: an entry for another member`);
    demand(
      entry.value.orderId === facts.order.value.orderId,
      `${recipient}: another order's entry`,
    );
    demand(
      equalBytes(entry.value.sealRecordHash, facts.seal.hash),
      `${recipient}: an entry names another seal record`,
    );
    demand(
      entry.value.part === index + 1 && entry.value.parts === holder.entries.length,
      `${recipient}: an entry is missing`,
    );
    ordered.push(...entry.value.ids);
    const answer = holder.receipts[index];
    demand(answer !== undefined, `${recipient}: a receipt is missing`);
    const receipt = need(
      `${recipient}: receipt`,
      statements('Receipt', answer, { signer: recipient }),
    );
    const { value } = receipt;
    const bound =
      value.origin === entry.value.origin &&
      value.orderId === entry.value.orderId &&
      value.entryNumber === entry.value.number &&
      equalBytes(value.entryHash, entry.hash);
    demand(bound, `${recipient}: a receipt for another entry`);
    const answered = value.outcomes.map(({ id }) => id);
    demand(
      isSet(answered) && sameSet(answered, entry.value.ids),
      `${recipient}: a receipt leaves events out`,
    );
    demand(
      value.stage !== 'OPEN' && value.stage === stageOf(value.outcomes.map((one) => one.outcome)),
      `${recipient}: a receipt's stage is not its outcomes`,
    );
  }
  demand(isSet(ordered) && sameSet(ordered, facts.ids), `${recipient}: entries leave events out`);
}

function isSet(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const other = new Set(b);
  return a.length === b.length && a.every((item) => other.has(item));
}
