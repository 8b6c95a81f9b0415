import type { WorkerProcess } from './children.js';
import type { Origin } from './ingest.js';
import type { OfficerCalls } from './workers/officer.js';

export type Officer = WorkerProcess<OfficerCalls>;

/** A purge officer at the federation's origin. */
export async function openOfficer({ stage, federation }: Origin): Promise<Officer> {
  const officer = await stage.worker<OfficerCalls>('officer');
  await officer.calls.connect({ home: federation.home, member: federation.origin });
  return officer;
}

/** Orders all of these purged, at once, and waits for every receipt. @returns events per second, from the first order on */
export async function withdraw(
  { stage, federation }: Origin,
  { calls }: Officer,
  ids: readonly string[],
  idsPerOrder: number,
): Promise<number> {
  const groups: string[][] = [];
  for (let at = 0; at < ids.length; at += idsPerOrder) groups.push(ids.slice(at, at + idsPerOrder));
  await calls.prepare(groups);
  const before = await federation.leftOver();
  const sent = await stage.unlessFailed(calls.orderSteadily(Infinity));
  const orderIds = sent.map(({ orderId }) => orderId);
  const holders = federation.recipients.length;
  const answeredMs = await stage.unlessFailed(calls.answered({ orderIds, holders }));
  const after = await federation.leftOver();
  const buried = after.tombstones - before.tombstones;
  if (buried !== ids.length * holders) {
    const text = `expected ${String(ids.length * holders)} new tombstones, came ${String(buried)}`;
    throw new Error(`events escaped a purge: ${text}`);
  }
  const firstMs = Math.min(...sent.map(({ dueAtMs }) => dueAtMs));
  return (ids.length * 1_000) / (Math.max(...answeredMs) - firstMs);
}
