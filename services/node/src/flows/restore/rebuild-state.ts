import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';
import { recordUnrecordedBlocks, sendUnsentBlocks } from './replay-blocks.js';
import { replayGrants } from './replay-grants.js';
import { replayLedger } from './replay-ledger.js';
import { replayMembership } from './replay-membership.js';
import { replayReceipts } from './replay-receipts.js';
import { keepSealedHeaders } from './sealed-before.js';

/**
 * Runs before anything else is read or answered: a state that is empty, or older than this node's own topics, is brought
 * up to them. Ledger first (who holds what, what is sealed), then blocks, then receipts. The purge ledgers of others are
 * read again by their own readers, from the first entry that the state does not have.
 *
 * @returns what was taken over, in words
 * @throws ConcordatError STATE_LOST when the topics do not tell all of it
 */
export async function rebuildState(
  context: NodeContext,
  log: LogClient,
  origins: { readonly isOrigin: boolean; readonly others: readonly MemberId[] },
): Promise<readonly string[]> {
  const { state, warn } = context;
  const before = new Map(state.chains.ownHeads().map(({ chain, head }) => [chain, head.number]));
  const taken: string[] = [];
  const note = (count: number, what: string): void => {
    if (count > 0) taken.push(`${String(count)} ${what}`);
  };
  if (origins.isOrigin) {
    note(await replayMembership(context, log), 'changes of membership');
    note(await replayGrants(context, log), 'derivation grants');
    const records = await replayLedger(context, log);
    note(records, 'ledger records');
    note(await recordUnrecordedBlocks(context, log), 'blocks');
    if (records > 0) {
      await keepSealedHeaders(context, log);
      for (const where of await sendUnsentBlocks(context, log, before)) {
        warn('CHAIN_GAP', `${where}: never reached the topic, and a row of it is gone`);
      }
    }
    demandNoOtherBlocks(context);
  }
  for (const origin of origins.others) {
    note(await replayReceipts(context, log, origin), `receipts for ${origin}`);
  }
  return taken;
}

/**
 * Own rows of blocks that neither state nor topic knows: were they dropped as never published, their keys would be lost
 * with them. Only the one next block of a lane can be a crash's.
 */
function demandNoOtherBlocks({ self, data, state }: NodeContext): void {
  for (const { chain, number } of data.repair.newestBlocks(self)) {
    const head = state.chains.ownHead(chain);
    if (number <= head.number + 1) continue;
    const known = `state and topics know ${String(head.number)}`;
    throw new ConcordatError(
      'STATE_LOST',
      `${chain}: data.db has block ${String(number)}, ${known}: is this the right broker?`,
    );
  }
}
