import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';

interface Handling {
  readonly tlp: string;
  readonly europol: string;
  readonly source: string;
  readonly information: number;
}
interface Audience {
  readonly byAgreement: boolean;
  readonly members: readonly string[];
}

/** What the node tells of an own event. */
export interface ShownEvent {
  readonly eventId: string;
  readonly state: string;
  readonly supersededBy: string;
  readonly category: string;
  readonly schemaHash: Uint8Array;
  readonly purposes: readonly string[];
  readonly legalBasis: string;
  readonly collectedAtMs: number;
  readonly retainUntilMs: number;
  readonly handling?: Handling | null | undefined;
  readonly audience?: Audience | null | undefined;
}

/** What the amended event says otherwise; all else stays as it was. */
export interface Change {
  readonly purposes?: readonly string[];
  readonly legalBasis?: string;
  readonly retainUntilMs?: number;
  readonly to?: readonly MemberId[];
  readonly byAgreement?: boolean;
  readonly tlp?: string;
  readonly europol?: string;
  readonly source?: string;
  readonly information?: number;
}

/** An event that replaces another, but for its content. */
export interface Amendment {
  readonly supersedes: EventId;
  readonly category: string;
  readonly schemaHash: Uint8Array;
  readonly purposes: string[];
  readonly legalBasis: string;
  readonly collectedAtMs: number;
  readonly retainUntilMs: number;
  readonly handling: Handling;
  readonly audience: { readonly byAgreement: boolean; readonly members: string[] };
}

/**
 * The old event's facts with what changes. The time of collection and the end of retention stay: a correction does not
 * make data younger.
 *
 * @returns PURGED when the event is gone, REQUEST_INVALID when another one replaced it or the change contradicts itself
 */
export function amendmentOf(
  supersedes: EventId,
  old: ShownEvent,
  change: Change,
): Result<Amendment, ConcordatError> {
  const problem = cannotAmend(old);
  if (problem) return err(problem);
  const { handling, audience } = old;
  if (!handling || !audience) throw new TypeError('expected handling and audience of an own event');
  const { to = [], byAgreement = false } = change;
  if (byAgreement && to.length > 0) {
    const text = '--to, --by-agreement: expected at most one of them, came both';
    return err(new ConcordatError('REQUEST_INVALID', text));
  }
  const isChanged = byAgreement || to.length > 0;
  return ok({
    supersedes,
    category: old.category,
    schemaHash: old.schemaHash,
    purposes: [...(change.purposes ?? old.purposes)],
    legalBasis: change.legalBasis ?? old.legalBasis,
    collectedAtMs: old.collectedAtMs,
    retainUntilMs: change.retainUntilMs ?? old.retainUntilMs,
    handling: {
      tlp: change.tlp ?? handling.tlp,
      europol: change.europol ?? handling.europol,
      source: change.source ?? handling.source,
      information: change.information ?? handling.information,
    },
    audience: isChanged
      ? { byAgreement, members: [...to] }
      : { byAgreement: audience.byAgreement, members: [...audience.members] },
  });
}

function cannotAmend({ eventId, state, supersededBy }: ShownEvent): ConcordatError | undefined {
  if (supersededBy !== '') {
    const text = `expected the newest version, ${eventId} was replaced by ${supersededBy}: amend that one`;
    return new ConcordatError('REQUEST_INVALID', text);
  }
  return state === 'PUBLISHED' ? undefined : alreadyGone(eventId);
}

/** What was taken back can be neither amended nor taken back again. */
export function alreadyGone(eventId: string): ConcordatError {
  const text = `${eventId} was taken back already: publish a new event if there is something to say`;
  return new ConcordatError('PURGED', text);
}
