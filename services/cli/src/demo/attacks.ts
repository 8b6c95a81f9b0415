import { EMPTY_HEAD } from '@concordat/common/domain/chain.js';
import type { EventId, Hash, OrderId } from '@concordat/common/domain/ids.js';
import { asUnixMs, parseOrderId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import { SUITE, type Signer, signStatement } from '@concordat/common/domain/statement.js';
import { feedTopic, purgeTopic } from '@concordat/common/domain/topics.js';
import type { LogClient, LogRecord } from '@concordat/common/io/log-client.js';
import { v7 as uuidv7 } from 'uuid';
import type { Book, Listed } from './book.js';
import type { DemoClients, MemberClients } from './clients.js';
import { insist, waitFor } from './patience.js';
import { refusalOf } from './read-back.js';
import type { AttackDetail, AttackName, AttackResult } from './report.js';
import { FEDERATION, ORDER_DEADLINE_MS, ORIGIN, RECIPIENTS } from './scenario.js';
import { ASK } from './settle.js';
import { digestsOf, joined } from './state-digests.js';

export interface AttackParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly codec: RecordCodec;
  readonly log: LogClient;
  readonly clients: DemoClients;
  readonly book: Book;
  /** a key of the federation that may not order anything: another member's node */
  readonly stranger: Signer;
}

export interface AttackFinding {
  readonly result: AttackResult;
  readonly detail: AttackDetail;
}

/** The three attacks, each against the first recipient; what its node said, and whether its state moved. */
export async function tryAttacks(parts: AttackParts): Promise<Record<AttackName, AttackFinding>> {
  const [victim] = RECIPIENTS;
  const node = victim && parts.clients.recipients.get(victim);
  if (!victim || !node) throw new TypeError('the demo has no recipient');
  const around = async (
    attack: () => Promise<{ readonly result: AttackResult; readonly code: string }>,
  ): Promise<AttackFinding> => {
    const stateBefore = joined(await insist(parts.clock, () => digestsOf(node)));
    const { result, code } = await attack();
    const stateAfter = joined(await insist(parts.clock, () => digestsOf(node)));
    const isUnmoved = stateBefore === stateAfter;
    return { result: isUnmoved ? result : 'accepted', detail: { code, stateBefore, stateAfter } };
  };
  return {
    forgedPurge: await around(() => forgePurge(parts, node)),
    replay: await around(() => replayBlock(parts, node)),
    readPurged: await around(() => readPurged(parts, node)),
  };
}

/** A purge entry for a live event, next in number, signed by somebody who is not the origin. */
async function forgePurge(
  { clock, random, codec, log, book, stranger }: AttackParts,
  node: MemberClients,
): Promise<{ readonly result: AttackResult; readonly code: string }> {
  const [recipient] = RECIPIENTS;
  const [target] = book.live.values();
  if (!recipient || !target) throw new TypeError('nothing to attack');
  const topic = purgeTopic({ origin: ORIGIN, recipient });
  const nowMs = clock.nowMs();
  const status = await insist(clock, () => node.operator.status({}, ASK));
  const partner = status.partners.find(({ member }) => member === ORIGIN);
  const orderId = parseOrderId(uuidv7({ msecs: nowMs, random: random.bytes(16) }));
  if (!orderId.ok) throw new TypeError('a new id is not a UUID');
  const forged = signStatement(codec, stranger, 'PurgeEntry', {
    suite: SUITE,
    federation: FEDERATION,
    origin: ORIGIN,
    keyId: stranger.keyId,
    recipient,
    epoch: EMPTY_HEAD.epoch,
    number: (partner?.purgeApplied ?? 0) + 1,
    previous: random.bytes(32) as Hash,
    timeMs: nowMs,
    orderId: orderId.value satisfies OrderId,
    sealRecordHash: random.bytes(32) as Hash,
    part: 1,
    parts: 1,
    ids: [target.id],
    deadlineMs: asUnixMs(nowMs + ORDER_DEADLINE_MS),
  });
  const { baseOffset } = await log.send(topic, 0, [{ value: forged.bytes }]);
  const source = `${topic}/0/${baseOffset.toString()}`;
  const code = await judgement(clock, node, source, target);
  return { result: code === 'accepted' ? 'accepted' : 'refused', code };
}

/** Waits until the node has judged the record: quarantined with a code, or the target is gone. */
async function judgement(
  clock: Clock,
  node: MemberClients,
  source: string,
  target: Listed,
): Promise<string> {
  let code = '';
  await waitFor(clock, async () => {
    const { items } = await node.operator.listQuarantine({}, ASK);
    const found = items.find((item) => item.source === source);
    if (found) code = found.code;
    const { state } = await node.operator.show({ origin: ORIGIN, eventId: target.id }, ASK);
    if (state === 'PURGED') code = 'accepted';
    return code === '' ? 'the node to judge the forged purge order' : undefined;
  });
  return code;
}

/** The very first feed block once more, at a new offset. */
async function replayBlock(
  { clock, log, clients }: AttackParts,
  node: MemberClients,
): Promise<{ readonly result: AttackResult; readonly code: string }> {
  const [recipient] = RECIPIENTS;
  if (!recipient) throw new TypeError('nobody to replay to');
  const topic = feedTopic({ origin: ORIGIN, recipient });
  const old = await firstRecord(log, topic);
  const count = async (): Promise<number> =>
    (await node.operator.status({}, ASK)).counters['feed.duplicate'] ?? 0;
  const before = await insist(clock, count);
  const ledgerBefore = (await insist(clock, () => clients.origin.operator.status({}, ASK)))
    .ledgerRecords;
  await log.send(topic, old.lane, [{ value: old.value, headers: old.headers }]);
  await waitFor(clock, async () =>
    (await count()) > before ? undefined : 'the node to see the replayed feed block',
  );
  const ledgerAfter = (await insist(clock, () => clients.origin.operator.status({}, ASK)))
    .ledgerRecords;
  const isIgnored = ledgerAfter === ledgerBefore;
  return { result: isIgnored ? 'ignored' : 'accepted', code: 'feed.duplicate' };
}

async function firstRecord(log: LogClient, topic: string): Promise<LogRecord> {
  for (const { lane, low, high } of await log.ends(topic)) {
    if (high <= low) continue;
    let first: LogRecord | undefined;
    await log.scan(topic, lane, low, (record) => {
      first ??= record;
    });
    if (first) return first;
  }
  throw new TypeError(`${topic} holds nothing`);
}

async function readPurged(
  { clock, book }: AttackParts,
  node: MemberClients,
): Promise<{ readonly result: AttackResult; readonly code: string }> {
  const [gone] = book.purged;
  if (!gone) return { result: 'refused', code: 'NOTHING_PURGED' };
  const code = await refusalOf(clock, node, gone.id satisfies EventId);
  return code === undefined
    ? { result: 'accepted', code: 'READ' }
    : { result: code === 'PURGED' ? 'refused' : 'ignored', code };
}
