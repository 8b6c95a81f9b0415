import type { PurgeOutcome } from '@concordat/common/domain/records.js';

/** An event of an entry as it stands now. */
export interface OutcomeFacts {
  /** what was judged when the entry came, see `burialOf` */
  readonly judged: PurgeOutcome;
  readonly isHeldByLaw: boolean;
  /** a copy system has not answered for it */
  readonly isOwed: boolean;
  /** an event of ours that comes from it is not shown to be purged */
  readonly isChildOpen: boolean;
}

/** What a receipt that is signed now says of it. Only what is open for nobody is as it was judged (S2). */
export function outcomeNow({
  judged,
  isHeldByLaw,
  isOwed,
  isChildOpen,
}: OutcomeFacts): PurgeOutcome {
  if (isHeldByLaw) return 'HELD';
  if (isOwed) return 'SYSTEMS_OPEN';
  return isChildOpen ? 'CHILDREN_OPEN' : judged;
}
