import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import type { Hash, MemberId } from '@concordat/common/domain/ids.js';
import { SUITE, signStatement, verifyStatement } from '@concordat/common/domain/statement.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import type { ConsentContext } from './context.js';
import { feedChain, ownFeed } from './write-feed.js';

const REASON_MAX = 500;

/** Numbers of a feed, both included, that will never come. */
export interface VoidRange {
  readonly recipient: MemberId;
  readonly lane: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/**
 * Signs that blocks of a feed are gone, at the word of an operator. What is still kept is sent again, never voided; so the
 * range ends where the kept blocks begin, or with the feed.
 *
 * @throws ConcordatError REQUEST_INVALID
 */
export function voidFeed(
  context: ConsentContext,
  range: VoidRange,
): { readonly chain: string; readonly statement: Uint8Array } {
  const { store, codec, signer, keys, self, clock } = context;
  const { recipient, lane, from, to, reason } = range;
  if (!context.recipients.includes(recipient)) {
    throw fieldError('REQUEST_INVALID', 'recipient', 'expected a party of our agreements');
  }
  if (reason.trim() === '' || reason.length > REASON_MAX) {
    throw fieldError('REQUEST_INVALID', 'reason', `expected 1 to ${String(REASON_MAX)} characters`);
  }
  const chain = feedChain(feedTopic({ origin: self, recipient }), lane);
  const { epoch } = store.chains.ownHead(chain);
  for (const statement of store.chains.voidsAt(chain, epoch, to)) {
    const known = verifyStatement(codec, keys, 'Void', statement, { signer: self });
    if (known.ok && known.value.value.from === from && known.value.value.to === to) {
      return { chain, statement };
    }
  }
  const hash = lastHash(context, range, chain);
  const { bytes } = signStatement(codec, signer, 'Void', {
    ...{ suite: SUITE, federation: keys.federation, origin: self, keyId: signer.keyId },
    ...{ chain, epoch, from, to, hash, reason, timeMs: clock.nowMs() },
  });
  store.db.transaction(() => {
    store.chains.keepVoid(chain, { epoch, from, to }, bytes, clock.nowMs());
    store.chains.count('feed.voids');
  });
  return { chain, statement: bytes };
}

/** What the statement after the range names as the one before it. */
function lastHash(context: ConsentContext, range: VoidRange, chain: string): Hash {
  const { store, self, codec, keys } = context;
  const { recipient, lane, from, to } = range;
  const { epoch, number, hash } = store.chains.ownHead(chain);
  const topic = feedTopic({ origin: self, recipient });
  const { firstKept } = store.chains.keptFrom({ topic, lane, epoch, from: 1 }, 1);
  const last = firstKept === 0 ? number : firstKept - 1;
  if (!Number.isInteger(from) || from < 1 || from > to || to !== last) {
    const kept = firstKept === 0 ? 'none is kept' : `kept are ${firstKept} to ${String(number)}`;
    const wanted = `expected from 1 or more, and to ${String(last)}: ${kept}, and what is kept is sent again`;
    throw new ConcordatError('REQUEST_INVALID', `${chain}: ${wanted}`);
  }
  if (firstKept === 0) return hash;
  const { values } = store.chains.keptFrom({ topic, lane, epoch, from: firstKept }, 1);
  const statement = values[0] && ownFeed(context, recipient).statementOf(values[0]);
  const read =
    statement && verifyStatement(codec, keys, 'FeedStatement', statement, { signer: self });
  if (!read?.ok) throw new ConcordatError('INTERNAL', `${chain}: the first kept block is damaged`);
  return read.value.value.previous;
}
