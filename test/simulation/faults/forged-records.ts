import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import { type Hash, type MemberId, asUnixMs, parseOrderId } from '@concordat/common/domain/ids.js';
import type { PurgeEntry, RecordCodec } from '@concordat/common/domain/records.js';
import {
  SUITE,
  type Signer,
  signStatement,
  statementHash,
} from '@concordat/common/domain/statement.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { purgeTopic } from '@concordat/common/domain/topics.js';
import { MEMBERS, type SimulatedFederation } from '../world/federation.js';
import type { World } from '../world/world.js';
import type { Fault } from './fault.js';

/** With what somebody signs who may not: with a key that is not the one, or in the name of the one without having it. */
function drawForger(federation: SimulatedFederation, draw: Draw, origin: MemberId): Signer {
  const others = MEMBERS.filter((id) => id !== origin);
  const { keyId } = federation.signer(origin, 'revocation');
  const stranger = federation.signer(draw.pick(others), 'revocation');
  return draw.pick([
    stranger,
    federation.signer(origin, 'consent'),
    { keyId, sign: stranger.sign },
    { keyId, sign: () => new Uint8Array(64) },
    { keyId: 'nobody', sign: stranger.sign },
  ]);
}

/** A purge entry for something that is held, right in every respect but who signed it. */
export const FORGED_PURGE: Fault = {
  name: 'forgery: purge entry',
  canHappen: (world) => world.log.reachable,
  happen: (world, draw) => {
    const events = [...world.book.events.values()].filter(({ state }) => state === 'accepted');
    if (events.length === 0) return;
    const { origin } = draw.pick(events);
    const ids = draw
      .some(
        events.filter((one) => one.origin === origin),
        3,
      )
      .map(({ id }) => id);
    const recipient = draw.pick(MEMBERS.filter((id) => id !== origin));
    const topic = purgeTopic({ origin, recipient });
    const { codec } = world.template.schemas;
    const signer = drawForger(world.federation, draw, origin);
    const orderId = parseOrderId(draw.uuid());
    if (!orderId.ok) throw new Error(orderId.error);
    const { records } = world.log.lane(topic, 0);
    const forged = signStatement(codec, signer, 'PurgeEntry', {
      ...{ suite: SUITE, federation: 'test', origin, keyId: signer.keyId, recipient },
      ...linkAfter(codec, records.at(-1)?.value),
      ...{ timeMs: asUnixMs(world.nowMs), orderId: orderId.value },
      ...{ sealRecordHash: new Uint8Array(32) as Hash, part: 1, parts: 1, ids },
      ...{ deadlineMs: asUnixMs(world.nowMs + 1_000_000), sections: [], recipientsAll: true },
    });
    world.scheduler.note(`somebody forges an entry on ${topic} for ${ids.join(' ')}`);
    world.log.append(topic, 0, [{ value: forged.bytes }]);
  },
};

function linkAfter(codec: RecordCodec, last: Uint8Array | undefined): ReturnType<typeof nextLink> {
  const signed = last && codec.decode('Signed', last);
  const entry = signed?.ok ? codec.decode('PurgeEntry', signed.value.payload) : undefined;
  if (!signed?.ok || !entry?.ok) return nextLink(EMPTY_HEAD);
  const { epoch, number }: PurgeEntry = entry.value;
  return nextLink({ epoch, number, hash: statementHash(signed.value) });
}

/** Bytes that somebody changed, cut or made up, and records of one topic on another: whoever may write to the broker. */
export const GARBAGE: Fault = {
  name: 'forgery: record',
  canHappen: (world) => world.log.reachable,
  happen: (world, draw) => {
    const names = world.template.topics.map(({ name }) => name).filter((one) => world.log.has(one));
    const topic = draw.pick(names);
    const lane = draw.whole(0, world.log.lanes(topic).length - 1);
    const value = draw.chance(20)
      ? Uint8Array.from(Buffer.from(draw.hex(draw.whole(0, 60)), 'hex'))
      : changed(world, draw, draw.chance(70) ? topic : draw.pick(names));
    world.scheduler.note(`somebody puts ${String(value.length)} bytes on ${topic}`);
    world.log.append(topic, lane, [{ value }]);
  },
};

/** A record of that topic with some of its bytes changed, or cut off, or as it is. */
function changed(world: World, draw: Draw, topic: string): Uint8Array {
  const known = world.log.lanes(topic).flatMap(({ records }) => records);
  if (known.length === 0) return Uint8Array.of(draw.whole(0, 255));
  const value = Uint8Array.from(draw.pick(known).value);
  const at = draw.whole(0, value.length - 1);
  if (draw.chance(30)) return value.slice(0, at);
  if (draw.chance(70)) value[at] = draw.whole(0, 255);
  return value;
}
