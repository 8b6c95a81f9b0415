import type { Clock } from '@concordat/common/domain/ports.js';
import type { DemoClients } from './clients.js';
import { insist, waitFor } from './patience.js';
import type { ReplayFinding } from './report.js';
import { lookAround } from './settle.js';
import { changedDigests, digestsOf } from './state-digests.js';

const REWIND_MS = 30_000;

/** Every recipient forgets where it was and reads all feeds and purges again; nothing may come of it. */
export async function replayAll(clock: Clock, clients: DemoClients): Promise<ReplayFinding> {
  const before = await insist(clock, () => lookAround(clients));
  const stateChanged: string[] = [];
  for (const [member, node] of clients.recipients) {
    const digests = await insist(clock, () => digestsOf(node));
    await insist(clock, () =>
      node.operator.rewind({}, { timeoutMs: REWIND_MS, waitForReady: true }),
    );
    await waitFor(clock, async () => {
      const { heads } = await digestsOf(node);
      return heads === digests['heads'] ? undefined : `${member} to read everything again`;
    });
    const changed = changedDigests(digests, await digestsOf(node));
    stateChanged.push(...changed.map((name) => `${member}.${name}`));
  }
  const after = await insist(clock, () => lookAround(clients));
  const receipts = (look: typeof after): number =>
    [...look.recipients.values()].reduce((sum, status) => sum + status.receipts, 0);
  return {
    ledgerRecordsAdded: after.origin.ledgerRecords - before.origin.ledgerRecords,
    receiptsAdded: receipts(after) - receipts(before),
    stateChanged,
  };
}
