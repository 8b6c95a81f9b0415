import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { seededRandom } from '@concordat/common/domain/seeded-random.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { backupNode, restoreNode } from '@concordat/node/maintain.js';
import { codec, schemasDir } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { STORES, type Store, lose } from '../support/losses.js';
import { DE, NodeWorld, UN } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

/** Must-show 5 of a purge that is proven; RESTORES=1 makes it 20 backups of 200 steps. */
const WHOLE = process.env['RESTORES'] !== undefined;
const BACKUPS = WHOLE ? 20 : 6;
const STEPS_BETWEEN = WHOLE ? 10 : 4;
const soon = { timeoutMs: 1 };

let world: NodeWorld;
afterEach(() => world.dispose());

/** What is lost before a backup comes back; at the origin the vault has the only keys, and stays. */
const LOSSES: Readonly<Record<string, readonly (readonly Store[])[]>> = {
  [DE]: [[], ['data'], ['vault'], ['state'], ['data', 'vault'], ['data', 'state'], STORES],
  [UN]: [[], ['data'], ['state'], ['data', 'state']],
};

class Story {
  readonly #random = seededRandom('restores', String(WHOLE));
  readonly live = new Set<number>();
  readonly purged = new Set<number>();
  #published = 0;

  below(n: number): number {
    const [byte = 0] = this.#random.bytes(1);
    return byte % n;
  }

  pick<T>(from: readonly T[]): T {
    const one = from[this.below(from.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }

  /** A publication, or a purge of something that is held. */
  async step(): Promise<void> {
    if (this.live.size > 2 && this.below(3) === 0) {
      const n = this.pick([...this.live]);
      const order = officerOrder(world.members, { orderId: orderId(n), ids: [eventId(n)] });
      const service = world.keyService({ member: UN, service: 'revocation' });
      await service.destroyKeys({ order, approvals: [] }, soon);
      world.purges.purge(DE, eventId(n));
      this.live.delete(n);
      this.purged.add(n);
    } else {
      this.#published += 1;
      await world.publish(this.#published);
      this.live.add(this.#published);
    }
  }

  /** Everything live can be read at both, and nothing purged; each entry has one receipt that never changes. */
  async demand(receipts: readonly Uint8Array[], about: string): Promise<Uint8Array[]> {
    const { size } = this.purged;
    await until('purges are applied', async () => (await world.partner(DE)).purgeApplied === size);
    await world.readable(DE, this.live.size);
    const now = await world.receipts(DE, this.purged.size);
    expect(now.slice(0, receipts.length)).toEqual(receipts);
    expect(new Set(now.map(entryOf)).size).toBe(this.purged.size);
    for (const member of [UN, DE]) {
      for (const n of this.live)
        expect([about, n, await outcome(member, n)]).toEqual([about, n, 'READ']);
      for (const n of this.purged) {
        expect([about, n, await outcome(member, n)]).toEqual([about, n, 'PURGED']);
      }
    }
    return now;
  }
}

function entryOf(bytes: Uint8Array): number {
  const receipt = verifyStatement(codec, world.members.keys, 'Receipt', bytes, { signer: DE });
  if (!receipt.ok) throw receipt.error;
  return receipt.value.value.entryNumber;
}

async function outcome(member: MemberId, n: number): Promise<string> {
  try {
    await world.open(member, eventId(n));
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

const settings = (member: MemberId) => ({
  ...{ member, schemasDir, federation: world.federation },
  dataDir: join(world.dir, `node-${member}`),
});

/** Rows and keys under a tombstone (S7); the node is started again by it. */
async function demandNothingUnderTombstones(member: MemberId): Promise<void> {
  const { rows, keys, tombstones } = await world.inventory(member);
  expect([...rows, ...keys].filter((name) => tombstones.includes(name))).toEqual([]);
}

test(`any of ${String(BACKUPS)} backups taken at random moments, with any store lost, brings back all that may be read and nothing else`, async () => {
  world = new NodeWorld();
  const story = new Story();
  await world.start(UN, DE);
  const backups: { readonly member: MemberId; readonly file: string }[] = [];
  let receipts: Uint8Array[] = [];
  for (let taken = 0; taken < BACKUPS; taken += 1) {
    for (let step = 0; step < STEPS_BETWEEN; step += 1) await story.step();
    // while feeds, keys and purges are still under way
    const member = taken % 3 === 0 ? UN : DE;
    const file = join(world.dir, `backup-${String(taken)}`);
    await backupNode(settings(member), file, world.clock.nowMs());
    backups.push({ member, file });
  }
  receipts = await story.demand(receipts, 'before');
  for (const { member, file } of backups) {
    const lost = story.pick(LOSSES[member] ?? []);
    const about = `${file.split('/').at(-1) ?? ''} at ${member} after a loss of ${lost.join(', ') || 'nothing'}`;
    await world.stopNode(member);
    lose(settings(member).dataDir, ...lost);
    await restoreNode(settings(member), file, world.clock.nowMs());
    world.purges.isUp = false;
    await world.startNode(member);
    // the ledger itself has not spoken yet
    for (const n of [...story.live, ...story.purged]) {
      if (member === DE) {
        expect([about, await outcome(DE, n)]).not.toEqual([about, 'READ']);
      } else if (story.purged.has(n)) {
        expect([about, await outcome(UN, n)]).toEqual([about, 'PURGED']);
      }
      if (n > 2) break; // each waits a second before it is refused
    }
    world.purges.isUp = true;
    await until('it is fresh', async () => (await world.partner(DE)).freshness === 'FRESH');
    await demandNothingUnderTombstones(member);
    await story.step();
    receipts = await story.demand(receipts, about);
  }
  world.demandAlive();
}, 600_000);
