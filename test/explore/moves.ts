import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { type Cover, isWhole, takesSection } from '@concordat/common/domain/purge-order.js';
import { onBurial, onEntry, onFeed, onKeys, onRestore, onSeal, onStart } from './holder.js';
import type { Rules } from './rules.js';
import {
  type Cast,
  type Copy,
  type EventState,
  LIFE,
  ORDERS,
  RECEIPT,
  ROW,
  SECTIONS,
  type State,
  withEvent,
} from './state.js';
import type { EntryKind } from './verdicts.js';

/** One thing that may happen. */
export interface Move<To> {
  readonly name: string;
  /** the services do it by themselves, sooner or later; what else happens, people, faults and enemies do */
  readonly isOwed: boolean;
  /** where it may lead: more than one place where a crash may come in between */
  readonly to: readonly To[];
}

/** All that what happens to one copy depends on. */
export interface Surroundings {
  readonly holder: MemberId;
  readonly id: EventId;
  readonly event: EventState;
  /** the event derived from it by its holder */
  readonly derived: EventState | undefined;
  /** the certificate of that event's purge is complete */
  readonly isProven: boolean;
}

const A = 'aa' as MemberId;
export const B = 'bb' as MemberId;
const C = 'cc' as MemberId;
const E = '01900000-0000-7000-8000-00000000000e' as EventId;
const D = '01900000-0000-7000-8000-00000000000d' as EventId;

export const CASTS: readonly Cast[] = [
  {
    name: 'one event, two holders, one of whom joins late',
    events: [{ id: E, origin: A }],
    copies: [
      { holder: B, event: 0, joins: false },
      { holder: C, event: 0, joins: true },
    ],
  },
  {
    name: 'an event, and one derived from it whose holder joins late',
    events: [
      { id: E, origin: A },
      { id: D, origin: B },
    ],
    copies: [
      { holder: B, event: 0, joins: false, child: 1 },
      { holder: C, event: 1, joins: true },
    ],
  },
];

const COVERS: readonly (Cover | undefined)[] = [
  undefined,
  { recipients: [], sections: [] },
  { recipients: [B], sections: [] },
  { recipients: [], sections: [SECTIONS[0]] },
];
export const coverOf = ({ order }: EventState): Cover | undefined => COVERS[order];
const FORGERIES: readonly EntryKind[] = ['by a stranger', 'by another role', 'changed on the way'];

function copyOf(state: State, at: number): Copy {
  const copy = state.copies[at];
  if (!copy) throw new RangeError('no such copy');
  return copy;
}

function eventOf(state: State, at: number): EventState {
  const event = state.events[at];
  if (!event) throw new RangeError('no such event');
  return event;
}

/** What the origin of event `at` may do. */
export function originMoves(rules: Rules, cast: Cast, state: State, at: number): Move<State>[] {
  const event = eventOf(state, at);
  const moves: Move<State>[] = [];
  const happens = (name: string, isOwed: boolean, to: State): void => {
    moves.push({ name: `${name} ${'ed'[at] ?? ''}`, isOwed, to: [to] });
  };
  if (event.published === 0) {
    if (mayPublish(rules, cast, state, at)) {
      happens('publish', false, withEvent(state, at, { published: 1, own: 1 }));
    }
    return moves;
  }
  if (event.order === 0) {
    const isOwed = cast.copies.some((one, n) => one.child === at && copyOf(state, n).duty === 1);
    for (const order of ordersOf(cast, at)) {
      happens(
        `seal an order, ${ORDERS[order] ?? ''}, for`,
        isOwed,
        sealed(rules, cast, state, at, order),
      );
    }
    return moves;
  }
  const cover = coverOf(event);
  if (cover && isWhole(cover) && event.own === 1) {
    happens('delete own keys of', true, withEvent(state, at, { own: 0 }));
  }
  if (event.appended === 0)
    happens('append entries of', true, withEvent(state, at, { appended: 1 }));
  return moves;
}

/** A derived event needs its parent's origin, which permits none of what it took back, and a parent that can be read. */
function mayPublish(rules: Rules, cast: Cast, state: State, at: number): boolean {
  const parent = cast.copies.findIndex(({ child }) => child === at);
  if (parent === -1) return true;
  const { life, row, tombstone, duty } = copyOf(state, parent);
  const above = coverOf(eventOf(state, cast.copies[parent]?.event ?? 0));
  if (above && isWhole(above)) return false;
  const isParentGone = rules.goneBecause(tombstone ? 'order' : undefined) !== undefined;
  const isReadable = life === LIFE.up && row === ROW.readable;
  return isReadable && rules.mayBeMade({ isParentGone, isOwed: duty > 0 });
}

/** An event whose purge is a duty goes whole; a holder's own event has one recipient only. */
function ordersOf({ events }: Cast, at: number): readonly number[] {
  if (at > 0) return [1];
  return events.length > 1 ? [1, 3] : [1, 2, 3];
}

/** The seal, and whom the revocation service will address for it. */
function sealed(rules: Rules, cast: Cast, state: State, at: number, order: number): State {
  const id = cast.events[at]?.id ?? E;
  const cover = COVERS[order] ?? { recipients: [], sections: [] };
  const given = cast.copies.flatMap(({ holder, event }, n) => {
    const to = event === at ? copyOf(state, n).given : 0;
    return to === 0 ? [] : [{ recipient: holder, sections: to === 3 ? [SECTIONS[1]] : SECTIONS }];
  });
  const entries = rules.draftEntries(rules.holdersOf([{ id, given }], cover));
  const named = new Set(entries.filter(({ ids }) => ids.includes(id)).map((one) => one.recipient));
  return {
    events: withEvent(state, at, { order }).events,
    copies: state.copies.map((copy, n) => {
      const { holder, event } = cast.copies[n] ?? {};
      return event === at && holder && named.has(holder) ? { ...copy, named: 1 } : copy;
    }),
  };
}

/** The sections that the origin's keys may still leave for, by its own covers. */
function leftFor(holder: MemberId, event: EventState): readonly string[] {
  const cover = coverOf(event);
  if (!cover || isWhole(cover)) return SECTIONS;
  const isMeant = cover.recipients.length === 0 || cover.recipients.includes(holder);
  return isMeant ? SECTIONS.filter((name) => !takesSection(cover, name)) : SECTIONS;
}

/** What may happen to one copy. */
export function copyMoves(rules: Rules, copy: Copy, around: Surroundings): Move<Copy>[] {
  return [...holderMoves(rules, copy, around), ...faultMoves(rules, copy, around)];
}

function holderMoves(rules: Rules, copy: Copy, around: Surroundings): Move<Copy>[] {
  const { holder, id, event, derived, isProven } = around;
  if (copy.life !== LIFE.up) return [];
  const moves: Move<Copy>[] = [];
  const happens = (name: string, isOwed: boolean, to: readonly Copy[]): void => {
    moves.push({ name: `${holder}: ${name}`, isOwed, to });
  };
  const cover = coverOf(event);
  if (event.published === 1) {
    happens('the feed', true, [onFeed(rules, copy)]);
    const left = leftFor(holder, event);
    const stop = rules.keyStop({
      ...{ isSealed: cover !== undefined && isWhole(cover), left, isLeaving: false },
    });
    if (stop === undefined && copy.given === 0) {
      happens('its release is recorded', true, [{ ...copy, given: 1 }]);
    }
    if (stop === undefined && copy.given === 1) {
      happens('keys leave for it', true, [{ ...copy, given: left.length === 2 ? 2 : 3 }]);
    }
    if (copy.given === 2) happens('keys arrive', true, onKeys(rules, copy, false));
    if (copy.given >= 2 && event.order === 3) {
      happens('keys arrive with a seal', true, onKeys(rules, copy, true));
    }
    if (stop !== undefined) happens('a seal arrives for keys', true, onSeal(rules, copy));
  }
  const sections = cover?.sections ?? [];
  const taken = (): Copy =>
    onEntry(rules, copy, { id, sections }, derived && { isPublished: derived.published === 1 });
  if (event.appended === 1 && copy.named === 1 && rules.accepts.true) {
    happens('its purge entry', true, [taken()]);
  }
  for (const kind of FORGERIES) {
    if (rules.accepts[kind]) happens(`a purge entry ${kind}`, false, [taken()]);
  }
  if (copy.unfinished === 1 || copy.entry > 0) {
    happens('deletion and receipts', true, onBurial(rules, copy));
  }
  const head = event.appended === 1 && copy.named === 1 ? 1 : 0;
  happens('a freshness answer', true, [{ ...copy, heard: head + 1 }]);
  if (copy.duty === 1 && isProven) {
    happens('the certificate of the derived event', true, [{ ...copy, duty: 2 }]);
  }
  return moves;
}

/** Is a certificate complete: deleted at home, and every holder answered for good? */
export function isProven(cast: Cast, state: State, at: number): boolean {
  const { order, own, appended } = eventOf(state, at);
  const holders = state.copies.filter(
    (copy, n) => cast.copies[n]?.event === at && copy.named === 1,
  );
  return order === 1 && own === 0 && appended === 1 && holders.every(isAnswered);
}

const isAnswered = ({ receipt }: Copy): boolean =>
  receipt === RECEIPT.deleted || receipt === RECEIPT.notHeld;

/** What befalls a holder's node, and what its people do with its files. */
function faultMoves(rules: Rules, copy: Copy, { holder }: Surroundings): Move<Copy>[] {
  const move = (name: string, to: readonly Copy[], isOwed = false): Move<Copy> => ({
    ...{ name: `${holder}: ${name}`, isOwed, to },
  });
  if (copy.life === LIFE.away) return [move('joins', [{ ...copy, life: LIFE.up }])];
  const moves: Move<Copy>[] = [];
  const { row, keys, backup } = copy;
  // of copies that are made between two commits there is one kind only, or there would be too many states
  const isSettled = keys === (row === ROW.readable ? 2 : 0);
  const files = isSettled ? row : backup;
  if (files !== backup) moves.push(move('its files are copied', [{ ...copy, backup: files }]));
  if (rules.tombstonesExpire)
    moves.push(move('its tombstone expires', [{ ...copy, tombstone: 0 }]));
  if (copy.life === LIFE.up) {
    return [...moves, move('crashes', [{ ...copy, life: LIFE.crashed, heard: 0 }])];
  }
  const lost = { ...copy, life: LIFE.changed };
  return [
    ...moves,
    move('starts', onStart(rules, copy), true),
    move('a backup is restored', [onRestore(rules, copy)]),
    move('its data are put back', [{ ...lost, row: backup }]),
    move('its vault is put back', [{ ...lost, keys: backup === ROW.readable ? 2 : 0 }]),
    move('its data are lost', [{ ...lost, row: ROW.none }]),
    move('its vault is lost', [{ ...lost, keys: 0 }]),
    move('its state is lost', [
      { ...lost, tombstone: 0, cut: 0, unfinished: 0, entry: 0, duty: 0 },
    ]),
  ];
}
