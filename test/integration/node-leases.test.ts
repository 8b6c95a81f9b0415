import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { LEASE_WAIT_MS } from '@concordat/node/flows/leases/lease-desk.js';
import type { AskForKeys } from '@concordat/node/flows/fetch-keys.js';
import { backupNode, restoreNode } from '@concordat/node/maintain.js';
import { schemasDir } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { lose } from '../support/losses.js';
import { DE, NodeWorld, UN, contentOf, receiptOf, refusalOf, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';

const TERM_MS = 5 * 60_000;
const TALIBAN = { category: 'listing.taliban.individual' };
const soon = { timeoutMs: 1 };

/** `de` is lent the keys of one list and given those of the other. */
const LENT = { ...rule('r-lent', DE, ['listing.al-qaida.*'], ['*']), custody: 'leased' };
const RULES = [LENT, rule('r-held', DE, ['listing.taliban.*'], ['*'])];

type Reply = Awaited<ReturnType<AskForKeys>>;
let world: NodeWorld;
/** What `de` asked for: releases of each request. */
let asked: number[];
let replies: Reply[];
/** As they arrived: what the node does with them comes after. */
let arrived: Uint8Array[];
beforeEach(() => {
  [asked, replies, arrived] = [[], [], []];
  world = new NodeWorld(RULES, [DE]);
  world.aroundKeys = (ask) => async (wanted, signal) => {
    asked.push(wanted.reduce((sum, one) => sum + bitsIn(one.wanted), 0));
    const reply = await ask(wanted, signal);
    replies.push(reply);
    arrived.push(...keysIn(reply).map((key) => key.slice()));
    return reply;
  };
});
afterEach(() => world.dispose());

const bitsIn = (bitmap: Uint8Array): number =>
  [...bitmap].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
const keysIn = ({ answers }: Reply): Uint8Array[] =>
  answers.flatMap(({ item }) => (item.kind === 'released' ? [...item.keys.values()] : []));
const pass = (ms: number): void => {
  world.ahead.wallMs += ms;
  world.ahead.monotonicMs += ms;
};

/** A reader's seconds of waiting take no time. */
const impatient: Clock['sleep'] = (ms, signal) =>
  systemClock.sleep(ms === LEASE_WAIT_MS ? 20 : ms, signal);

/** `READ`, or the code of the refusal. */
async function outcome(id: EventId): Promise<string> {
  try {
    await world.open(DE, id);
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

async function shared(...numbers: readonly number[]): Promise<void> {
  await world.start(UN, DE);
  for (const n of numbers) await world.publish(n);
  await world.readable(DE, numbers.length);
}

/** The origin with other rules, as after an edit of its agreements. */
async function originUnder(change: (policy: NodeWorld['policy']) => NodeWorld['policy']) {
  await world.stopNode(UN);
  await world.startNode(UN, { policy: change(world.policy) });
}

describe('an event whose keys are lent', () => {
  test('is read while the lease runs, also when the origin is down, and not after; held ones are', async () => {
    await shared(1);
    await world.publish(2, TALIBAN);
    await world.readable(DE, 2);
    expect(await world.read(DE, eventId(1))).toMatchObject(contentOf(1));
    await world.stopNode(UN);
    pass(TERM_MS - 30_000);
    expect(await outcome(eventId(1))).toBe('READ');
    pass(30_000);
    const refusal = await refusalOf(world.open(DE, eventId(1)));
    expect(refusal).toMatchObject({ code: 'LEASE_UNAVAILABLE', retryable: true });
    expect(refusal.message).toMatch(/^expected un's node to lend .* came PEER_UNAVAILABLE/);
    expect(await outcome(eventId(2))).toBe('READ');
    await world.startNode(UN);
    expect(await world.read(DE, eventId(1))).toMatchObject(contentOf(1));
    // with an origin that does not answer a reader waits for a bounded time, and nobody waits for that reader
    pass(TERM_MS);
    Object.assign(world.clock, { sleep: impatient });
    world.aroundKeys = () => (_wanted, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
      });
    const slow = refusalOf(world.open(DE, eventId(1)));
    expect(await outcome(eventId(2))).toBe('READ');
    expect(await slow).toMatchObject({ code: 'LEASE_UNAVAILABLE' });
  });

  test('needs a new lease when a clock was set', async () => {
    await shared(1);
    await world.stopNode(UN);
    world.ahead.wallMs -= 3_600_000;
    expect(await outcome(eventId(1))).toBe('LEASE_UNAVAILABLE');
  });

  test('has its keys in no file and in no answer that was worked on, is recorded once, and waits for nothing', async () => {
    await shared(1);
    const { ledgerRecords } = await world.status(UN);
    expect(await world.partner(DE)).toMatchObject({ readable: 1, leased: 1, waiting: 0 });
    pass(TERM_MS);
    expect(await outcome(eventId(1))).toBe('READ');
    expect(replies).toHaveLength(2);
    expect(replies.flatMap(keysIn).every((key) => key.every((byte) => byte === 0))).toBe(true);
    expect((await world.status(UN)).ledgerRecords).toBe(ledgerRecords);
    const held = await world.inventory(DE);
    expect(held).toMatchObject({ rows: [`un/${eventId(1)}`], keys: [], waiting: [] });
    const files = bytesUnder(world.node(DE).dataDir);
    expect(arrived.length).toBeGreaterThan(6);
    for (const key of arrived.map((one) => Buffer.from(one))) {
      expect(files.includes(key)).toBe(false);
      for (const text of [key.toString('hex'), key.toString('base64'), key.toString('base64url')]) {
        expect(files.includes(text)).toBe(false);
      }
    }
    // what was written is found so: the scan looks at the right places
    expect(files.includes(Buffer.from(eventId(1).replaceAll('-', ''), 'hex'))).toBe(true);
  });

  test('is read by nobody after a restart until it was asked for again', async () => {
    await shared(1);
    await world.stopNode(UN);
    await world.restart(DE);
    expect(await outcome(eventId(1))).toBe('LEASE_UNAVAILABLE');
    await world.startNode(UN);
    expect(await outcome(eventId(1))).toBe('READ');
  });

  test('is refused while no rule lets it go, and read again when one does', async () => {
    await shared(1);
    await originUnder((policy) => ({ ...policy, consents: [] }));
    // a lease that runs is not called back: that is what a purge is for
    expect(await outcome(eventId(1))).toBe('READ');
    pass(TERM_MS);
    const refusal = await refusalOf(world.open(DE, eventId(1)));
    expect(refusal.code).toBe('RELEASE_WITHHELD');
    expect(refusal.message).toContain('NO_CONSENT');
    await originUnder((policy) => policy);
    expect(await outcome(eventId(1))).toBe('READ');
  });

  test('gives no key to who was told that it may keep it, once the rule only lends', async () => {
    await world.dispose();
    // consent releases by the old rule, the node of the origin has read the new one
    world = new NodeWorld([rule('r-held', DE, ['**'], ['*'])], [DE]);
    await world.startConsent();
    const lends = { custody: 'leased' } as const;
    await world.startNode(UN, {
      policy: {
        ...world.policy,
        agreements: world.policy.agreements.map(({ rules, ...rest }) => ({
          ...rest,
          rules: rules.map((one) => ({ ...one, ...lends })),
        })),
      },
    });
    await world.startNode(DE);
    await world.publish(1);
    await world.counted(DE, 'keys.refused.CUSTODY_NOT_ALLOWED', 1);
    expect(await outcome(eventId(1))).toBe('RELEASE_WITHHELD');
  });

  test('is asked for together with others: many reads, or a page of a subscription, are one request', async () => {
    const numbers = Array.from({ length: 30 }, (_, n) => n + 1);
    await shared(...numbers);
    pass(TERM_MS);
    asked = [];
    const outcomes = await Promise.all(numbers.map((n) => outcome(eventId(n))));
    expect(new Set(outcomes)).toEqual(new Set(['READ']));
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(asked.reduce((sum, n) => sum + n, 0)).toBe(30);
    pass(TERM_MS);
    asked = [];
    const request = { purpose: 'screening', caseId: 'c', category: '', cursor: '', systemId: '' };
    const stop = new AbortController();
    let told = 0;
    const all = world
      .node(DE)
      .national.subscribe({ ...request, includeHeld: true }, { ...soon, signal: stop.signal });
    for await (const { eventId: id } of all) {
      expect(await outcome(id as EventId)).toBe('READ');
      told += 1;
      if (told === 30) break;
    }
    stop.abort();
    expect(asked).toEqual([30]);
  });

  test('comes back from a backup, and is asked for as before', async () => {
    await shared(1);
    const { dataDir } = world.node(DE);
    const files = { member: DE, schemasDir, federation: world.federation, dataDir };
    const file = join(world.dir, 'data.backup');
    await backupNode(files, file, world.clock.nowMs());
    await world.stopNode(DE);
    lose(dataDir, 'data');
    await restoreNode(files, file, world.clock.nowMs());
    await world.startNode(DE);
    await world.readable(DE, 1);
    expect(await world.partner(DE)).toMatchObject({ leased: 1, waiting: 0 });
    expect(await outcome(eventId(1))).toBe('READ');
  });
});

describe('a purge of an event whose keys are lent', () => {
  test('ends the lease at once, and is answered by a receipt', async () => {
    await shared(1);
    expect(await outcome(eventId(1))).toBe('READ');
    const order = officerOrder(world.members, { orderId: orderId(1), ids: [eventId(1)] });
    const revocation = world.keyService({ member: UN, service: 'revocation' });
    await revocation.destroyKeys({ order, approvals: [] }, soon);
    const { holders } = await world.node(UN).operator.holders({ eventId: eventId(1) }, soon);
    expect(holders.map(({ member }) => member)).toEqual([DE]);
    world.purges.purge(DE, eventId(1));
    const [receipt] = await world.receipts(DE, 1);
    if (!receipt) throw new Error('no receipt');
    expect(receiptOf(world, receipt).value).toMatchObject({
      stage: 'DELETED',
      outcomes: [{ id: eventId(1), outcome: 'DELETED' }],
    });
    expect(await outcome(eventId(1))).toBe('PURGED');
    expect(await world.inventory(DE)).toMatchObject({ rows: [], keys: [] });
  });

  test('that has not come yet: after the seal the origin lends no key any more', async () => {
    await shared(1);
    const order = officerOrder(world.members, { orderId: orderId(1), ids: [eventId(1)] });
    const revocation = world.keyService({ member: UN, service: 'revocation' });
    await revocation.destroyKeys({ order, approvals: [] }, soon);
    pass(TERM_MS);
    // the seal that came instead of a key is as good as the entry
    expect(await outcome(eventId(1))).toBe('PURGED');
    expect(await world.inventory(DE)).toMatchObject({ rows: [] });
  });

  test('that comes while the lease is asked for wins', async () => {
    await shared(1);
    pass(TERM_MS);
    const ask = world.aroundKeys;
    let came = false;
    world.aroundKeys = (inner, member) => async (wanted, signal) => {
      const reply = await ask(inner, member)(wanted, signal);
      world.purges.purge(DE, eventId(1));
      await world.receipts(DE, 1);
      came = true;
      return reply;
    };
    expect(await outcome(eventId(1))).toBe('PURGED');
    expect(came).toBe(true);
    expect(replies.flatMap(keysIn).every((key) => key.every((byte) => byte === 0))).toBe(true);
  });

  test('in part ends the lease of that section; the rest is read on, and leased anew without it', async () => {
    await shared(1);
    const asking = asked.length;
    const value = world.purges.next(DE, [eventId(1)], {
      sections: ['remarks'],
      recipientsAll: true,
    });
    world.log.append('purge.un.de', 0, [{ value }]);
    await world.receipts(DE, 1);
    const order = officerOrder(world.members, {
      ...{ orderId: orderId(1), ids: [eventId(1)], sections: ['remarks'] },
    });
    await world
      .keyService({ member: UN, service: 'revocation' })
      .destroyKeys({ order, approvals: [] }, soon);
    const left = async () =>
      (await world.open(DE, eventId(1))).sections.map(({ name }) => name).sort();
    const rest = ['addresses', 'aliases', 'documents', 'identity', 'listing'];
    expect(await left()).toEqual(rest);
    expect(asked.length).toBe(asking);
    pass(TERM_MS);
    expect(await left()).toEqual(rest);
    expect(asked.length).toBe(asking + 1);
  });
});

/** All that lies in this directory, one file after the other. */
function bytesUnder(dir: string): Buffer {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  return Buffer.concat(
    files.filter((one) => one.isFile()).map((one) => readFileSync(join(one.parentPath, one.name))),
  );
}
