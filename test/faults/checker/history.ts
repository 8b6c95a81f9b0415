/** How a call ended for who made it. `unknown`: it may have had its effect or not, and may have it later. */
export type Outcome = 'ok' | 'fail' | 'unknown';

/** Where an origin says that an event stands: one lane of blocks, the blocks in it, the leaves in one. */
export interface Place {
  /** lane and epoch, `3/1` */
  readonly lane: string;
  readonly block: number;
  readonly leaf: number;
}

/** One try to publish one event. Tries of one process follow one another. */
export interface Send {
  readonly process: string;
  readonly event: string;
  readonly outcome: Outcome;
  /** of an `ok` one */
  readonly place?: Place;
  /** the origin knew it already: an earlier try, whose end was unknown, had its effect */
  readonly repeated?: boolean;
}

/** A reader takes up a log: the next offset it is given must be the first one after `after` that the log holds. */
export interface Assign {
  readonly kind: 'assign';
  readonly log: string;
  readonly reader: string;
  readonly after: number;
}

/** What a reader was given at once, in the order in which it was given. */
export interface Poll {
  readonly kind: 'poll';
  readonly log: string;
  readonly reader: string;
  readonly values: readonly { readonly offset: number; readonly value: string }[];
}

/**
 * A log that is numbered without going back. `notices`: what a recipient's node tells of events; each value stands in it once,
 * and `WITHDRAWN e` takes the place of `READABLE e`. `lane`: a partition of a topic; the same bytes may be sent into it twice.
 */
export type LogKind = 'notices' | 'lane';

/** An attempt to read an event's content at a node. */
export interface Reading {
  readonly member: string;
  readonly event: string;
  /** `content`, `other` (content, but not what was published), or the code of the refusal */
  readonly answer: string;
  /** had this member's receipt for the event's purge been verified before? */
  readonly afterReceipt: boolean;
}

/** An order that was accepted, and what had become of it in the end. */
export interface Order {
  readonly id: string;
  readonly events: readonly string[];
  /** of the service: `CLOSED` when every holder has answered for good */
  readonly state: string;
  readonly holders: readonly {
    readonly member: string;
    readonly state: string;
    /** says a signed notice that it was silent? */
    readonly isNamed: boolean;
  }[];
}

export interface History {
  readonly sends: readonly Send[];
  readonly logs: ReadonlyMap<string, LogKind>;
  /** in the order of each reader; the last reader of a log, `FINAL`, read it from its beginning when all was over */
  readonly polls: readonly (Assign | Poll)[];
  /** by the name of a log of notices: the member whose it is */
  readonly owners: ReadonlyMap<string, string>;
  readonly orders: readonly Order[];
  readonly readings: readonly Reading[];
}

/** The reader that read everything once more when all was over. */
export const FINAL = 'final';

export const readable = (event: string): string => `READABLE ${event}`;
export const withdrawn = (event: string): string => `WITHDRAWN ${event}`;

/** Which event a notice is about. */
export function eventOf(value: string): { readonly kind: string; readonly event: string } {
  const [kind = '', event = ''] = value.split(' ');
  return { kind, event };
}
