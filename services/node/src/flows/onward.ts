import { meantFor } from '@concordat/common/domain/decide-release.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { partialProof } from '@concordat/common/domain/merkle.js';
import { takesSection } from '@concordat/common/domain/purge-order.js';
import type { PartialBlock } from '@concordat/common/domain/records.js';
import type { OnwardRequest, StoredOnward } from '../io/state/onward-requests.js';
import type { NodeContext } from './context.js';
import { sectionsHeld } from './scope-losses.js';

/** What a holder asks of the origin. */
export type OnwardWish = Pick<OnwardRequest, 'id' | 'recipient' | 'purpose' | 'reason'>;

/** An accepted request with what consent needs to release it: the event as it was published, and its place in its block. */
export interface AcceptedOnward {
  readonly request: StoredOnward;
  readonly partial: PartialBlock;
}

type Answer = Pick<OnwardRequest, 'answer' | 'sections' | 'deleteByMs'>;

const NOTHING = { sections: [], deleteByMs: 0 as UnixMs };
const TEXTS = {
  MEMBER_LEAVES: 'expected a member that does not leave',
  ONWARD_NOT_HELD: 'expected an event that you hold and that nothing takes back',
  ONWARD_NOT_ALLOWED: 'expected a member and a purpose that the origin releases this event to',
} as const;
type Refusal = keyof typeof TEXTS;

/**
 * A holder asks that an own event be released to a third member. The policy decides, never the holder: that the event may be
 * shared on at all stands in the holder's terms, that the third member may have it in its own. Kept with who asked, when
 * and why, whatever the answer; the same again is accepted once. Of what the third member holds, the answer says nothing.
 *
 * @param holder the caller's member, from its certificate
 * @throws ConcordatError MEMBER_LEAVES, ONWARD_NOT_HELD, ONWARD_NOT_ALLOWED
 */
export function takeOnward(context: NodeContext, holder: MemberId, wish: OnwardWish): void {
  const { state, clock } = context;
  const refused = state.db.transaction((): Refusal | undefined => {
    const nowMs = clock.nowMs();
    const decided = decideOnward(context, holder, wish, nowMs);
    const isRefused = typeof decided === 'string';
    const answer: Answer = isRefused ? { answer: decided, ...NOTHING } : decided;
    const before = state.onward.accepted(wish.id, wish.recipient);
    const isKnown = before.some((one) => one.holder === holder && one.purpose === wish.purpose);
    if (isRefused || !isKnown) state.onward.add({ ...wish, holder, atMs: nowMs, ...answer });
    state.chains.count(`onward.${answer.answer}`);
    return isRefused ? decided : undefined;
  });
  if (refused) throw new ConcordatError(refused, TEXTS[refused]);
}

function decideOnward(
  context: NodeContext,
  holder: MemberId,
  { id, recipient, purpose }: OnwardWish,
  nowMs: UnixMs,
): Answer | Refusal {
  const { state, recent, rules, self } = context;
  if (state.membership.isLeaving(holder)) return 'MEMBER_LEAVES';
  const event = state.own.event(id);
  const held = event ? sectionsHeld(context, { id, event }, holder) : [];
  const header = recent.get(self, id)?.header;
  if (held.length === 0 || !header) return 'ONWARD_NOT_HELD';
  const termsOf = (member: MemberId) => {
    const decision = rules.decide(meantFor(member, header), nowMs);
    return decision.outcome === 'release' ? decision.terms : undefined;
  };
  const [own, theirs] = [termsOf(holder), termsOf(recipient)];
  const isThird = recipient !== holder && recipient !== self;
  const mayGo = isThird && own?.onward === true && theirs?.purposes.includes(purpose) === true;
  if (!mayGo || state.membership.isLeaving(recipient)) return 'ONWARD_NOT_ALLOWED';
  const taken = state.covers.among([id], recipient).get(id) ?? [];
  const sections = theirs.sections.filter(
    (name) => held.includes(name) && !taken.some((cover) => takesSection(cover, name)),
  );
  if (sections.length === 0) return 'ONWARD_NOT_ALLOWED';
  const deleteByMs = Math.min(own.deleteByMs, theirs.deleteByMs) as UnixMs;
  return { answer: 'ACCEPTED', sections, deleteByMs };
}

/** For the own consent service; what was taken back since is left out. */
export function acceptedOnward(
  context: NodeContext,
  after: number,
  limit: number,
): { readonly accepted: readonly AcceptedOnward[]; readonly last: number } {
  const requests = context.state.onward.acceptedAfter(after, limit);
  const accepted = requests.flatMap((request): AcceptedOnward[] => {
    const partial = partialOf(context, request.id, request.sections);
    return partial ? [{ request, partial }] : [];
  });
  return { accepted, last: requests.at(-1)?.number ?? after };
}

function partialOf(
  { state, data, self }: NodeContext,
  id: EventId,
  sections: readonly string[],
): PartialBlock | undefined {
  const event = state.own.event(id);
  const block = event && state.own.block(event);
  const row = data.find(self, id);
  if (!block || !row || state.tombstones.buriedAmong(self, [id]).has(id)) return undefined;
  const { leaf } = event;
  const sealed = data.sections(self, id).filter(({ name }) => sections.includes(name));
  return {
    statement: block.statement,
    envelopes: [{ leaf, header: row.header, sections: sealed }],
    proof: partialProof(block.leafHashes, new Set([leaf])),
  };
}
