import { type MemberId, asUnixMs, parseOrderId } from '@concordat/common/domain/ids.js';
import { SUITE, type Signer, signStatement } from '@concordat/common/domain/statement.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { KeyService, LedgerService, PurgeService } from '@concordat/common/io/rpc/definitions.js';
import { SOON, attempt } from '../story/attempt.js';
import { MEMBERS } from '../world/federation.js';
import type { World } from '../world/world.js';
import type { Fault } from './fault.js';

interface Attack {
  readonly world: World;
  readonly draw: Draw;
  readonly victim: MemberId;
  readonly attacker: MemberId;
}

/** An order for events of the victim, signed by somebody who may not. */
function forgedOrder({ world, draw, victim }: Attack, signer: Signer): Uint8Array | undefined {
  const own = world.book.eventsOf(victim).filter(({ state }) => state === 'accepted');
  const orderId = parseOrderId(draw.uuid());
  if (own.length === 0 || !orderId.ok) return undefined;
  return signStatement(world.template.schemas.codec, signer, 'PurgeOrder', {
    ...{ suite: SUITE, federation: 'test', origin: victim, keyId: signer.keyId },
    ...{ orderId: orderId.value, issuedAtMs: asUnixMs(world.nowMs) },
    ...{ deadlineMs: asUnixMs(world.nowMs + 86_400_000), reason: 'delisted' as const },
    ids: draw.some(own, 3).map(({ id }) => id),
    ...{ recipients: [], sections: [], supersededBy: null, cause: null },
  }).bytes;
}

/** Each tries something that must be refused. @returns what was granted, in words; undefined: nothing was */
const ATTACKS: Readonly<Record<string, (attack: Attack) => Promise<string | undefined>>> = {
  'a stranger destroys keys': async (attack) => {
    const { world, victim, attacker } = attack;
    const order = forgedOrder(attack, world.federation.signer(attacker, 'purge-officer'));
    if (!order) return undefined;
    const node = world.client(KeyService, victim, 'node', 'revocation', attacker);
    const came = await attempt(node.destroyKeys({ order, approvals: [] }, SOON));
    return came.ok ? 'keys are destroyed for a stranger' : undefined;
  },
  'an order of a stranger comes by the own revocation': async (attack) => {
    const { world, victim, attacker } = attack;
    const order = forgedOrder(attack, world.federation.signer(attacker, 'purge-officer'));
    if (!order) return undefined;
    const node = world.client(KeyService, victim, 'node', 'revocation');
    const came = await attempt(node.destroyKeys({ order, approvals: [] }, SOON));
    return came.ok ? 'keys are destroyed by an order of a stranger' : undefined;
  },
  'an order that no officer signed is handed in': async (attack) => {
    const { world, victim, attacker, draw } = attack;
    const { keyId } = world.federation.signer(victim, 'purge-officer');
    const { sign } = world.federation.signer(attacker, 'purge-officer');
    const signer = draw.pick([
      { keyId, sign },
      world.federation.signer(victim, 'node'),
      world.federation.signer(victim, 'consent'),
      world.federation.signer(attacker, 'purge-officer'),
    ]);
    const order = forgedOrder(attack, signer);
    if (!order) return undefined;
    const office = world.client(PurgeService, victim, 'revocation', 'operator');
    const came = await attempt(office.order({ order }, SOON));
    return came.ok ? 'an order that no officer signed is taken' : undefined;
  },
  'a stranger reads the orders of another': async ({ world, victim, attacker }) => {
    const office = world.client(PurgeService, victim, 'revocation', 'operator', attacker);
    const came = await attempt(office.list({}, SOON));
    return came.ok ? 'a stranger lists orders' : undefined;
  },
  'a member asks for keys of what another was fed': async (attack) => {
    const { world, draw, victim, attacker } = attack;
    const others = MEMBERS.filter((id) => id !== victim && id !== attacker);
    const topic = feedTopic({ origin: victim, recipient: draw.pick(others) });
    if (!world.log.has(topic)) return undefined;
    const fed = world.log.lanes(topic).flatMap(({ records }) => records);
    if (fed.length === 0) return undefined;
    const block = world.template.schemas.codec.decode('FeedBlock', draw.pick(fed).value);
    if (!block.ok) return undefined;
    const node = world.client(KeyService, victim, 'node', 'node', attacker);
    const { statement } = block.value;
    const asked = { statement, wanted: Uint8Array.of(255, 255, 255, 255) };
    const came = await attempt(node.keyRelease({ statements: [asked] }, SOON));
    const given = came.ok ? came.value.answers.filter(({ outcome }) => outcome === 'released') : [];
    return given.length > 0 ? 'keys leave for what another was fed' : undefined;
  },
  'bytes that are no statement are sent': async ({ world, draw, victim, attacker }) => {
    const bytes = Uint8Array.from(Buffer.from(draw.hex(draw.whole(1, 40)), 'hex'));
    const office = world.client(PurgeService, victim, 'revocation', 'operator');
    const node = world.client(KeyService, victim, 'node', 'node', attacker);
    const ledger = world.client(LedgerService, victim, 'revocation', 'node', attacker);
    const asked = { statement: bytes, wanted: bytes };
    const came = await Promise.all([
      attempt(office.order({ order: bytes }, SOON)),
      attempt(office.approve({ approval: bytes }, SOON)),
      attempt(node.keyRelease({ statements: [asked] }, SOON)),
    ]);
    await attempt(
      ledger.fetchLedger({ epoch: draw.whole(0, 3), fromNumber: draw.whole(0, 99) }, SOON),
    );
    return came.some(({ ok }) => ok) ? 'bytes that are no statement are taken' : undefined;
  },
};

/** Calls of somebody without the key, with another member's key, or with words that mean nothing. */
export const FORGED_CALLS: Fault = {
  name: 'forgery: call',
  canHappen: () => true,
  happen: (world, draw) => {
    const [victim, attacker] = twoOf(draw);
    const [name, attack] = draw.pick(Object.entries(ATTACKS));
    world.begin(name, async () => {
      const granted = await attack({ world, draw, victim, attacker });
      if (granted !== undefined) world.violated(`S3: ${granted}`);
    });
  },
};

function twoOf(draw: Draw): readonly [MemberId, MemberId] {
  const victim = draw.pick(MEMBERS);
  return [victim, draw.pick(MEMBERS.filter((id) => id !== victim))];
}
