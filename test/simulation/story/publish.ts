import { newEventId } from '@concordat/cli/io/new-id.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { NationalService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { type BookedEvent, eventKey } from '../world/book.js';
import { fastRandom } from '../world/fast-random.js';
import { MEMBERS } from '../world/federation.js';
import { PURPOSES } from '../world/policy.js';
import type { Content } from '../world/template.js';
import type { World } from '../world/world.js';
import { SOON, attempt, isUnknown } from './attempt.js';

type PublishRequest = concordat.node.v1.PublishRequest;
const DAY_MS = 86_400_000;
const HANDLING = { tlp: 'AMBER', europol: 'H1', source: 'A', information: 1 };

/** What a national system makes of an event before it publishes it. */
export interface Draft {
  readonly event: BookedEvent;
  readonly request: PublishRequest;
}

/** Terms end together, at midnight, so that rules make few orders of many events. */
function drawSpan(draw: Draw, nowMs: number) {
  const midnightMs = nowMs - (nowMs % DAY_MS);
  return {
    collectedAtMs: midnightMs - draw.pick([0, DAY_MS]),
    retainUntilMs: midnightMs + (draw.chance(12) ? draw.pick([2, 3]) : 60) * DAY_MS,
  };
}

/** An event with this content, drawn; what the caller says of it stands. */
export function draftOf(
  world: World,
  draw: Draw,
  origin: MemberId,
  change: Partial<Pick<BookedEvent, 'parents' | 'supersedes'>> = {},
  content: Content = draw.pick(world.template.contents),
): Draft {
  const random = fastRandom(String(world.seed), 'id', String(world.book.events.size), draw.hex(4));
  const nowMs = world.nowMs;
  const others = MEMBERS.filter((id) => id !== origin);
  const byAgreement = draw.chance(85);
  const event: BookedEvent = {
    ...{ origin, id: newEventId({ clock: world.clock, random }), category: content.category },
    ...drawSpan(draw, nowMs),
    purposes: draw.chance(80) ? PURPOSES : PURPOSES.slice(1),
    ...{ byAgreement, audience: byAgreement ? [] : draw.some(others, 2) },
    ...{ parents: [], supersedes: undefined, ...change },
    ...{ state: 'asked', code: undefined },
  };
  return {
    event,
    request: {
      ...{ eventId: event.id, category: event.category, schemaHash: content.schemaHash },
      ...{ contentJson: content.json, collectedAtMs: event.collectedAtMs },
      ...{ retainUntilMs: event.retainUntilMs, purposes: [...event.purposes] },
      ...{ legalBasis: 'resolution 1373 (2001)', handling: HANDLING },
      supersedes: event.supersedes ?? '',
      audience: { byAgreement, members: [...event.audience] },
      derivedFrom: event.parents.map((parent) => ({ origin: parent.origin, eventId: parent.id })),
    },
  };
}

/** One stream of events to the member's node. What becomes of each is in the book. */
export async function publishAll(
  world: World,
  origin: MemberId,
  drafts: readonly Draft[],
): Promise<void> {
  for (const { event } of drafts) world.book.events.set(eventKey(event), event);
  const node = world.client(NationalService, origin, 'node', 'system');
  const came = await attempt(
    node.publishStream([{ events: drafts.map(({ request }) => request) }], SOON),
  );
  if (!came.ok) {
    for (const { event } of drafts) settle(event, isUnknown(came.code) ? 'unknown' : 'refused');
    return;
  }
  for (const { event } of drafts) settle(event, 'accepted');
  for (const { position, code } of came.value.refusals) {
    const refused = drafts[position]?.event;
    if (!refused) continue;
    settle(refused, 'refused');
    refused.code = code;
  }
}

function settle(event: BookedEvent, state: BookedEvent['state']): void {
  event.state = state;
}
