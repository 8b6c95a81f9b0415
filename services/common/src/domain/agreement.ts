import type { MemberId, UnixMs } from './ids.js';

/**
 * held: the recipient stores the keys, and reads on when the origin is down · leased: it has them in memory only, for minutes,
 * and asks the origin again
 */
export type Custody = 'held' | 'leased';

/** What one agreement lets (or forbids) a party release to some others. */
export interface Rule {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly recipients: readonly MemberId[];
  /** patterns as in `matchesCategory` */
  readonly categories: readonly string[];
  /** section names, or `*` alone for all of them */
  readonly sections: readonly string[];
  /** a permit's; a forbid holds for every purpose */
  readonly purposes: readonly string[];
  /** from collection to deletion at the recipient, in milliseconds */
  readonly retentionMs: number;
  /** half-open: from <= now < until */
  readonly fromMs: UnixMs;
  readonly untilMs: UnixMs;
  readonly custody: Custody;
  readonly onward: boolean;
}

/** The treaty between members, as data. In force in the half-open interval [fromMs, untilMs). */
export interface Agreement {
  readonly id: string;
  readonly version: number;
  readonly parties: readonly MemberId[];
  readonly fromMs: UnixMs;
  readonly untilMs: UnixMs;
  readonly rules: readonly Rule[];
}

/** An origin's standing permission under an agreement, withdrawn at any time. */
export interface Consent {
  readonly id: string;
  readonly agreementId: string;
  readonly origin: MemberId;
  readonly fromMs: UnixMs;
  readonly untilMs: UnixMs;
  readonly withdrawn: boolean;
}

export interface Policy {
  readonly agreements: readonly Agreement[];
  readonly consents: readonly Consent[];
}

/** Every other party of `origin`'s agreements, in force or not, in order: a feed topic stands ready for each. */
export function possibleRecipients(policy: Policy, origin: MemberId): MemberId[] {
  const parties = policy.agreements
    .filter((agreement) => agreement.parties.includes(origin))
    .flatMap((agreement) => agreement.parties)
    .filter((member) => member !== origin);
  return [...new Set(parties)].sort();
}
