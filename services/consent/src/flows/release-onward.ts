import { provePartialBlock } from '@concordat/common/domain/block.js';
import { type Terms, meantFor } from '@concordat/common/domain/decide-release.js';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { PartialBlock, Release } from '@concordat/common/domain/records.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { Repeating } from '@concordat/common/io/repeating.js';
import type { ConsentContext } from './context.js';
import { writePart } from './write-feed.js';

const EVERY_MS = 1_000;

/** What the own node accepted at a holder's request. */
export interface AcceptedOnward {
  readonly recipient: MemberId;
  readonly purpose: string;
  readonly sections: readonly string[];
  readonly deleteByMs: UnixMs;
  readonly partial: PartialBlock;
}

/** Asks for the accepted requests after a number. */
export type FetchOnward = (
  after: number,
  signal: AbortSignal,
) => Promise<{ readonly accepted: readonly AcceptedOnward[]; readonly last: number }>;

/**
 * Releases own events to third members at a holder's request, as the own node has accepted it, in the ordinary feed. Consent decides
 * again; position, decision and feed block commit together, so each request is released once.
 */
export function onwardClock(context: ConsentContext, fetch: FetchOnward): Repeating {
  const { store, clock, logger } = context;
  let isFailing = false;
  return new Repeating(clock, EVERY_MS, async (signal) => {
    try {
      for (let more = true; more;) {
        const after = store.onwardPosition();
        const { accepted, last } = await fetch(after, signal);
        more = last > after;
        // mostly nobody asked for anything: a commit that says so would cost as much as that of a block
        if (last !== after) release(context, accepted, last);
      }
      isFailing = false;
    } catch (cause) {
      if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
      if (signal.aborted) return;
      if (!isFailing) {
        logger.warn('requests to share onward wait', { error: asConcordatError(cause) });
      }
      isFailing = true;
    }
  });
}

function release(context: ConsentContext, accepted: readonly AcceptedOnward[], last: number): void {
  const { store, clock, outbox, self } = context;
  const fed = store.db.transaction(() => {
    store.setOnwardPosition(last);
    return accepted.flatMap((one) => releaseOne(context, one, clock.nowMs()));
  });
  for (const { recipient, lane } of fed) outbox.wake(feedTopic({ origin: self, recipient }), lane);
}

function releaseOne(
  context: ConsentContext,
  { recipient, partial, ...asked }: AcceptedOnward,
  nowMs: UnixMs,
): { readonly recipient: MemberId; readonly lane: number }[] {
  const { codec, keys, self, store, policy, recipients } = context;
  const [envelope] = partial.envelopes;
  const block = provePartialBlock(codec, keys, partial, self);
  const header = envelope && parseHeader(codec, envelope.header);
  if (!block.ok) throw block.error;
  if (!envelope || !header?.ok) throw new TypeError('expected an own event with its header');
  const decision = policy.rules.decide(meantFor(recipient, header.value), nowMs);
  const terms = decision.outcome === 'release' ? narrowed(decision.terms, asked) : undefined;
  const isOpen = recipients.includes(recipient) && !store.leavers.all().has(recipient);
  if (!terms || !isOpen) {
    store.chains.count('onward.withheld');
    return [];
  }
  const { id, category } = header.value;
  const made = { id, category, decision: { outcome: 'release', terms } as const };
  if (!store.releaseOnward(recipient, made, nowMs)) return [];
  store.chains.count('onward.released');
  const { leaf } = envelope;
  const headerHash = block.value.leaves.get(leaf);
  if (!headerHash) throw new TypeError('expected the leaf that was proven');
  const { ruleId: _rule, ...rest } = terms;
  const releases: Release[] = [{ id, headerHash, block: block.value.ref, leaf, ...rest }];
  const sections = envelope.sections.filter(({ name }) => terms.sections.includes(name));
  const part = { releases, partial: { ...partial, envelopes: [{ ...envelope, sections }] } };
  const { lane } = block.value.ref;
  writePart(context, { recipient, lane, part }, nowMs);
  return [{ recipient, lane }];
}

/** Never more than what was asked for and the origin's node accepted. */
function narrowed(
  terms: Terms,
  { sections, purpose, deleteByMs }: Pick<AcceptedOnward, 'sections' | 'purpose' | 'deleteByMs'>,
): Terms | undefined {
  const left = terms.sections.filter((name) => sections.includes(name));
  if (left.length === 0 || !terms.purposes.includes(purpose)) return undefined;
  const until = Math.min(terms.deleteByMs, deleteByMs) as UnixMs;
  return { ...terms, sections: left, purposes: [purpose], deleteByMs: until };
}
