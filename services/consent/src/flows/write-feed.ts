import { nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { FeedStatement } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import type { OwnTopic } from '@concordat/common/io/adopt-tails.js';
import { SEND_BYTES_MAX } from '@concordat/common/io/log-client.js';
import { type FeedPart, type Released, type SourceBlock, feedPart } from '../domain/feed-block.js';
import type { ConsentContext } from './context.js';

/** Leaves room for the headers and the frame of a record: see `sendBytes`. */
const FEED_BLOCK_BYTES_MAX = SEND_BYTES_MAX - 4_096;

/**
 * Numbers, signs and enqueues what one recipient gets of one block; call inside the transaction of the decisions. That is one
 * feed block, on the lane of the origin's block; several only if it were larger than a record may be.
 */
export function writeFeed(
  context: ConsentContext,
  source: SourceBlock,
  recipient: MemberId,
  released: readonly Released[],
  nowMs: UnixMs,
): void {
  const { lane } = source.ref;
  const part = feedPart(source, released);
  const isWritten = writePart(context, { recipient, lane, part }, nowMs);
  if (isWritten) return;
  const half = Math.ceil(released.length / 2);
  writeFeed(context, source, recipient, released.slice(0, half), nowMs);
  writeFeed(context, source, recipient, released.slice(half), nowMs);
}

/**
 * One feed block.
 *
 * @returns false, with nothing written, when it has several releases and would be larger than a record may be
 */
export function writePart(
  { store, codec, signer, keys, self }: ConsentContext,
  to: { readonly recipient: MemberId; readonly lane: number; readonly part: FeedPart },
  nowMs: UnixMs,
): boolean {
  const { recipient, lane, part } = to;
  const { releases, partial } = part;
  const topic = feedTopic({ origin: self, recipient });
  const chain = feedChain(topic, lane);
  const head = store.chains.ownHead(chain);
  const statement: FeedStatement = {
    suite: SUITE,
    federation: keys.federation,
    origin: self,
    keyId: signer.keyId,
    recipient,
    lane,
    ...nextLink(head),
    timeMs: nowMs,
    releases,
  };
  const signed = signStatement(codec, signer, 'FeedStatement', statement);
  const value = codec.encode('FeedBlock', { statement: signed.bytes, blocks: [partial] });
  if (value.length > FEED_BLOCK_BYTES_MAX && releases.length > 1) return false;
  const { epoch, number } = statement;
  store.chains.advanceOwn(chain, head, { epoch, number, hash: signed.hash });
  const headers = cloudEventHeaders({ kind: 'feed-block', source: self, chain, epoch, number });
  store.chains.enqueueKept(topic, lane, { value, headers }, { epoch, number, atMs: nowMs });
  return true;
}

export function feedChain(topic: string, lane: number): string {
  return `${topic}/${String(lane)}`;
}

/** Our feed to one recipient, as the start looks for its newest statement. */
export function ownFeed(
  { self, codec }: Pick<ConsentContext, 'self' | 'codec'>,
  recipient: MemberId,
): OwnTopic<'FeedStatement'> {
  const topic = feedTopic({ origin: self, recipient });
  return {
    topic,
    names: ['FeedStatement'],
    chainOf: (lane) => feedChain(topic, lane),
    statementOf: (value) => {
      const block = codec.decode('FeedBlock', value);
      return block.ok ? block.value.statement : undefined;
    },
    belongs: (statement, lane) => statement.recipient === recipient && statement.lane === lane,
  };
}
