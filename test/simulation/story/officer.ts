import type { EventId } from '@concordat/common/domain/ids.js';
import { MEMBERS } from '../world/federation.js';
import type { Actor } from './actor.js';
import { SOON, attempt } from './attempt.js';
import { approveOrder, orderPurge } from './orders.js';
import { SCOPE_NAMES, selectEvents } from './selections.js';
import { OperatorService, PurgeService } from '@concordat/common/io/rpc/definitions.js';

/** Sections that some schema has; an order may name one that an event has not. */
const SECTIONS = ['indicator', 'pattern', 'identity', 'document', 'remarks', 'report'] as const;

/** Takes back a few events, by their ids: everywhere, or only some sections, or only at some members. */
export const officer: Actor = {
  name: 'orders a purge',
  weight: 3,
  act: async (world, draw) => {
    const origin = draw.pick(MEMBERS);
    const own = world.book.eventsOf(origin).filter(({ state }) => state === 'accepted');
    if (own.length === 0) return;
    const ids = draw.some(own, Math.min(own.length, 8)).map(({ id }) => id);
    const others = MEMBERS.filter((id) => id !== origin);
    const recipients = draw.chance(25) ? draw.some(others, 2) : [];
    const sections = draw.chance(25) ? [draw.pick(SECTIONS)] : [];
    const isNarrow = recipients.length + sections.length > 0;
    const scope = isNarrow ? 'narrow cover' : 'event';
    const reason = draw.pick(['error', 'delisted', 'consent_withdrawn', 'redress_upheld']);
    const order = await orderPurge(world, draw, {
      ...{ origin, ids, recipients, sections, reason, scope },
    });
    if (order.state !== 'accepted') return;
    world.reached(isNarrow ? 'a narrower cover is ordered' : 'single events are taken back');
  },
};

/** Takes back what a selection finds; when it is much, a second person approves. */
export const selectingOfficer: Actor = {
  name: 'orders what a selection finds',
  weight: 1,
  act: async (world, draw) => {
    const origin = draw.pick(MEMBERS);
    const scope = draw.pick(SCOPE_NAMES);
    const max = draw.chance(20) ? world.settings.approvalsAbove + 15 : 12;
    const found = await selectEvents(world, draw, origin, scope, max);
    const office = world.client(PurgeService, origin, 'revocation', 'operator');
    const covered = await attempt(office.covered({ eventIds: found }, SOON));
    if (!covered.ok) return;
    const taken = new Set(covered.value.eventIds);
    const ids: EventId[] = found.filter((id) => !taken.has(id));
    if (ids.length === 0) return;
    const order = await orderPurge(world, draw, { origin, ids, scope });
    if (order.state !== 'accepted') return;
    world.reached('what a selection finds is taken back');
    if (ids.length <= world.settings.approvalsAbove && !draw.chance(10)) return;
    await world.scheduler.sleep(world.outside, draw.whole(0, 1_000));
    await approveOrder(world, order, 2);
    world.reached('a second person approves');
  },
};

/** Two people of one member drop a partner; not in every seed, and one partner of one member only. */
export const dropper: Actor = {
  name: 'drops a partner',
  weight: 1,
  act: async (world, draw) => {
    const isDone = [...world.book.orders.values()].some(({ scope }) => scope === 'leaving');
    if (isDone || !draw.chance(15)) return;
    const origin = draw.pick(MEMBERS);
    const leaver = draw.pick(MEMBERS.filter((id) => id !== origin));
    const order = await orderPurge(world, draw, {
      ...{ origin, ids: [], recipients: [leaver], reason: 'partner_withdrawn', scope: 'leaving' },
    });
    if (order.state !== 'accepted') return;
    await world.scheduler.sleep(world.outside, draw.whole(0, 1_000));
    await approveOrder(world, order, 2);
    world.reached('a member is dropped');
  },
};

/** Looks at what the services say of themselves. */
export const operator: Actor = {
  name: 'looks around',
  weight: 1,
  act: async (world, draw) => {
    const member = draw.pick(MEMBERS);
    const node = world.client(OperatorService, member, 'node', 'operator');
    const office = world.client(PurgeService, member, 'revocation', 'operator');
    await attempt(node.status({}, SOON));
    const known = [...world.book.events.values()];
    if (known.length > 0) {
      const { origin, id } = draw.pick(known);
      await attempt(node.show({ origin, eventId: id }, SOON));
      if (origin === member) await attempt(node.holders({ eventId: id }, SOON));
    }
    const ordered = [...world.book.orders.values()].filter(({ origin }) => origin === member);
    if (ordered.length > 0) {
      const { orderId } = draw.pick(ordered);
      await attempt(office.status({ orderId }, SOON));
      await attempt(office.certificate({ orderId, evenIncomplete: true }, SOON));
      await attempt(office.notices({ orderId }, SOON));
    }
    if (draw.chance(20)) await attempt(node.eraseMedia({}, SOON));
  },
};
