import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import { toDsseJson } from '@concordat/common/domain/dsse-json.js';
import { type EventId, parseEventId, parseOrderId } from '@concordat/common/domain/ids.js';
import { ERASED_WITHIN_MS } from '@concordat/common/domain/media-erasure.js';
import type { ReceiptChild } from '@concordat/common/domain/records.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import type { PurgeService, concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import { isOver, isOverdue } from '../domain/order-life.js';
import { holderStates } from '../domain/receipt-binding.js';
import type { StoredOrder } from '../io/order-rows.js';
import { approvalStanding, takeApproval } from './approve-order.js';
import { certificateAsOf } from './certify.js';
import { mediaErasuresOf, mediaStates } from './media-states.js';
import type { RevocationContext } from './context.js';
import { memberCalls } from './leaving/member-calls.js';
import { storedStatement } from './stored-statement.js';
import { confirmScope, scopeStanding } from './scope-calls.js';
import { OrderIntake } from './take-orders.js';

type Status = concordat.revocation.v1.StatusResponse;
type Notice = concordat.revocation.v1.Notice;
type SignedReceipt = concordat.revocation.v1.Receipt;

const LIST_ORDERS_MAX = 1_000;
/** As many as fit into a question. */
const IDS_MAX = 4_096;
const WATCH_EVERY_MS = 100;
/** What ends within this time is announced. */
const SOON_MS = 7 * 86_400_000;
/** A listed order with more events than this names none of them: Status does. */
const LIST_EVENTS_MAX = 100;

/** The calls of operators of this member. @param onOrder told after an order was committed */
export function purgeCalls(
  context: RevocationContext,
  onOrder: () => void,
): Handlers<typeof PurgeService> {
  const { store, clock, self } = context;
  const intake = new OrderIntake(context);
  return {
    order: async ({ order }) => {
      const orderId = await intake.take(Uint8Array.from(order));
      onOrder();
      return { orderId };
    },
    approve: async ({ approval }) => {
      const orderId = takeApproval(context, Uint8Array.from(approval));
      onOrder();
      return statusOf(context, find(context, orderId));
    },
    signedOrder: async ({ orderId }) => ({ order: find(context, orderId).bytes }),
    covered: async ({ eventIds }) => ({ eventIds: coveredAmong(context, eventIds) }),
    status: async ({ orderId }) => statusOf(context, find(context, orderId)),
    statusOfMany: async ({ orderIds }) => ({ orders: statusOfMany(context, orderIds) }),
    watchStatus: ({ orderId }, { signal }) => watchStatus(context, orderId, signal),
    list: async () => ({
      orders: store.orders.newest(LIST_ORDERS_MAX).map((order) => {
        const status = statusOf(context, order);
        return status.eventCount > LIST_EVENTS_MAX ? { ...status, eventIds: [] } : status;
      }),
      counters: {
        ...store.chains.counters(),
        ...store.orders.counts(clock.nowMs()),
        outbox: store.chains.outboxSize(),
        'media.overdue': store.media.countMissingSince(clock.nowMs() - ERASED_WITHIN_MS),
      },
      publications: store.ledger.publications(),
      ledgerNumber: store.chains.followedHead(ledgerTopic(self)).number,
      gaps: store.chains.gaps(),
      endingSoon: store.ledger.countEnding(clock.nowMs() + SOON_MS),
    }),
    certificate: async ({ orderId, evenIncomplete }) => {
      const order = find(context, orderId);
      const dsseJson = store.orders.certificate(order.orderId);
      if (dsseJson !== undefined) return { dsseJson };
      if (evenIncomplete) return { dsseJson: incompleteCertificate(context, order) };
      const { kind } = order.life;
      const text =
        kind === 'closed' || kind === 'leaving'
          ? 'expected an order for events; a leaving member has a certificate for each order about its events'
          : `expected a closed order, this one is ${kind}`;
      throw new ConcordatError('CERTIFICATE_NOT_READY', text);
    },
    receipts: async ({ orderId }) => {
      const order = find(context, orderId);
      return {
        receipts: receiptsOf(context, order),
        mediaErasures: mediaErasuresOf(context, order.orderId),
      };
    },
    ...memberCalls(context),
    scope: async () => scopeStanding(context),
    confirmScope: async ({ standing }) => confirmScope(context, standing),
    notices: async ({ orderId }) => ({ notices: noticesOf(context, find(context, orderId)) }),
  };
}

/** Looks at the own database from time to time: what changes an order commits there first, wherever it is done. */
async function* watchStatus(
  context: RevocationContext,
  orderId: string,
  signal: AbortSignal,
): AsyncGenerator<Status> {
  let told = '';
  while (!signal.aborted) {
    const order = find(context, orderId);
    const status = statusOf(context, order);
    const now = JSON.stringify(status);
    if (now !== told) yield status;
    told = now;
    if (isOver(order.life.kind)) return;
    await context.clock.sleep(WATCH_EVERY_MS, signal).catch(() => undefined);
  }
}

function statusOfMany(context: RevocationContext, texts: readonly string[]): Status[] {
  demandFew('order_ids', texts);
  return texts.flatMap((text) => {
    const id = parseOrderId(text);
    if (!id.ok) throw fieldError('REQUEST_INVALID', 'order_ids', 'expected UUIDs');
    const order = context.store.orders.find(id.value);
    return order ? [{ ...statusOf(context, order), eventIds: [] }] : [];
  });
}

function demandFew(field: string, ids: readonly string[]): void {
  if (ids.length <= IDS_MAX) return;
  throw fieldError('REQUEST_INVALID', field, `expected at most ${IDS_MAX}, got ${ids.length}`);
}

function coveredAmong({ store }: RevocationContext, texts: readonly string[]): EventId[] {
  demandFew('event_ids', texts);
  const ids = texts.map((text) => {
    const id = parseEventId(text);
    if (!id.ok) throw fieldError('REQUEST_INVALID', 'event_ids', 'expected UUIDs of version 7');
    return id.value;
  });
  return ids.filter((id) => store.ledger.standing(id) === 'ordered');
}

function find({ store }: RevocationContext, text: string): StoredOrder {
  const id = parseOrderId(text);
  if (!id.ok) throw fieldError('REQUEST_INVALID', 'order_id', 'expected a UUID');
  const order = store.orders.find(id.value);
  if (order) return order;
  throw new ConcordatError('ORDER_UNKNOWN', `expected an order of ours, ${id.value} is none`);
}

/** What is proven of an order by now; before its entries are written there is nothing to ask holders for. */
function incompleteCertificate(context: RevocationContext, stored: StoredOrder): string {
  const { codec, keys, self, clock } = context;
  if (stored.life.kind !== 'appended') {
    const text = `expected an order whose entries are written, this one is ${stored.life.kind}`;
    throw new ConcordatError('CERTIFICATE_NOT_READY', text);
  }
  const order = verifyStatement(codec, keys, 'PurgeOrder', stored.bytes, { signer: self });
  if (!order.ok) throw order.error;
  const certificate = certificateAsOf(context, order.value, clock.nowMs());
  if (certificate.ok) return certificate.value.dsseJson;
  const text = 'expected the own ledger read up to the seal';
  throw new ConcordatError('CERTIFICATE_NOT_READY', text, { cause: certificate.error });
}

/** The default notices of an order, also of holders that have answered since; the same bytes each time. */
function noticesOf({ codec, store }: RevocationContext, order: StoredOrder): Notice[] {
  return store.entries.of(order.orderId).flatMap(({ recipient, number, notice }) => {
    if (!notice) return [];
    const signed = codec.decode('Signed', notice);
    if (!signed.ok) throw signed.error;
    return [{ member: recipient, entryNumber: number, dsseJson: toDsseJson(signed.value) }];
  });
}

/** The receipts of an order's holders, of each holder in the order of its entries, of each entry the open one first. */
function receiptsOf({ codec, store }: RevocationContext, order: StoredOrder): SignedReceipt[] {
  return store.entries.of(order.orderId).flatMap(({ recipient, number }) =>
    store.receipts.all(recipient, number).map(({ bytes, atMs }) => {
      const signed = codec.decode('Signed', bytes);
      if (!signed.ok) throw signed.error;
      const { stage, outcomes, children } = storedStatement(codec, 'Receipt', bytes);
      return {
        ...{ member: recipient, entryNumber: number, stage, events: outcomes.length },
        ...{ receivedAtMs: atMs, dsseJson: toDsseJson(signed.value) },
        children: children.map((child) => derivedEvent(child, stage)),
      };
    }),
  );
}

function derivedEvent({ parent, id, orderId, certificateHash }: ReceiptChild, stage: string) {
  const open = stage === 'OPEN' ? 'OPEN' : 'NEVER_MADE';
  const state = certificateHash === null ? open : 'PURGED';
  return { parentId: parent, eventId: id, orderId: orderId ?? '', state };
}

function statusOf(context: RevocationContext, order: StoredOrder): Status {
  const { codec, store, clock } = context;
  const value = storedStatement(codec, 'PurgeOrder', order.bytes);
  const { ids } = value;
  const media = mediaStates(context, order.orderId);
  const parts = store.entries.of(order.orderId).map((entry) => {
    const { recipient, number, remindedAtMs, noticedAtMs } = entry;
    const newest = store.receipts.all(recipient, number).at(-1);
    const answer = newest && {
      ...{ stage: newest.stage, atMs: newest.atMs },
      open: newest.stage === 'OPEN' ? storedStatement(codec, 'Receipt', newest.bytes) : undefined,
    };
    return { recipient, answer, remindedAtMs, noticedAtMs };
  });
  return {
    orderId: order.orderId,
    state: order.life.kind === 'awaiting' ? 'AWAITING_APPROVAL' : order.life.kind.toUpperCase(),
    reason: order.reason,
    eventIds: ids,
    eventCount: ids.length,
    ...approvalStanding(context, value, order.life.kind === 'awaiting'),
    holders: holderStates(parts).map((holder) => ({ ...holder, ...media(holder.member) })),
    orderedAtMs: order.orderedAtMs,
    closedAtMs: order.closedAtMs ?? 0,
    deadlineMs: order.deadlineMs,
    overdue: isOverdue(order.life.kind, order.deadlineMs, clock.nowMs()),
    lastError: order.lastError,
  };
}
