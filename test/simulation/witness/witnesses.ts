import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { NationalService, PurgeService } from '@concordat/common/io/rpc/definitions.js';
import { SOON, attempt } from '../story/attempt.js';
import { orderPurge } from '../story/orders.js';
import { MEMBERS } from '../world/federation.js';
import { placeName } from '../world/places.js';
import type { World } from '../world/world.js';
import { Certificates, type Export } from './certificates.js';
import { AnsweredInTime } from './answered-in-time.js';
import { KeysGiven } from './keys-given.js';
import { Leavers } from './leavers.js';
import { NothingTold } from './nothing-told.js';
import { OneReceipt } from './one-receipt.js';
import { ReadsCurrent } from './reads-current.js';
import type { Scene } from './scene.js';
import { Sight } from './sight/sight.js';
import { StaysPurged } from './stays-purged.js';
import { TrueReceipts } from './true-receipts.js';
import { Answers } from './truth/answers.js';
import { AtTheEnd, type ReadIt } from './truth/at-the-end.js';
import { Truth } from './truth/truth.js';
import { WithCause } from './with-cause.js';
import type { Witness } from './witness.js';

/** At the end, of a thousand pairs of event and member so many are read. */
const READ_PERMILLE = 25;
/** Of a hundred worlds so many are asked for one more purge, with a watch in the hand. */
const PROBED_PERCENT = 20;

/** Everybody who looks at a world; the first remembers for all. */
export function witnessesOf(world: World): Witness[] {
  const scene = sceneOf(world);
  const sight = new Sight(scene);
  const truth = new Truth(scene, sight);
  truth.look();
  const draw = world.draw('the last look');
  const keys = new KeysGiven(scene, sight);
  return [
    sight,
    new StaysPurged(scene, sight),
    new TrueReceipts(scene, sight),
    new OneReceipt(scene, sight),
    new WithCause(scene, sight),
    keys,
    new Leavers(scene, sight, keys),
    new ReadsCurrent(scene, sight),
    new Answers(scene, sight, truth),
    new AtTheEnd(scene, sight, truth, {
      members: MEMBERS,
      isWanted: () => draw.whole(1, 1_000) <= READ_PERMILLE,
      it: readerOf(world),
    }),
    new AnsweredInTime(scene, sight, {
      order: () => orderOne(world, sight, draw),
      sleep: (ms) => world.scheduler.sleep(world.outside, ms),
    }),
    new Certificates(scene, keys, { members: MEMBERS, all: certificatesOf(world) }),
    new NothingTold(scene, {
      records: () => recordsOf(world),
      logged: () => world.scheduler.trace,
    }),
  ];
}

function sceneOf(world: World): Scene {
  return {
    codec: world.template.schemas.codec,
    keys: world.federation.keys,
    step: () => world.scheduler.steps,
    nowMs: () => world.nowMs,
    policy: () => world.policy,
    skewOf: (member) => world.skews.get(placeName(member, 'node')) ?? 0,
    orderOf: (id) => [...world.book.orders.values()].find(({ orderId }) => orderId === id),
    violated: (text) => {
      world.violated(text);
    },
  };
}

function readerOf(world: World): ReadIt {
  return async (member, { header: { origin, id, purposes } }) => {
    const node = world.client(NationalService, member, 'node', 'system');
    const [purpose = ''] = purposes;
    const request = { origin, eventId: id, purpose, caseId: 'the-end' };
    const came = await attempt(node.read(request, SOON));
    return came.ok ? came.value.sections.map(({ name }) => name) : came.code;
  };
}

/** An officer takes one event back that somebody else can read; of some worlds, for it takes a minute of everybody. */
async function orderOne(world: World, sight: Sight, draw: Draw): Promise<boolean> {
  if (!draw.chance(PROBED_PERCENT)) return false;
  const published = [...sight.papers.published.values()].reverse();
  const held = published.find(({ key, header }) =>
    sight.nodes.some((at) => at.member !== header.origin && at.rows.get(key)?.state === 'readable'),
  );
  if (!held) return false;
  const { origin, id } = held.header;
  const order = await orderPurge(world, draw, { origin, ids: [id], scope: 'event' });
  return order.state === 'accepted';
}

function certificatesOf(world: World): Export {
  return async function* (origin) {
    const office = world.client(PurgeService, origin, 'revocation', 'operator');
    const listed = await attempt(office.list({}, SOON));
    for (const { orderId, state } of listed.ok ? listed.value.orders : []) {
      if (state !== 'CLOSED') continue;
      const came = await attempt(office.certificate({ orderId, evenIncomplete: false }, SOON));
      yield { orderId, dsseJson: came.ok ? came.value.dsseJson : came.code };
    }
  };
}

function* recordsOf(world: World): Generator<LogRecord> {
  for (const { name } of world.template.topics) {
    if (!world.log.has(name)) continue;
    for (const { records } of world.log.lanes(name)) yield* records;
  }
}
