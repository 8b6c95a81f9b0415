import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { DemoClients, MemberClients } from './clients.js';
import { insist, waitFor } from './patience.js';
import type { ReplayFinding } from './report.js';
import { ORIGIN } from './scenario.js';
import { ASK, lookAround } from './settle.js';
import { changedDigests, digestsOf } from './state-digests.js';

const REWIND_MS = 30_000;

/**
 * Every recipient forgets where it was and reads all feeds and purges again; nothing may come of it.
 *
 * @param onProgress told with the share of the recipients that are done
 */
export async function replayAll(
  clock: Clock,
  clients: DemoClients,
  onProgress: (share: number) => void,
): Promise<ReplayFinding> {
  const before = await insist(clock, () => lookAround(clients));
  const stateChanged: string[] = [];
  let purgedSkipped = 0;
  let done = 0;
  for (const [member, node] of clients.recipients) {
    onProgress(done / clients.recipients.size);
    const digests = await insist(clock, () => digestsOf(node));
    purgedSkipped += await replayOne(clock, member, node);
    const changed = changedDigests(digests, await insist(clock, () => digestsOf(node)));
    stateChanged.push(...changed.map((name) => `${member}.${name}`));
    done += 1;
  }
  onProgress(1);
  const after = await insist(clock, () => lookAround(clients));
  const receipts = (look: typeof after): number =>
    [...look.recipients.values()].reduce((sum, status) => sum + status.receipts, 0);
  return {
    ledgerRecordsAdded: after.origin.ledgerRecords - before.origin.ledgerRecords,
    receiptsAdded: receipts(after) - receipts(before),
    purgedSkipped,
    stateChanged,
  };
}

/** @returns how many releases of purged events it met on the way */
async function replayOne(clock: Clock, member: MemberId, node: MemberClients): Promise<number> {
  const first = await insist(clock, () => readSoFar(node));
  let start = first;
  await insist(clock, async () => {
    start = await readSoFar(node); // a call that is made again begins anew
    await node.operator.rewind({}, { timeoutMs: REWIND_MS, waitForReady: true });
  });
  let now = start;
  await waitFor(clock, async () => {
    now = await readSoFar(node);
    const isDone =
      now.blocks - start.blocks >= first.blocks && now.purgeEntries >= first.purgeEntries;
    return isDone ? undefined : `${member} to read everything again`;
  });
  return now.purged - start.purged;
}

/** Feed blocks and releases of purged events that were ever taken up, and the last purge entry applied. */
async function readSoFar({ operator }: MemberClients) {
  const { counters, partners } = await operator.status({}, ASK);
  return {
    blocks: counters['feed.blocks'] ?? 0,
    purged: counters['feed.purged'] ?? 0,
    purgeEntries: partners.find((one) => one.member === ORIGIN)?.purgeApplied ?? 0,
  };
}
