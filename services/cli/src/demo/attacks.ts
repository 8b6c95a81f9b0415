import { readFeedBlock } from '@concordat/common/domain/block.js';
import { EMPTY_HEAD, type Head, nextLink } from '@concordat/common/domain/chain.js';
import type { Hash, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { asUnixMs, parseOrderId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { PurgeEntry, RecordCodec } from '@concordat/common/domain/records.js';
import {
  type KeyDirectory,
  SUITE,
  type Signer,
  signStatement,
  statementHash,
} from '@concordat/common/domain/statement.js';
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
  readonly keys: KeyDirectory;
  readonly log: LogClient;
  readonly clients: DemoClients;
  readonly book: Book;
  readonly forgers: Forgers;
}

/** Keys that an attacker could hold. None of them may order a purge. */
export interface Forgers {
  /** another member's node */
  readonly stranger: Signer;
  /** a service of the origin whose role is another: consent */
  readonly wrongRole: Signer;
  /** in no trust file */
  readonly unknown: Signer;
  /** the id of the one key that may sign purge entries; who pretends to it does not have the key */
  readonly rightKeyId: string;
}

export interface AttackFinding {
  readonly result: AttackResult;
  readonly detail: AttackDetail;
}

type Attempt = { readonly result: AttackResult } & Pick<AttackDetail, 'code' | 'forgeries'>;

/** The three attacks, each against the first recipient; what its node said, and whether its state moved. */
export async function tryAttacks(parts: AttackParts): Promise<Record<AttackName, AttackFinding>> {
  const [victim] = RECIPIENTS;
  const node = victim && parts.clients.recipients.get(victim);
  if (!victim || !node) throw new TypeError('the demo has no recipient');
  const around = async (attack: () => Promise<Attempt>): Promise<AttackFinding> => {
    const stateBefore = joined(await insist(parts.clock, () => digestsOf(node)));
    const { result, ...said } = await attack();
    const stateAfter = joined(await insist(parts.clock, () => digestsOf(node)));
    const isUnmoved = stateBefore === stateAfter;
    return {
      result: isUnmoved ? result : 'accepted',
      detail: { ...said, stateBefore, stateAfter },
    };
  };
  return {
    forgedPurge: await around(() => forgePurges(parts, node)),
    replay: await around(() => replayBlock(parts, node)),
    readPurged: await around(() => readPurged(parts, node)),
  };
}

/** Purge entries for live events, each next in number and right in every respect but one: who signed it. */
async function forgePurges(parts: AttackParts, node: MemberClients): Promise<Attempt> {
  const { codec, forgers, book } = parts;
  const { stranger, wrongRole, unknown, rightKeyId } = forgers;
  const signed = (signer: Signer) => (entry: PurgeEntry) =>
    signStatement(codec, signer, 'PurgeEntry', { ...entry, keyId: signer.keyId }).bytes;
  const pretended = { keyId: rightKeyId, sign: unknown.sign };
  const ways = Object.entries({
    stranger: signed(stranger),
    wrongRole: signed(wrongRole),
    wrongSignature: signed(pretended),
    unknownKey: signed(unknown),
  });
  const targets = [...book.live.values()];
  const forgeries: Record<string, string> = {};
  for (const [at, [name, sign]] of ways.entries()) {
    const target = targets[at];
    if (target) forgeries[name] = await forgePurge(parts, node, { target, sign });
  }
  const isAccepted = Object.values(forgeries).includes('accepted');
  return {
    result: isAccepted ? 'accepted' : 'refused',
    code: forgeries['stranger'] ?? 'NOTHING_TO_PURGE',
    forgeries,
  };
}

/** @returns the code with which the node refused the entry, or `accepted` */
async function forgePurge(
  { clock, random, codec, log }: AttackParts,
  node: MemberClients,
  { target, sign }: { readonly target: Listed; readonly sign: (entry: PurgeEntry) => Uint8Array },
): Promise<string> {
  const [recipient] = RECIPIENTS;
  if (!recipient) throw new TypeError('nobody to attack');
  const topic = purgeTopic({ origin: ORIGIN, recipient });
  const nowMs = clock.nowMs();
  const status = await insist(clock, () => node.operator.status({}, ASK));
  const applied = status.partners.find(({ member }) => member === ORIGIN)?.purgeApplied ?? 0;
  const orderId = parseOrderId(uuidv7({ msecs: nowMs, random: random.bytes(16) }));
  if (!orderId.ok) throw new TypeError('a new id is not a UUID');
  const forged = sign({
    suite: SUITE,
    federation: FEDERATION,
    origin: ORIGIN,
    keyId: '',
    recipient,
    ...nextLink(await purgeHead(codec, log, topic, applied)),
    timeMs: nowMs,
    orderId: orderId.value satisfies OrderId,
    sealRecordHash: random.bytes(32) as Hash,
    part: 1,
    parts: 1,
    ids: [target.id],
    deadlineMs: asUnixMs(nowMs + ORDER_DEADLINE_MS),
    sections: [],
    recipientsAll: true,
  });
  const { baseOffset } = await insist(clock, () => log.send(topic, 0, [{ value: forged }]));
  return judgement(clock, node, `${topic}/0/${baseOffset.toString()}`, target);
}

/** The chain's head as everybody who reads the topic can work it out. */
async function purgeHead(
  codec: RecordCodec,
  log: LogClient,
  topic: string,
  number: number,
): Promise<Head> {
  let head = EMPTY_HEAD;
  await log.scan(topic, 0, 0n, ({ value }) => {
    const signed = codec.decode('Signed', value);
    const entry = signed.ok ? codec.decode('PurgeEntry', signed.value.payload) : signed;
    if (!signed.ok || !entry.ok || entry.value.number !== number) return;
    head = { epoch: entry.value.epoch, number, hash: statementHash(signed.value) };
  });
  return head;
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
    const { items } = await node.quarantine.list({}, ASK);
    const found = items.find((item) => item.source === source);
    if (found) code = found.code;
    const { state } = await node.operator.show({ origin: ORIGIN, eventId: target.id }, ASK);
    if (state === 'PURGED') code = 'accepted';
    return code === '' ? 'the node to judge the forged purge order' : undefined;
  });
  return code;
}

/** The very first feed block once more, at a new offset. */
async function replayBlock(parts: AttackParts, node: MemberClients): Promise<Attempt> {
  const { clock, log, clients } = parts;
  const [recipient] = RECIPIENTS;
  if (!recipient) throw new TypeError('nobody to replay to');
  const topic = feedTopic({ origin: ORIGIN, recipient });
  const old = await firstBlock(parts, recipient);
  const counters = async (): Promise<Readonly<Record<string, number>>> =>
    (await insist(clock, () => node.operator.status({}, ASK))).counters;
  const ledger = async (): Promise<number> =>
    (await insist(clock, () => clients.origin.operator.status({}, ASK))).ledgerRecords;
  const [before, ledgerBefore] = [await counters(), await ledger()];
  await insist(clock, () =>
    log.send(topic, old.lane, [{ value: old.value, headers: old.headers }]),
  );
  let code = '';
  await waitFor(clock, async () => {
    const now = await counters();
    code =
      FEED_OUTCOMES.find((name) => (now[name] ?? 0) > (before[name] ?? 0)) ??
      Object.keys(now).find(
        (name) => name.startsWith('quarantined.') && now[name] !== before[name],
      ) ??
      '';
    return code === '' ? 'the node to see the replayed feed block' : undefined;
  });
  const isIgnored = code === 'feed.duplicate' && (await ledger()) === ledgerBefore;
  return { result: isIgnored ? 'ignored' : code === 'feed.blocks' ? 'accepted' : 'refused', code };
}

/** What a node counts when it passes over a block that it has, and when it takes one in. */
const FEED_OUTCOMES = ['feed.duplicate', 'feed.blocks'] as const;

/** A given broker may hold feeds of earlier demos too, signed with other keys. */
async function firstBlock(
  { log, codec, keys }: AttackParts,
  recipient: MemberId,
): Promise<LogRecord> {
  const parties = { origin: ORIGIN, recipient };
  const topic = feedTopic(parties);
  for (const { lane, low } of await log.ends(topic)) {
    let first: LogRecord | undefined;
    await log.scan(topic, lane, low, (record) => {
      if (!first && readFeedBlock(codec, keys, record.value, parties).ok) first = record;
    });
    if (first) return first;
  }
  throw new TypeError(`${topic} holds nothing of this run`);
}

async function readPurged({ clock, book }: AttackParts, node: MemberClients): Promise<Attempt> {
  const [gone] = book.purged;
  if (!gone) return { result: 'refused', code: 'NOTHING_PURGED' };
  const code = await refusalOf(clock, node, gone.id);
  return code === undefined
    ? { result: 'accepted', code: 'READ' }
    : { result: code === 'PURGED' ? 'refused' : 'ignored', code };
}
