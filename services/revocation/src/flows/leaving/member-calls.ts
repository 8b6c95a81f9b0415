import { fieldError } from '@concordat/common/domain/errors.js';
import { type MemberId, parseMemberId } from '@concordat/common/domain/ids.js';
import { isLeave } from '@concordat/common/domain/purge-order.js';
import type { PurgeService, concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import { holderStates } from '../../domain/receipt-binding.js';
import type { KnownEntry } from '../../io/entry-rows.js';
import type { Leaver } from '../../io/leaver-rows.js';
import type { RevocationContext } from '../context.js';
import { storedStatement } from '../stored-statement.js';

type LeavingMember = concordat.revocation.v1.LeavingMember;
type OwedEntry = concordat.revocation.v1.OwedEntry;

/** Unanswered entries that one answer lists. */
const OWED_MAX = 1_000;

const NOTHING = {
  ...{ sinceMs: 0, leftAtMs: 0, reading: false, events: 0, notOrdered: 0, answered: 0 },
  ...{ overdue: 0, held: 0, systemsOpen: 0, childrenOpen: 0, owed: [], owedEntries: 0 },
};

/** Who leaves, who has left, and what each of them owes: read from the store, so that nothing of it is ever forgotten. */
export function memberCalls(
  context: RevocationContext,
): Pick<Handlers<typeof PurgeService>, 'members'> {
  return {
    members: async ({ member }) => {
      const wanted = member === '' ? undefined : memberIn(member);
      const members = [
        ...context.store.leavers.all().map((leaver) => leavingMember(context, leaver)),
        ...stillMembers(context),
      ];
      return {
        members: members.filter((one) => wanted === undefined || one.member === wanted),
      };
    },
  };
}

function memberIn(text: string): MemberId {
  const member = parseMemberId(text);
  if (!member.ok) throw fieldError('REQUEST_INVALID', 'member', 'expected a member id');
  return member.value;
}

/** Ordered to leave, and not let go yet. Of one that leaves already a second order comes to nothing. */
function stillMembers({ codec, store }: RevocationContext): LeavingMember[] {
  return store.orders.notYet().flatMap((stored) => {
    const order = storedStatement(codec, 'PurgeOrder', stored.bytes);
    const [member] = order.recipients;
    if (!isLeave(order) || member === undefined || store.leavers.find(member)) return [];
    const { orderId, reason, deadlineMs, lastError, life } = stored;
    const stage = life.kind === 'awaiting' ? 'AWAITING_APPROVAL' : 'LEAVE_ORDERED';
    return [{ ...NOTHING, member, stage, orderId, reason, deadlineMs, lastError }];
  });
}

function leavingMember(context: RevocationContext, leaver: Leaver): LeavingMember {
  const { store, clock } = context;
  const { member, orderId, sinceMs, leftAtMs } = leaver;
  const order = store.orders.find(orderId);
  if (!order) throw new TypeError('expected the order by which a member leaves');
  const entries = store.entries.open(member);
  const owed = entries.map((entry) => owedEntry(context, entry, clock.nowMs()));
  const sum = (count: (one: OwedEntry) => number): number =>
    owed.reduce((total, one) => total + count(one), 0);
  return {
    ...{ member, stage: leftAtMs === undefined ? 'LEAVING' : 'LEFT', orderId },
    ...{ reason: order.reason, sinceMs, leftAtMs: leftAtMs ?? 0, deadlineMs: order.deadlineMs },
    lastError: order.lastError,
    reading: leaver.readUpTo < leaver.ledgerNumber,
    ...store.leavers.counts(member),
    overdue: sum((one) => (one.overdue ? one.events : 0)),
    held: sum((one) => one.held),
    systemsOpen: sum((one) => one.systemsOpen),
    childrenOpen: sum((one) => one.childrenOpen),
    owed: owed.slice(0, OWED_MAX),
    owedEntries: owed.length,
  };
}

function owedEntry(
  { codec, store }: RevocationContext,
  { recipient, number, bytes, deadlineMs, remindedAtMs, noticedAtMs }: KnownEntry,
  nowMs: number,
): OwedEntry {
  const { orderId, ids } = storedStatement(codec, 'PurgeEntry', bytes);
  const open = store.receipts.open(recipient, number);
  const answer = open && {
    ...{ stage: open.stage, atMs: open.atMs },
    open: storedStatement(codec, 'Receipt', open.bytes),
  };
  const [state] = holderStates([{ recipient, answer, remindedAtMs, noticedAtMs }]);
  if (!state) throw new TypeError('one entry in, one state out');
  const { held, reviewAtMs, systemsOpen, childrenOpen } = state;
  return {
    ...{ orderId, reason: store.orders.find(orderId)?.reason ?? '', entryNumber: number },
    ...{ events: ids.length, deadlineMs, overdue: nowMs > deadlineMs, state: state.state },
    ...{ noticedAtMs, held, reviewAtMs, systemsOpen, childrenOpen },
  };
}
