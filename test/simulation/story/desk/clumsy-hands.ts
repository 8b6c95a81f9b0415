import { exampleAgreements } from '@concordat/cli/domain/example-agreement.js';
import { parseDuration } from '@concordat/cli/domain/duration.js';
import { parsePlannedMember, withEndpoints } from '@concordat/cli/domain/federation-plan.js';
import { parseTimeRange } from '@concordat/cli/domain/selection.js';
import { utf8 } from '@concordat/common/domain/bytes.js';
import { parseStrictJson } from '@concordat/common/domain/strict-json.js';
import { type Draw } from '@concordat/common/domain/synthetic/draw.js';
import { countLosses, scopeText } from '@concordat/cli/domain/scope-counts.js';
import { OperatorService } from '@concordat/common/io/rpc/definitions.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { MEMBERS } from '../../world/federation.js';
import type { Actor } from '../actor.js';
import { SOON, attempt } from '../attempt.js';
import { type Draft, draftOf, publishAll } from '../publish.js';

/** What people and programs type that is almost right. */
const RANGES = [
  '2026-01-05..2026-01-06',
  '2026-01-05..',
  '..',
  'today',
  '2026-02-01..2026-01-01',
  '2026-13-45..',
];
const DURATIONS = ['24h', '5m', '500ms', '0s', '-1h', 'soon', '99999999999d'];
const PLANNED = ['un:origin', 'de', 'UN', 'de:origin:origin', 'x'];
/** Not quite JSON, or JSON that must not be taken. */
const JSONS = [
  ...[
    '{"__proto__":{"a":1}}',
    '{"a":1,"a":2}',
    '{"a":01}',
    '{"a":"\\ud800"}',
    '[1,2',
    '{"a":1e999}',
  ],
  ...[
    '\ufeff{}',
    '"\\x"',
    '{"a":nul}',
    `${'['.repeat(200)}${']'.repeat(200)}`,
    '{"a":"\u0001"}',
    '',
  ],
];

/** Somebody whose words and files are wrong: each is refused, and nothing else is the worse for it. */
export const clumsyHands: Actor = {
  name: 'is clumsy',
  weight: 1,
  act: async (world, draw) => {
    const origin = draw.pick(MEMBERS);
    const drafts = draw.list(3, 6, () => spoiled(draw, draftOf(world, draw, origin)));
    await publishAll(world, origin, drafts);
    for (const { event } of drafts)
      if (event.state === 'refused') world.reached('malformed content is refused');
    parseTimeRange(draw.pick(RANGES));
    parseDuration(draw.pick(DURATIONS));
    parseStrictJson(utf8(draw.pick(JSONS)), 1_024);
    const planned = parsePlannedMember(draw.pick(PLANNED));
    if (!planned.ok) return;
    withEndpoints([planned.value], 9_000);
    const policy = exampleAgreements([planned.value], asUnixMs(world.nowMs));
    const node = world.client(OperatorService, origin, 'node', 'operator');
    const came = await attempt(
      node.previewScope({ policy: utf8(JSON.stringify(policy)), after: 0 }, SOON),
    );
    if (came.ok) world.scheduler.note(`desk: ${scopeText(countLosses([], came.value.losses))}`);
  },
};

/** One thing of the content or of the facts is wrong. */
function spoiled(draw: Draw, { event, request }: Draft): Draft {
  const content = JSON.parse(Buffer.from(request.contentJson).toString('utf8')) as Record<
    string,
    unknown
  >;
  const [field = ''] = draw.some(Object.keys(content), 1);
  const withField = (value: unknown) => ({
    event,
    request: { ...request, contentJson: utf8(JSON.stringify({ ...content, [field]: value })) },
  });
  return draw.pick([
    () =>
      withField(
        draw.pick([null, 1, -1, 2 ** 40, true, '', 'x'.repeat(300), [], [1], {}, { a: 1 }, 1.5]),
      ),
    () => withField([null, 'x', { x: 1 }]),
    () => withField("[ipv4-addr:value = '1.2.3.4' OR"),
    () => ({ event, request: { ...request, contentJson: utf8(draw.pick(JSONS)) } }),
    () => ({
      event,
      request: { ...request, category: draw.pick(['', 'nothing', 'a..b', 'UPPER']) },
    }),
    () => ({ event, request: { ...request, purposes: [] } }),
    () => ({ event, request: { ...request, retainUntilMs: 1 } }),
    () => ({
      event,
      request: {
        ...request,
        handling: { tlp: 'PINK', europol: 'H9', source: 'Z', information: 9 },
      },
    }),
    () => ({ event, request: { ...request, supersedes: request.eventId } }),
    () => ({ event, request: { ...request, schemaHash: new Uint8Array(3) } }),
  ])();
}
