import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import type { PurgeReason } from '@concordat/common/domain/records.js';

/** As everywhere: an event's identity is the pair. */
export interface EventName {
  readonly origin: MemberId;
  readonly id: EventId;
}

/** `unknown`: its national system got no answer, and does not know whether it is published. */
type Acceptance = 'asked' | 'accepted' | 'unknown' | 'refused';

/** What a national system wanted to publish. */
export interface BookedEvent extends EventName {
  readonly category: string;
  readonly collectedAtMs: number;
  readonly retainUntilMs: number;
  readonly purposes: readonly string[];
  readonly byAgreement: boolean;
  /** the audience's members; meant when it is not by agreement */
  readonly audience: readonly MemberId[];
  readonly parents: readonly EventName[];
  readonly supersedes: EventId | undefined;
  state: Acceptance;
  /** with which code it was refused */
  code: string | undefined;
}

/** What an officer ordered. */
export interface BookedOrder {
  readonly origin: MemberId;
  readonly orderId: OrderId;
  readonly ids: readonly EventId[];
  /** none: all */
  readonly recipients: readonly MemberId[];
  /** none: whole events */
  readonly sections: readonly string[];
  readonly reason: PurgeReason;
  readonly bytes: Uint8Array;
  /** by what it was selected */
  readonly scope: string;
  readonly deadlineMs: number;
  state: Acceptance;
  code: string | undefined;
}

/** The law keeps an event at a holder. */
export interface BookedHold extends EventName {
  readonly member: MemberId;
}

/** A copy system of a member, and what its database has. */
export interface BookedSystem {
  readonly member: MemberId;
  readonly systemId: string;
  cursor: string;
  readonly copies: Set<string>;
}

/** What was meant to happen, by whoever wanted it: the model of the truth is made from it and from what was answered. */
export class Book {
  readonly events = new Map<string, BookedEvent>();
  readonly orders = new Map<OrderId, BookedOrder>();
  readonly holds = new Map<string, BookedHold>();
  readonly systems = new Map<string, BookedSystem>();
  policyChanges = 0;

  eventsOf(origin: MemberId): BookedEvent[] {
    return [...this.events.values()].filter((event) => event.origin === origin);
  }
}

export function eventKey({ origin, id }: EventName): string {
  return `${origin}/${id}`;
}
