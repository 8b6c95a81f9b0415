import type { WithholdReason } from '@concordat/common/domain/decide-release.js';

export interface Explanation {
  readonly because: string;
  /** what would make the answer another one */
  readonly change: string;
}

const OF_REASON: Record<WithholdReason, Explanation> = {
  AUDIENCE_UNREADABLE: {
    because: 'the audience of the event is not the one that its header commits to',
    change: 'publish the event again; this one goes to nobody',
  },
  AUDIENCE_EXCLUDES: {
    because: 'the publisher named other members as its audience',
    change: 'publish a new event that supersedes this one, with this member in --to',
  },
  MEMBER_LEAVES: {
    because: 'this member leaves or has left: everything that it was given is taken back',
    change: 'nothing: who has left gets nothing more',
  },
  NO_AGREEMENT: {
    because: 'no agreement in force has both members as parties',
    change: 'conclude an agreement between them, and put it into the agreements file',
  },
  NO_CONSENT: {
    because: 'the origin gives no consent in force under its agreements with this member',
    change: 'give a consent under the agreement, from now on',
  },
  NO_RULE: {
    because: 'no rule in force gives this category to this member',
    change: 'add a rule with this member and this category to the agreement',
  },
  FORBIDDEN: {
    because: 'a rule forbids every section that another one permits',
    change: 'end the rule that forbids; it outweighs any number of permits',
  },
  PURPOSE_NOT_ALLOWED: {
    because: 'the event was collected for other purposes than the rule permits',
    change: 'add one of the purposes to the rule, or publish for a purpose that it permits',
  },
  NO_SECTION: {
    because: 'the rule permits only sections that this event does not have',
    change: 'add one of its sections to the rule',
  },
  RETENTION_PASSED: {
    because: 'the time for which the rule lets this member keep it is over',
    change: 'nothing for this event; a rule with a longer retention for later ones',
  },
};

/** A reason's words; `undefined` for a reason that this release does not know. */
export function explanationOf(reason: string): Explanation | undefined {
  return Object.entries(OF_REASON).find(([known]) => known === reason)?.[1];
}
