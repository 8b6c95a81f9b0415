import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readBlock } from '@concordat/common/domain/block.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { CrashPlan } from '../support/crash.js';
import { codec } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { DE, LANES, NodeWorld, UN, contentOf, receiptOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';
import { chainProblem, ledgerLink, receiptLink } from '../support/whole-chain.js';

let world: NodeWorld;
let crash: CrashPlan | undefined;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(async () => {
  crash?.revive();
  crash?.uninstall();
  crash = undefined;
  await world.dispose();
});

interface Story {
  readonly name: string;
  /** whose process is killed */
  readonly victim: MemberId;
  /** what stands before */
  readonly before: () => Promise<void>;
  /** during this the victim dies; it may fail, and it may be done again afterwards */
  readonly act: () => Promise<unknown>;
  /** what holds once everything has come to rest */
  readonly after: () => Promise<void>;
}

const soon = { timeoutMs: 1 };
const order = () => officerOrder(world.members, { orderId: orderId(1), ids: [eventId(1)] });
const destroy = () =>
  world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ approvals: [], order: order() }, soon);

const outcomeOf = async (member: MemberId, id: EventId): Promise<string> => {
  try {
    await world.open(member, id);
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
};

/** Every chain on a topic, read as its readers do: nothing is missing, and a number has one text only. */
function demandWholeTopics(): void {
  const { members } = world;
  for (let lane = 0; lane < LANES; lane += 1) {
    const problem = chainProblem(world.records('events.un', lane), (value) => {
      const block = readBlock(codec, members.keys, value, UN);
      if (!block.ok) throw block.error;
      const { value: statement, hash } = block.value.statement;
      return { ...statement, hash };
    });
    expect(problem).toBeUndefined();
  }
  expect(chainProblem(world.records('ledger.un'), ledgerLink(members, UN))).toBeUndefined();
  expect(chainProblem(world.records('receipts.de.un'), receiptLink(members, DE))).toBeUndefined();
}

const ready = async (count: number): Promise<void> => {
  await world.start(UN, DE);
  for (let n = 1; n <= count; n += 1) await world.publish(n);
  await world.readable(DE, count);
};

const stories: Story[] = [
  {
    name: 'publishing',
    victim: UN,
    before: () => ready(1),
    act: () => world.publish(2),
    after: async () => {
      await world.publish(2);
      await world.readable(DE, 2);
      expect(await world.read(DE, eventId(2))).toMatchObject(contentOf(2));
      expect(await world.read(UN, eventId(2))).toMatchObject(contentOf(2));
      expect((await world.status(UN)).ledgerRecords).toBe(4);
    },
  },
  {
    name: 'taking an event in and asking for its keys',
    victim: DE,
    before: () => ready(1),
    act: async () => {
      await world.publish(2);
      await until('it is readable, or the node is gone', async () => {
        return crash?.isDead === true || (await world.partner(DE)).readable === 2;
      });
    },
    after: async () => {
      await world.readable(DE, 2);
      expect(await world.read(DE, eventId(2))).toMatchObject(contentOf(2));
      expect((await world.status(UN)).ledgerRecords).toBe(4);
    },
  },
  {
    name: 'answering a key',
    victim: UN,
    before: async () => {
      await world.start(UN);
      await world.publish(1);
      await until('it was released', () =>
        world.log.lanes('feed.un.de').some(({ records }) => records.length > 0),
      );
      await until('it is on the ledger', () => world.records('ledger.un').length === 1);
    },
    act: async () => {
      await world.startNode(DE);
      await until('it is readable, or the origin is gone', async () => {
        return crash?.isDead === true || (await world.partner(DE)).readable === 1;
      });
    },
    after: async () => {
      await world.readable(DE, 1);
      expect((await world.status(UN)).released).toEqual({ de: 1 });
      expect((await world.status(UN)).ledgerRecords).toBe(2);
    },
  },
  {
    name: 'destroying keys',
    victim: UN,
    before: () => ready(2),
    act: destroy,
    after: async () => {
      const first = await destroy();
      expect(await destroy()).toEqual(first);
      expect(await outcomeOf(UN, eventId(1))).toBe('PURGED');
      expect(await outcomeOf(UN, eventId(2))).toBe('READ');
      expect((await world.status(UN)).ledgerRecords).toBe(5);
    },
  },
  {
    name: 'honouring a purge',
    victim: DE,
    before: () => ready(2),
    act: async () => {
      world.purges.purge(DE, eventId(1));
      await until('it is answered, or the node is gone', () => {
        return crash?.isDead === true || world.records('receipts.de.un').length > 0;
      });
    },
    after: async () => {
      const [receipt, ...more] = await world.receipts(DE, 1);
      for (const other of more) expect(other).toEqual(receipt);
      expect((await world.partner(DE)).tombstones).toBe(1);
      expect(await outcomeOf(DE, eventId(1))).toBe('PURGED');
      expect(await outcomeOf(DE, eventId(2))).toBe('READ');
    },
  },
  {
    name: 'purging what the law keeps, and releasing it',
    victim: DE,
    before: async () => {
      await ready(2);
      await hold();
    },
    act: async () => {
      world.purges.purge(DE, eventId(1));
      await until('it is answered, or the node is gone', () => {
        return crash?.isDead === true || world.records('receipts.de.un').length > 0;
      });
      await release();
    },
    after: async () => {
      await world.receipts(DE, 1);
      expect(await outcomeOf(DE, eventId(1))).toBe('PURGED');
      await release().catch(() => undefined); // before, or now
      await world.receipts(DE, 2);
      const values = world.records('receipts.de.un').map(({ value }) => value);
      const distinct = new Map(
        values.map((value) => [value.join(), receiptOf(world, value).value]),
      );
      expect([...distinct.values()].map(({ stage }) => stage)).toEqual(['OPEN', 'DELETED']);
      expect(await world.status(DE)).toMatchObject({ holds: 0, openReceipts: 0, receipts: 1 });
      expect(await outcomeOf(DE, eventId(2))).toBe('READ');
    },
  },
  {
    name: 'destroying the keys that had wrapped purged ones',
    victim: DE,
    before: async () => {
      await ready(3);
      world.purges.purge(DE, eventId(1));
      await world.receipts(DE, 1);
    },
    act: erase,
    after: async () => {
      await erase();
      expect(await world.status(DE)).toMatchObject({ unerased: 0 });
      await world.receipts(DE, 2);
      const said = world.records('receipts.de.un').at(-1);
      const erased = codec.decode('Signed', said?.value ?? new Uint8Array());
      if (!erased.ok) throw erased.error;
      expect(codec.decode('MediaErased', erased.value.payload)).toMatchObject({
        value: { generations: [1] },
      });
      const keks = readdirSync(join(world.node(DE).dataDir, 'keks'));
      expect(keks).toEqual(['generation-2.key']);
      expect(await outcomeOf(DE, eventId(1))).toBe('PURGED');
      for (const n of [2, 3]) expect(await outcomeOf(DE, eventId(n))).toBe('READ');
    },
  },
];

function erase() {
  return world.node(DE).operator.eraseMedia({}, soon);
}

const held = () => ({ origin: UN, eventId: eventId(1) });
const hold = () => {
  const reviewAtMs = world.clock.nowMs() + 86_400_000;
  const why = { ground: 'file 12', authority: 'court of B', reviewAtMs };
  return world.node(DE).operator.placeHold({ ...held(), ...why }, soon);
};
const release = () => world.node(DE).operator.releaseHold(held(), soon);

/** What a start leaves behind, S1 and S2 among it, whatever the process before was doing. */
async function demandInvariants({ victim }: Story): Promise<void> {
  const { rows, held, waiting, ciphertexts, keys, tombstones, unpublished } =
    await world.inventory(victim);
  const both = (some: readonly string[], others: readonly string[]) =>
    some.filter((name) => others.includes(name));
  const purged = tombstones.filter((name) => !held.includes(name));
  expect(both([...rows, ...ciphertexts, ...keys], purged)).toEqual([]);
  expect(held.filter((name) => !tombstones.includes(name))).toEqual([]);
  expect(both(waiting, keys)).toEqual([]);
  expect(keys.filter((name) => !rows.includes(name))).toEqual([]);
  expect([...ciphertexts].sort()).toEqual([...rows].sort());
  expect(unpublished).toEqual([]);
}

for (const story of stories) {
  test(`${story.name} survives a kill after each of its commits`, async () => {
    await story.before();
    crash = new CrashPlan(world.node(story.victim).dataDir);
    crash.arm();
    await story.act();
    await story.after();
    const commits = crash.commits;
    expect(commits).toBeGreaterThan(0);
    for (let n = 1; n <= commits; n += 1) {
      crash.uninstall();
      await world.dispose();
      world = new NodeWorld();
      await story.before();
      crash = new CrashPlan(world.node(story.victim).dataDir);
      crash.arm(n);
      await story.act().catch(() => undefined);
      await world.stopNode(story.victim).catch(() => undefined);
      crash.revive();
      world.deaths.length = 0;
      const usual = world.aroundKeys;
      world.aroundKeys = () => async () => {
        throw new ConcordatError('PEER_UNAVAILABLE', 'not before the files were looked at');
      };
      await world.startNode(story.victim);
      await demandInvariants(story);
      world.aroundKeys = usual;
      await story.after();
      await demandInvariants(story);
      demandWholeTopics();
    }
  }, 120_000);
}
