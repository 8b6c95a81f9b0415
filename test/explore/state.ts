import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { packingOf } from './packing.js';

/** Which events there are, and who may hold what. Of each event one copy a holder; B and C hold, A publishes `e`. */
export interface Cast {
  readonly name: string;
  /** by number: who publishes it */
  readonly events: readonly { readonly id: EventId; readonly origin: MemberId }[];
  readonly copies: readonly {
    readonly holder: MemberId;
    readonly event: number;
    /** comes to the federation later */
    readonly joins: boolean;
    /** the event of the same member that is derived from this one */
    readonly child?: number;
  }[];
}

/** What the federation has done with an event. */
const EVENT = {
  published: 2,
  /** see `ORDERS` */
  order: 4,
  /** the origin's own keys are there */
  own: 2,
  /** the order's entries are on their topics */
  appended: 2,
} as const;

/** What an order takes: nothing yet, everything, what B was given, section s1 of everybody. */
export const ORDERS = ['none', 'whole', 'of B', 'section'] as const;

/** What a holder has of one event of another member. */
const COPY = {
  /** by the origin: nothing; recorded in its ledger; keys of both sections on their way, for ever; of s2 alone */
  given: 4,
  /** in the seal record */
  named: 2,
  /** its node: up; crashed; down, and files were changed; not a member yet */
  life: 4,
  tombstone: 2,
  /** section s1 is taken back */
  cut: 2,
  /** buried, and the deletion is not finished */
  unfinished: 2,
  /** none, waiting for keys, readable */
  row: 3,
  /** none, of s2, of both sections */
  keys: 3,
  /** none; taken, judged DELETED; taken, judged NOT_HELD; answered openly; answered */
  entry: 5,
  /** with the origin: none, OPEN, DELETED, NOT_HELD */
  receipt: 4,
  /** freshness since the start: no answer, head 0, head 1 */
  heard: 3,
  /** copies of its files: nothing in them, a waiting row, a row with both keys */
  backup: 3,
  /** to purge the child: none, open, done */
  duty: 3,
} as const;

export type EventState = Readonly<Record<keyof typeof EVENT, number>>;
export type Copy = Readonly<Record<keyof typeof COPY, number>>;

export interface State {
  readonly events: readonly EventState[];
  readonly copies: readonly Copy[];
}

export const LIFE = { up: 0, crashed: 1, changed: 2, away: 3 } as const;
export const ROW = { none: 0, waiting: 1, readable: 2 } as const;
export const ENTRY = { none: 0, held: 1, notHeld: 2, opened: 3, answered: 4 } as const;
export const RECEIPT = { none: 0, open: 1, deleted: 2, notHeld: 3 } as const;
export const SECTIONS = ['s1', 's2'] as const;

const EVENT_START: EventState = { published: 0, order: 0, own: 0, appended: 0 };
const COPY_START: Copy = {
  ...{ given: 0, named: 0, life: LIFE.up, tombstone: 0, cut: 0, unfinished: 0, row: 0, keys: 0 },
  ...{ entry: 0, receipt: 0, heard: 0, backup: 0, duty: 0 },
};

export function startOf(cast: Cast): State {
  return {
    events: cast.events.map(() => EVENT_START),
    copies: cast.copies.map(({ joins }) => ({ ...COPY_START, life: joins ? LIFE.away : LIFE.up })),
  };
}

export const EVENTS = packingOf(EVENT);
export const COPIES = packingOf(COPY);

export function withEvent(state: State, at: number, change: Partial<EventState>): State {
  return {
    ...state,
    events: state.events.map((one, n) => (n === at ? { ...one, ...change } : one)),
  };
}
