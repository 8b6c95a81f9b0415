import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { OperatorService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { MEMBERS } from '../world/federation.js';
import type { World } from '../world/world.js';
import { SOON, attempt } from './attempt.js';

type Selector = concordat.node.v1.Selector;

const NOTHING: Selector = {
  ...{ eventIds: [], subjects: [], categories: [], agreements: [], holders: [] },
  ...{ publishedFromMs: 0, publishedBeforeMs: 0, collectedFromMs: 0, collectedBeforeMs: 0 },
};
const HOUR_MS = 3_600_000;

/** The ways in which an officer says which events are meant; each is the scope of orders. */
const SCOPES = {
  subject: (world: World, draw: Draw): Partial<Selector> => {
    const named = world.template.contents.filter(({ subject }) => subject !== undefined);
    return { subjects: [draw.pick(named).subject ?? ''] };
  },
  category: (world: World, draw: Draw): Partial<Selector> => ({
    categories: [draw.pick(world.template.contents).category],
  }),
  agreement: (_world: World, _draw: Draw, origin: MemberId): Partial<Selector> => ({
    agreements: [`by-${origin}`],
  }),
  recipient: (_world: World, draw: Draw, origin: MemberId): Partial<Selector> => ({
    holders: [draw.pick(MEMBERS.filter((id) => id !== origin))],
  }),
  'time range': (world: World, draw: Draw): Partial<Selector> => ({
    publishedFromMs: world.nowMs - draw.pick([2, 12, 48]) * HOUR_MS,
    publishedBeforeMs: world.nowMs,
  }),
} as const;
export const SCOPE_NAMES = Object.keys(SCOPES) as readonly (keyof typeof SCOPES)[];

/** The origin's node says which of its events these are. At most so many of them. */
export async function selectEvents(
  world: World,
  draw: Draw,
  origin: MemberId,
  scope: keyof typeof SCOPES,
  max: number,
): Promise<EventId[]> {
  const selector = { ...NOTHING, ...SCOPES[scope](world, draw, origin) };
  const node = world.client(OperatorService, origin, 'node', 'operator');
  const found: string[] = [];
  for (let after = 0; found.length < max;) {
    const came = await attempt(node.selectEvents({ selector, after }, SOON));
    if (!came.ok) break;
    found.push(...came.value.events.flatMap(({ eventIds }) => eventIds));
    if (came.value.next === 0) break;
    after = came.value.next;
  }
  return found.slice(0, max) as EventId[];
}
