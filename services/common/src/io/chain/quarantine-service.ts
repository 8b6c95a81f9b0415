import { ConcordatError } from '../../domain/errors.js';
import { QuarantineService } from '../rpc/definitions.js';
import { type Served, serve } from '../rpc/server.js';
import type { ChainTables } from '../store/chain-tables.js';
import type { FollowedTopic } from './followed-topic.js';

/** A followed topic, and what has to be done after a commit of it. */
export interface Replayable {
  readonly followed: FollowedTopic;
  readonly settle: () => void | Promise<void>;
}

/**
 * The quarantine of one process, for its operators: where records came from and why they were refused, never their bytes.
 *
 * @param tables those of every store of the process
 */
export function quarantineService(
  tables: readonly ChainTables[],
  flows: readonly Replayable[],
): Served {
  return serve(QuarantineService, {
    list: async () => ({
      items: tables.flatMap((chains) => chains.quarantined()),
    }),
    replay: async ({ source }) => {
      const flow = flows.find(({ followed }) => source.startsWith(`${followed.topic}/`));
      if (!flow) {
        throw new ConcordatError('REQUEST_INVALID', 'source: expected one that the list names');
      }
      const problem = flow.followed.replay(source);
      await flow.settle();
      if (!problem) return { outcome: 'APPLIED', code: '', message: '' };
      return { outcome: 'REFUSED', code: problem.code, message: problem.message };
    },
  });
}
