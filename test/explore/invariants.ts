import type { MemberId } from '@concordat/common/domain/ids.js';
import { isWhole } from '@concordat/common/domain/purge-order.js';
import { canRead } from './holder.js';
import { type Surroundings, coverOf } from './moves.js';
import type { Rules } from './rules.js';
import {
  type Cast,
  type Copy,
  ENTRY,
  type EventState,
  LIFE,
  RECEIPT,
  ROW,
  type State,
} from './state.js';

/** An invariant of docs/invariants.md, and how this state, or the step to it, breaks it. */
export interface Violation {
  readonly invariant: `S${number}`;
  readonly what: string;
}

const broken = (number: number, what: string): Violation => ({ invariant: `S${number}`, what });

/** What is wrong with a copy. Nothing here asks a function that ships, but for whether a reading is granted. */
export function violationIn(
  rules: Rules,
  copy: Copy,
  { event, holder }: Surroundings,
): Violation | undefined {
  return ofCopy(copy, event, holder) ?? ofReading(rules, copy);
}

function isCovered(event: EventState, holder: MemberId): boolean {
  const cover = coverOf(event);
  return (
    cover !== undefined && (cover.recipients.length === 0 || cover.recipients.includes(holder))
  );
}

/** Of what is taken back: is anything here that is no leftover of files which were put back into a stopped node? */
function isHere(copy: Copy, event: EventState): boolean {
  if (copy.life === LIFE.changed) return false;
  return event.order === 3 ? copy.keys === 2 : copy.row !== ROW.none || copy.keys > 0;
}

const isFinal = ({ receipt }: Copy): boolean =>
  receipt === RECEIPT.deleted || receipt === RECEIPT.notHeld;

/**
 * A node that lost its state takes things in again until it has read the ledger again; then they are deleted again, and
 * meanwhile nobody reads them (S7).
 */
function knowsItsEntry({ entry, unfinished }: Copy): boolean {
  return entry !== ENTRY.none && unfinished === 0;
}

function ofCopy(copy: Copy, event: EventState, holder: MemberId): Violation | undefined {
  const isBuried = copy.tombstone === 1 || copy.cut === 1;
  const isOrdered = isCovered(event, holder);
  if (isBuried && copy.unfinished === 0 && isHere(copy, event)) {
    return broken(1, 'a tombstone stands, its deletion is done, and something is here');
  }
  if (isFinal(copy) && knowsItsEntry(copy) && isHere(copy, event)) {
    return broken(2, 'a final receipt is out, and something is here');
  }
  if (isBuried && !isOrdered) return broken(3, 'a tombstone stands that no order asked for');
  if (copy.receipt !== RECEIPT.none && !isOrdered) {
    return broken(3, 'a receipt answers what no order asked for');
  }
  const hasKeys = copy.given >= 2 || copy.keys > 0;
  if (hasKeys && isOrdered && copy.named === 0 && (event.order !== 3 || copy.given === 2)) {
    return broken(4, 'it was given keys, and no entry addresses it');
  }
  if (copy.entry !== ENTRY.none && !isBuried) {
    return broken(10, 'an entry was taken, and no tombstone remembers it');
  }
  if (copy.tombstone === 1 && event.order === 3) {
    return broken(11, 'a section was ordered back, and the whole event is buried');
  }
  if (copy.named === 1 && !isOrdered) {
    return broken(11, 'an entry addresses who was not to give anything back');
  }
  return undefined;
}

function ofReading(rules: Rules, copy: Copy): Violation | undefined {
  if (!canRead(rules, copy)) return undefined;
  if (copy.heard === 0) return broken(5, 'it is read, and no answer has come since the start');
  if (copy.heard === 2 && copy.entry === ENTRY.none) {
    return broken(5, 'it is read behind an entry that is known of');
  }
  // after a section order what is left is read on
  if (isFinal(copy) && copy.cut === 0) {
    return broken(7, 'it is read after its receipt, before the ledger was read again');
  }
  return undefined;
}

/** A receipt speaks for everything that was derived, too. */
export function violationOfChildren(cast: Cast, state: State): Violation | undefined {
  for (const [at, parent] of state.copies.entries()) {
    const found = ofChild(cast, state, parent, cast.copies[at]?.child);
    if (found) return found;
  }
  return undefined;
}

function ofChild(
  cast: Cast,
  state: State,
  parent: Copy,
  child: number | undefined,
): Violation | undefined {
  const derived = child === undefined ? undefined : state.events[child];
  if (!derived || !isFinal(parent)) return undefined;
  if (parent.duty === 1) return broken(2, 'a final receipt is out, and a derived event is owed');
  // what was derived after a section was taken has nothing of it
  if (parent.tombstone === 0) return undefined;
  const isLeft = state.copies.some((copy, at) => {
    const isKnown = knowsItsEntry(copy) || copy.receipt === RECEIPT.none;
    return cast.copies[at]?.event === child && isKnown && isHere(copy, derived) && copy.keys > 0;
  });
  return derived.own === 1 || isLeft
    ? broken(2, 'a final receipt is out, and an event derived from it is here')
    : undefined;
}

/** What one step must not do, seen from before and after it. */
export function violationBetween(
  before: Copy,
  after: Copy,
  { event, holder, derived }: Surroundings,
): Violation | undefined {
  const isTaken = isCovered(event, holder) && (event.order !== 3 || after.given === 2);
  if (after.given >= 2 && before.given < 2 && isTaken) {
    return broken(6, 'keys left after the seal');
  }
  if (isFinal(after) && !isFinal(before) && isHere(after, event)) {
    return broken(2, 'a final receipt is signed before the deletion');
  }
  const isEntry = before.entry === ENTRY.none && after.entry !== ENTRY.none;
  if (isEntry && derived?.published === 1 && after.duty === 0) {
    return broken(2, 'an entry was taken, and what was derived from its event is not owed');
  }
  return ofAnswer(before, after, event);
}

function ofAnswer(before: Copy, after: Copy, event: EventState): Violation | undefined {
  if (isFinal(before) && after.receipt !== before.receipt) {
    return broken(13, 'a second receipt for the same entry says something else');
  }
  if (before.entry === ENTRY.held && after.entry === ENTRY.notHeld) {
    return broken(13, 'an entry was judged once more, and otherwise');
  }
  const isTaken = before.entry === ENTRY.none && after.entry !== ENTRY.none;
  const wasKnown = before.receipt !== RECEIPT.none || before.tombstone === 1 || before.cut === 1;
  if (!isTaken || wasKnown) return undefined;
  const wasHere =
    event.order === 3
      ? before.row !== ROW.none || before.keys === 2
      : before.row !== ROW.none || before.keys > 0;
  const says = after.entry === ENTRY.held ? 'held' : 'not held';
  if (wasHere === (says === 'held')) return undefined;
  return broken(
    13,
    `its outcome is judged ${says}, and ${wasHere ? 'it was here' : 'nothing was'}`,
  );
}

/**
 * When nothing is owed any more, by anybody, it ends in the one state that follows from what was published and ordered (S9):
 * so no order of events, entries, crashes and restores comes to another.
 */
export function violationAtRest(cast: Cast, state: State): Violation | undefined {
  for (const [at, copy] of state.copies.entries()) {
    const { event: of, holder } = cast.copies[at] ?? { event: 0, holder: undefined };
    const event = state.events[of];
    if (!event || holder === undefined || copy.life === LIFE.away || event.published === 0)
      continue;
    const found = ofRest(copy, event, isCovered(event, holder));
    if (found) return found;
  }
  return undefined;
}

function ofRest(copy: Copy, event: EventState, isOrdered: boolean): Violation | undefined {
  const cover = coverOf(event);
  const isCut = isOrdered && cover !== undefined && cover.sections.length > 0;
  if (isOrdered && copy.named === 1 && !isFinal(copy)) {
    return broken(9, 'nothing is owed any more, and a holder has not answered');
  }
  if (isOrdered && !isCut) {
    const isGone = copy.row === ROW.none && copy.keys === 0;
    return isGone ? undefined : broken(9, 'nothing is owed any more, and something is here');
  }
  if (cover !== undefined && isWhole(cover)) return undefined;
  const keys = isCut ? 1 : 2;
  if (copy.row === ROW.readable && copy.keys === keys) return undefined;
  return broken(11, 'nothing is owed any more, and what nobody took back cannot be read');
}
