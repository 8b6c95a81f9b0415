import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import { membershipTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';
import { chainsAhead, ownMembership } from './own-topics.js';

/**
 * Brings up who leaves and who has left to the own topic, before any key may leave.
 *
 * @returns how many changes were taken over
 * @throws ConcordatError STATE_LOST when the topic does not carry the whole chain
 */
export async function replayMembership(context: NodeContext, log: LogClient): Promise<number> {
  const ahead = await chainsAhead(context, log, ownMembership(context));
  if (ahead.size === 0) return 0;
  const { codec, keys, self, state } = context;
  const topic = membershipTopic(self);
  const changes: Verified<'MembershipChange'>[] = [];
  const before = state.chains.ownHead(topic).number;
  await log.scan(topic, 0, 0n, ({ value }) => {
    const change = verifyStatement(codec, keys, 'MembershipChange', value, { signer: self });
    // a stranger's bytes on our topic are none of ours
    if (change.ok && change.value.value.number > before) changes.push(change.value);
  });
  state.db.transaction(() => {
    for (const change of changes) takeOver(context, change);
  });
  return state.chains.ownHead(topic).number - before;
}

function takeOver(
  { state, self }: NodeContext,
  { value, bytes, hash }: Verified<'MembershipChange'>,
) {
  const topic = membershipTopic(self);
  const head = state.chains.ownHead(topic);
  const { epoch, number, member, stage, reason } = value;
  // sent twice, byte for byte
  if (number <= head.number) return;
  if (number !== head.number + 1 || !equalBytes(value.previous, head.hash)) {
    const expected = `expected number ${String(head.number + 1)} of one chain`;
    throw new ConcordatError('STATE_LOST', `${topic}: ${expected}, came ${String(number)}`);
  }
  state.chains.advanceOwn(topic, head, { epoch, number, hash });
  // the broker has it: no outbox row stands for it
  state.membership.add({ member, stage, reason, bytes, seq: 0 });
}
