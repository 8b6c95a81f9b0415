import { setTimeout as delay } from 'node:timers/promises';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { seededRandom } from '@concordat/cli/demo/chaos.js';
import { nudge } from '../load/nudge.js';
import { publish } from '../load/publisher.js';
import { ORIGIN } from '../stage/federation.js';
import { type World, nationalOf } from '../world.js';

/** How long the reliability reference gives most of what has to happen by itself. */
export const MINUTE_MS = 60_000;
/** Of a busy machine; what has a limit of its own names it. */
const PATIENCE_MS = 120_000;
const LOOK_MS = 100;
const NUDGED_EACH = 20;
const ASK = { timeoutMs: 10_000, waitForReady: true } as const;

/** @throws Error saying what should have become true */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  msMax = PATIENCE_MS,
): Promise<void> {
  const untilMs = performance.now() + msMax;
  for (;;) {
    const found = await Promise.resolve(isTrue()).catch(() => false);
    if (found) return;
    if (performance.now() > untilMs) throw new Error(`not within ${String(msMax)} ms: ${what}`);
    await delay(LOOK_MS);
  }
}

export function demand(what: string, isTrue: boolean): void {
  if (!isTrue) throw new Error(`expected ${what}`);
}

/** Publishes as fast as the node takes it. @returns the new events that were acknowledged */
export async function publishSome(world: World, name: string, events: number): Promise<string[]> {
  const before = new Set(world.book.acknowledged);
  const random = seededRandom(name.length + events);
  const about = { name, events, perSecond: 100_000, random };
  await publish(nationalOf(world, ORIGIN), world.book, about);
  return [...world.book.acknowledged].filter((event) => !before.has(event));
}

/** Are these told of at a member, each to all of its systems? */
export function areTold(world: World, member: MemberId, events: readonly string[]): boolean {
  return world.subscribers
    .filter(({ name }) => name.startsWith(member))
    .every(({ told }) =>
      events.every((event) => world.officer.isOrdered(event) || told.has(event)),
    );
}

/** As `areTold`, for what may be missing at the end of a lane: that shows when something follows it. */
export async function untilTold(
  world: World,
  member: MemberId,
  events: readonly string[],
): Promise<void> {
  let nth = 0;
  await until(`everything is told of at ${member}`, async () => {
    nth += 1;
    if (nth % NUDGED_EACH === 0) await nudge(world);
    return areTold(world, member, events);
  });
}

/** Some events that this member holds and nobody has taken back. */
export async function heldBy(world: World, member: MemberId, count: number): Promise<string[]> {
  const [reader] = world.subscribers.filter(({ name }) => name.startsWith(member));
  const held = (): string[] =>
    [...world.book.acknowledged].filter(
      (event) => reader?.told.has(event) === true && !world.officer.isOrdered(event),
    );
  await until(`${member} holds events`, () => held().length >= count);
  return held().slice(-count);
}

/** Counters of a node whose name begins so, together. */
export async function counted(world: World, member: MemberId, prefix: string): Promise<number> {
  const { counters = {} } = (await world.stage.operator.get(member)?.status({}, ASK)) ?? {};
  return Object.entries(counters)
    .filter(([name]) => name.startsWith(prefix))
    .reduce((sum, [, n]) => sum + n, 0);
}
