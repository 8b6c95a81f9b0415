import { NationalService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { BookedSystem } from '../world/book.js';
import { MEMBERS } from '../world/federation.js';
import { PURPOSES } from '../world/policy.js';
import type { World } from '../world/world.js';
import type { Actor } from './actor.js';
import { SOON, attempt } from './attempt.js';

type Notice = concordat.node.v1.Notice;
/** A subscriber that hears nothing new for so long has heard all. */
const QUIET_MS = 300;
const NOTICES_MAX = 400;

/** A national system with a database of its own: it copies what it is told of, and deletes what is withdrawn. */
export const copySystem: Actor = {
  name: 'copies',
  weight: 1,
  act: async (world, draw) => {
    const known = [...world.book.systems.values()];
    if (known.length > 1 || (known.length > 0 && draw.chance(70))) {
      await copyOn(world, draw.pick(known));
      return;
    }
    await register(world, draw.pick(MEMBERS));
  },
  settle: async (world) => {
    for (const system of world.book.systems.values()) await copyOn(world, system);
  },
};

async function register(world: World, member: MemberId): Promise<void> {
  const systemId = `records-${member}`;
  if (world.book.systems.has(systemId)) return;
  const node = world.client(NationalService, member, 'node', 'system');
  const came = await attempt(node.registerSystem({ systemId, kind: 'copy' }, SOON));
  if (!came.ok) return;
  const system = { member, systemId, cursor: came.value.cursor, copies: new Set<string>() };
  world.book.systems.set(systemId, system);
  world.reached('a copy system is registered');
}

/** Hears what is new, does it, and says so. */
async function copyOn(world: World, system: BookedSystem): Promise<void> {
  const { member, systemId } = system;
  const node = world.client(NationalService, member, 'node', 'system');
  const notices = await listen(world, system);
  const withdrawn: { origin: string; eventId: string }[] = [];
  for (const { kind, origin, eventId } of notices) {
    const key = `${origin}/${eventId}`;
    if (kind === 'READABLE') system.copies.add(key);
    else {
      system.copies.delete(key);
      withdrawn.push({ origin, eventId });
    }
  }
  const cursor = notices.at(-1)?.cursor ?? system.cursor;
  const came = await attempt(node.acknowledge({ systemId, cursor, withdrawn }, SOON));
  world.scheduler.note(
    `${systemId}: ${String(notices.length)} notices, ${String(withdrawn.length)} withdrawn: ${came.ok ? 'OK' : came.code}`,
  );
  if (!came.ok) return;
  system.cursor = cursor;
  if (withdrawn.length > 0) world.reached('a copy system acknowledges a withdrawal');
}

/** What a subscription tells until it is quiet, or its end of the line dies. */
async function listen(world: World, { member, systemId, cursor }: BookedSystem): Promise<Notice[]> {
  const node = world.client(NationalService, member, 'node', 'system');
  const giveUp = new AbortController();
  const heard: Notice[] = [];
  const request = {
    ...{ purpose: PURPOSES[0], caseId: 'copy', category: '', includeHeld: true },
    ...{ cursor, systemId },
  };
  const hear = async (): Promise<void> => {
    const told = node.subscribe(request, { timeoutMs: 60_000, signal: giveUp.signal });
    for await (const notice of told) {
      if (giveUp.signal.aborted || heard.length >= NOTICES_MAX) return;
      heard.push(notice);
    }
  };
  void attempt(hear());
  for (let before = -1; before < heard.length && heard.length < NOTICES_MAX;) {
    before = heard.length;
    await world.scheduler.sleep(world.outside, QUIET_MS);
  }
  const all = [...heard];
  giveUp.abort();
  return all;
}
