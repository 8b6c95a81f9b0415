import { nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { takesSection } from '@concordat/common/domain/purge-order.js';
import type { DerivationGrant } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { grantsTopic } from '@concordat/common/domain/topics.js';
import type { StoredGrant } from '../io/state/grants-table.js';
import type { NodeContext } from './context.js';
import { releasesOfBlock } from './recorded-releases.js';

/** Grants from one event to one member. Each stands in the event's seal record, and one event must always fit into one. */
const GRANTS_OF_ONE_MAX = 64;

/**
 * Permits a holder to derive one event of its own from events of ours. Like the release of a key: checked and written in
 * one commit, so that a seal either finds the grant or prevents it, and answered once the broker has it.
 *
 * @param holder the caller's member, from its certificate
 * @returns signed grants in the order of `parents`; the same ones whoever asks again
 * @throws ConcordatError EVENT_UNKNOWN, DERIVATION_REFUSED, with no grant made
 */
export async function grantDerivations(
  context: NodeContext,
  holder: MemberId,
  { child, parents }: { readonly child: EventId; readonly parents: readonly EventId[] },
): Promise<readonly Uint8Array[]> {
  const { state, clock, outbox, self } = context;
  const nowMs = clock.nowMs();
  const grants = state.db.transaction(() =>
    parents.map((parent) => {
      const asked = { holder, parent, child };
      demandDerivable(context, asked, nowMs);
      return state.grants.find(asked) ?? commitGrant(context, asked, nowMs);
    }),
  );
  outbox.wake(grantsTopic(self), 0);
  // also an old grant may still be under way
  await outbox.acknowledged(grantsTopic(self), 0, Math.max(0, ...grants.map(({ seq }) => seq)));
  return grants.map(({ bytes }) => bytes);
}

type Asked = Pick<DerivationGrant, 'holder' | 'parent' | 'child'>;

/** Whoever was given no key of an event learns nothing of it, not even that it exists. */
function demandDerivable(context: NodeContext, asked: Asked, nowMs: UnixMs): void {
  const { holder, parent } = asked;
  const given = sectionsGiven(context, holder, parent);
  if (given.size === 0) {
    const text = `expected an event whose keys were given to ${holder}, got ${parent}`;
    throw new ConcordatError('EVENT_UNKNOWN', text);
  }
  const why = whyNot(context, asked, given, nowMs);
  if (why !== undefined) throw new ConcordatError('DERIVATION_REFUSED', `${parent}: ${why}`);
}

function sectionsGiven(context: NodeContext, holder: MemberId, parent: EventId): Set<string> {
  const event = context.state.own.event(parent);
  if (!event) return new Set();
  const releases = releasesOfBlock(context, event, holder).filter(
    ({ leaf }) => leaf === event.leaf,
  );
  return new Set(releases.flatMap(({ sections }) => sections));
}

function whyNot(
  { state, self, rules, recent }: NodeContext,
  asked: Asked,
  given: ReadonlySet<string>,
  nowMs: UnixMs,
): string | undefined {
  const { holder, parent } = asked;
  if (state.tombstones.isBuried(self, parent)) return 'it is taken back';
  const covers = state.covers.among([parent], holder).get(parent) ?? [];
  const left = [...given].filter((name) => !covers.some((cover) => takesSection(cover, name)));
  if (left.length === 0) return `everything that ${holder} was given of it is taken back`;
  if (state.membership.isLeaving(holder)) return `${holder} leaves`;
  const { header, audience } = recent.get(self, parent) ?? {};
  if (!header || !audience) return 'it is lost here';
  const decision = rules.decide({ header, audience, recipient: holder }, nowMs);
  if (decision.outcome === 'withheld') return `today it would be withheld, ${decision.reason}`;
  if (!decision.terms.onward) return `rule ${decision.terms.ruleId} does not let it be carried on`;
  if (!state.grants.find(asked) && state.grants.count(holder, parent) >= GRANTS_OF_ONE_MAX) {
    return `${holder} has derived ${String(GRANTS_OF_ONE_MAX)} events from it, and that is the most`;
  }
  return undefined;
}

function commitGrant(
  { state, codec, signer, keys, self }: NodeContext,
  asked: Asked,
  timeMs: UnixMs,
): StoredGrant {
  const topic = grantsTopic(self);
  const head = state.chains.ownHead(topic);
  const statement: DerivationGrant = {
    ...{ suite: SUITE, federation: keys.federation, origin: self, keyId: signer.keyId },
    ...nextLink(head),
    ...{ timeMs, ...asked },
  };
  const { bytes, hash } = signStatement(codec, signer, 'DerivationGrant', statement);
  const { epoch, number } = statement;
  state.chains.advanceOwn(topic, head, { epoch, number, hash });
  const about = { kind: 'derivation-grant', source: self, chain: topic, epoch, number };
  const seq = state.chains.enqueue(topic, 0, { value: bytes, headers: cloudEventHeaders(about) });
  const stored = { number, timeMs, ...asked, bytes, seq };
  state.grants.add(stored);
  return stored;
}
