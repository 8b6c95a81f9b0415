import { approvalProblem, orderedAloneBy } from '@concordat/common/domain/approvals.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { ZERO_HASH } from '@concordat/common/domain/bytes.js';
import type { EventId, UnixMs } from '@concordat/common/domain/ids.js';
import { isWhole } from '@concordat/common/domain/purge-order.js';
import type {
  RecordCodec,
  SealRecord,
  SealTable,
  SlotLeaf,
  SlotTable,
} from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { slotRoot } from '@concordat/common/domain/slots.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { blockKey } from '../io/state/own-publications.js';
import type { StoredSeal } from '../io/state/seal-table.js';
import { type ApprovedOrder, checkOrder } from './check-order.js';
import type { NodeContext } from './context.js';
import { type Appended, type LedgerEntry, appendLedger } from './ledger-writer.js';
import { withdraw } from './notices.js';
import { type Cover, type CoveredBlock, CoverReader } from './order-cover.js';
import { sealedBefore } from './restore/sealed-before.js';

/** What one answer of DestroyKeys may have, with room for its frame. */
const ANSWER_BYTES_MAX = 7 * 1024 * 1024;
/** What a signature and its frame add to a payload, at most. */
const SIGNED_EXTRA_BYTES = 512;
/** As long as any ledger number will ever be. */
const LEDGER_NUMBER_MAX = 2 ** 52;

/** An order that will be sealed in this commit; nothing about it can be refused any more. */
interface Plan extends Cover {
  readonly order: ApprovedOrder;
}

/**
 * Seals orders in one commit: one seal in each block that any of them touches, and others for narrower covers. An order that is refused leaves nothing
 * behind and hinders no other one.
 *
 * @param orders each id once, none of them sealed before
 * @returns in the order of `orders`
 */
export function sealOrders(
  context: NodeContext,
  orders: readonly ApprovedOrder[],
): Result<StoredSeal, ConcordatError>[] {
  const { state, clock } = context;
  if (orders.length === 0) return [];
  const nowMs = clock.nowMs();
  return state.db.transaction(() => {
    const plans = planAll(context, orders, nowMs);
    const all = plans.flatMap((plan) => (plan.ok ? [plan.value] : []));
    const [whole, narrow] = [all.filter(isWholePlan), all.filter((plan) => !isWholePlan(plan))];
    const sealed = new Map<Plan, StoredSeal>();
    // a narrower cover is sealed before the whole event: afterwards there would be nothing to order
    for (const plan of narrow) sealed.set(plan, keepNarrow(context, plan, nowMs));
    const seals = appendSeals(context, whole, nowMs);
    for (const plan of whole) sealed.set(plan, keepSeal(context, plan, seals, nowMs));
    return plans.map((plan) => {
      if (!plan.ok) return plan;
      const seal = sealed.get(plan.value);
      if (!seal) throw new TypeError('expected a seal of every plan');
      return ok(seal);
    });
  });
}

/**
 * The answer to an order that was sealed before the state was lost, made once more from the ledger: the same bytes by the
 * same key. Undefined when the ledger has no seal of it. Who approved is counted again: what was signed for two people is
 * not signed for one.
 *
 * @throws ConcordatError ORDER_INVALID when its id was sealed for another order, ORDER_NEEDS_APPROVAL
 */
export function sealAgain(context: NodeContext, order: ApprovedOrder): StoredSeal | undefined {
  const { state, codec, signer, approvalsAbove } = context;
  const before = sealedBefore(context, order.value);
  if (!before) return undefined;
  // what this person took back before was counted when it was sealed
  const lacking = approvalProblem(order, order.approvals, { above: approvalsAbove, alone: 0 });
  if (lacking) throw lacking;
  const { orderId, ids } = order.value;
  const cover = new CoverReader(context).read(state.own.events(ids), order.value);
  const record = sealRecordOf(context, { order, ...cover }, before.seals, before.timeMs);
  const sealRecord = signStatement(codec, signer, 'SealRecord', record).bytes;
  const { evidence } = cover;
  const stored: StoredSeal = { orderHash: order.hash, sealRecord, evidence, ledgerSeq: 0 };
  state.db.transaction(() => {
    state.seals.add(orderId, stored);
    state.sealedHeaders.drop(ids);
    countAlone(context, order, before.timeMs);
  });
  return stored;
}

function isWholePlan({ order }: Plan): boolean {
  return isWhole(order.value);
}

/** Reads only: whatever goes wrong with one order, the others are sealed. */
function planAll(
  context: NodeContext,
  orders: readonly ApprovedOrder[],
  nowMs: UnixMs,
): Result<Plan, ConcordatError>[] {
  const covers = new CoverReader(context);
  const taken = new Set<EventId>();
  const alone = new Map<string, number>();
  return orders.map((order) => {
    const person = orderedAloneBy(order, order.approvals);
    const before =
      person === undefined ? 0 : (alone.get(person) ?? context.state.alone.count(person, nowMs));
    try {
      const events = checkOrder(context, order, { taken, alone: before }, nowMs);
      const cover = covers.read(events, order.value);
      const plan = { order, ...cover };
      demandAnswerable(context, plan, nowMs);
      if (isWhole(order.value)) for (const id of order.value.ids) taken.add(id);
      if (person !== undefined) alone.set(person, before + order.value.ids.length);
      return ok(plan);
    } catch (cause) {
      return err(asConcordatError(cause));
    }
  });
}

/** One seal a block, with the leaves of all orders; by block. */
function appendSeals(
  context: NodeContext,
  plans: readonly Plan[],
  nowMs: UnixMs,
): Map<string, Appended> {
  const touched = new Map<string, { block: CoveredBlock['block']; leaves: Leaf[] }>();
  for (const { order, blocks } of plans) {
    const { orderId } = order.value;
    for (const { block, leaves } of blocks) {
      const found = touched.get(blockKey(block)) ?? { block, leaves: [] };
      touched.set(blockKey(block), found);
      found.leaves.push(...leaves.map(({ leaf }) => ({ leaf, orderId })));
    }
  }
  const appended = [...touched].map(([key, { block, leaves }]) => {
    leaves.sort((a, b) => a.leaf - b.leaf);
    return [key, appendSeal(context, block, leaves, nowMs)] as const;
  });
  return new Map(appended);
}

type Leaf = SealTable['leaves'][number];

function appendSeal(
  context: NodeContext,
  block: CoveredBlock['block'],
  leaves: readonly Leaf[],
  nowMs: UnixMs,
): Appended {
  const { codec, random } = context;
  const table: SealTable = { seed: random.bytes(32), leaves };
  const root = slotRoot(codec, table, block.treeSize);
  return appendSealOf(context, block, { root, body: codec.encode('SealTable', table) }, nowMs);
}

function appendSealOf(
  context: NodeContext,
  { lane, epoch, number, hash, treeSize }: CoveredBlock['block'],
  body: Pick<LedgerEntry, 'root' | 'body'>,
  nowMs: UnixMs,
): Appended {
  const block = { lane, epoch, number, hash };
  return appendLedger(context, { block, kind: 'SEAL', treeSize, ...body }, nowMs);
}

/** Tombstones, notices, and the answer that this order gets from now on. */
function keepSeal(
  context: NodeContext,
  plan: Plan,
  seals: ReadonlyMap<string, Appended>,
  nowMs: UnixMs,
): StoredSeal {
  const { state, self } = context;
  const { order, blocks } = plan;
  const { orderId, ids } = order.value;
  const refs: SealRecord['seals'][number][] = [];
  let ledgerSeq = 0;
  for (const { block, leaves } of blocks) {
    const seal = seals.get(blockKey(block));
    if (!seal) throw new TypeError('expected a seal in every touched block');
    refs.push({ ledgerNumber: seal.number, statementHash: seal.hash });
    ledgerSeq = Math.max(ledgerSeq, seal.seq);
    const buried = leaves.map(({ id }) => ({ origin: self, id }));
    state.tombstones.bury(buried, { orderId, atMs: nowMs, ledgerNumber: seal.number });
  }
  withdraw(state, self, ids, 'PURGED');
  state.unerased.add({ origin: self, orderId }, nowMs);
  return addSeal(context, plan, { refs, ledgerSeq }, nowMs);
}

/**
 * One seal in each block for each recipient that the order names: a slot has room for one cover. The cover is blocked for
 * ever; the events stay, and so do their keys.
 */
function keepNarrow(context: NodeContext, plan: Plan, nowMs: UnixMs): StoredSeal {
  const { state } = context;
  const { orderId, sections, recipients } = plan.order.value;
  const refs: SealRecord['seals'][number][] = [];
  let ledgerSeq = 0;
  for (const { block, leaves } of plan.blocks) {
    const ids = leaves.map(({ id }) => id);
    for (const recipient of recipients.length === 0 ? ([''] as const) : recipients) {
      const seal = appendNarrowSeal(
        context,
        { block, leaves },
        { orderId, recipient, sections },
        nowMs,
      );
      refs.push({ ledgerNumber: seal.number, statementHash: seal.hash });
      ledgerSeq = Math.max(ledgerSeq, seal.seq);
      state.covers.block(ids, { orderId, recipient, sections, ledgerNumber: seal.number });
    }
  }
  return addSeal(context, plan, { refs, ledgerSeq }, nowMs);
}

function appendNarrowSeal(
  context: NodeContext,
  { block, leaves }: CoveredBlock,
  { sections, ...to }: Pick<SlotTable, 'recipient' | 'orderId'> & Pick<SlotLeaf, 'sections'>,
  nowMs: UnixMs,
): Appended {
  const { codec, random } = context;
  const table: SlotTable = {
    ...{ seed: random.bytes(32), kind: 'SEAL', ...to },
    leaves: leaves.map(({ leaf }) => ({ leaf, sections })),
  };
  const root = slotRoot(codec, table, block.treeSize);
  return appendSealOf(context, block, { root, body: codec.encode('SlotTable', table) }, nowMs);
}

function addSeal(
  context: NodeContext,
  plan: Plan,
  { refs, ledgerSeq }: { readonly refs: SealRecord['seals']; readonly ledgerSeq: number },
  nowMs: UnixMs,
): StoredSeal {
  const { state, codec, signer } = context;
  const { order, evidence } = plan;
  const record = sealRecordOf(context, plan, refs, nowMs);
  const sealRecord = signStatement(codec, signer, 'SealRecord', record).bytes;
  const stored: StoredSeal = { orderHash: order.hash, sealRecord, evidence, ledgerSeq };
  state.seals.add(order.value.orderId, stored);
  countAlone(context, order, nowMs);
  return stored;
}

function countAlone({ state }: NodeContext, order: ApprovedOrder, atMs: UnixMs): void {
  const person = orderedAloneBy(order, order.approvals);
  if (person !== undefined) state.alone.add(person, atMs, order.value.ids.length);
}

function sealRecordOf(
  context: NodeContext,
  { order, holders }: Plan,
  seals: SealRecord['seals'],
  nowMs: UnixMs,
): SealRecord {
  const { signer, keys, self } = context;
  return {
    suite: SUITE,
    federation: keys.federation,
    origin: self,
    keyId: signer.keyId,
    orderId: order.value.orderId,
    orderHash: order.hash,
    timeMs: nowMs,
    ids: order.value.ids,
    recipients: order.value.recipients,
    sections: order.value.sections,
    grants: grantsIn(context, holders, nowMs),
    approvals: order.approvals.hashes,
    seals,
    holders,
  };
}

/** What these holders were permitted to derive from what they held, up to the seal. */
function grantsIn(
  { state }: NodeContext,
  holders: SealRecord['holders'],
  nowMs: UnixMs,
): SealRecord['grants'] {
  const held = new Map(holders.map(({ recipient, ids }) => [recipient, new Set(ids)]));
  const ids = new Set(holders.flatMap((one) => one.ids));
  return state.grants
    .among([...ids])
    .filter(({ holder, parent, timeMs }) => timeMs <= nowMs && held.get(holder)?.has(parent))
    .map(({ holder, parent, child }) => ({ holder, parent, childOrigin: holder, child }));
}

/**
 * The answer must reach the revocation service, or what is destroyed could never be purged at its holders. Asked before
 * anything is written, of a seal record whose seals have their largest numbers.
 *
 * @throws ConcordatError ORDER_INVALID
 */
function demandAnswerable(context: NodeContext, plan: Plan, nowMs: UnixMs): void {
  const { codec } = context;
  const largest = { ledgerNumber: LEDGER_NUMBER_MAX, statementHash: ZERO_HASH };
  const perBlock = Math.max(1, plan.order.value.recipients.length);
  const refs = Array.from({ length: plan.blocks.length * perBlock }, () => largest);
  const draft = codec.encode('SealRecord', sealRecordOf(context, plan, refs, nowMs));
  const bytes = draft.length + plan.evidence.length + SIGNED_EXTRA_BYTES;
  if (bytes > ANSWER_BYTES_MAX) {
    const text = `its seal and evidence come to ${String(bytes)} bytes, at most ${String(ANSWER_BYTES_MAX)}`;
    throw new ConcordatError('ORDER_INVALID', `${text}: split the order`);
  }
  if (!isReadable(codec, draft, plan.evidence)) {
    throw new ConcordatError(
      'ORDER_INVALID',
      'covers more than one seal record may: split the order',
    );
  }
}

function isReadable(codec: RecordCodec, sealRecord: Uint8Array, evidence: Uint8Array): boolean {
  return codec.decode('SealRecord', sealRecord).ok && codec.decode('SealEvidence', evidence).ok;
}
