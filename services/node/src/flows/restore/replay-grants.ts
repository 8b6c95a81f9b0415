import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';
import { ownGrants } from './own-topics.js';
import { replayStatements } from './replay-statements.js';

/**
 * Brings up who was permitted to derive what to the own topic, before anything may be sealed.
 *
 * @returns how many grants were taken over
 * @throws ConcordatError STATE_LOST when the topic does not carry the whole chain
 */
export function replayGrants(context: NodeContext, log: LogClient): Promise<number> {
  return replayStatements(
    context,
    log,
    { name: 'DerivationGrant', own: ownGrants(context) },
    ({ value, bytes }) => {
      const { number, holder, parent, child, timeMs } = value;
      // the broker has it: no outbox row stands for it
      context.state.grants.add({ number, holder, parent, child, timeMs, bytes, seq: 0 });
    },
  );
}
