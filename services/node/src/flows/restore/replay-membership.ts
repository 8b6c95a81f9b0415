import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';
import { ownMembership } from './own-topics.js';
import { replayStatements } from './replay-statements.js';

/**
 * Brings up who leaves and who has left to the own topic, before any key may leave.
 *
 * @returns how many changes were taken over
 * @throws ConcordatError STATE_LOST when the topic does not carry the whole chain
 */
export function replayMembership(context: NodeContext, log: LogClient): Promise<number> {
  return replayStatements(
    context,
    log,
    { name: 'MembershipChange', own: ownMembership(context) },
    ({ value, bytes }) => {
      const { member, stage, reason } = value;
      // the broker has it: no outbox row stands for it
      context.state.membership.add({ member, stage, reason, bytes, seq: 0 });
    },
  );
}
