import { generate } from '@concordat/common/domain/synthetic/generate.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { EXAMPLE_PURPOSE } from '@concordat/cli/domain/example-agreement.js';
import { SCHEMAS_DIR } from '@concordat/cli/io/home.js';
import { newEventId } from '@concordat/cli/io/new-id.js';

type PublishRequest = concordat.node.v1.PublishRequest;

const CATEGORY = 'information-report';
/** Of every event's JSON, ours and the reference's alike. */
const CONTENT_BYTES = 1_024;
/** Different contents; more events than these use them in turn, each event under an id and keys of its own. */
const CONTENTS = 2_000;
const RETAIN_MS = 29 * 86_400_000;
export const PURPOSE = EXAMPLE_PURPOSE;

/** What the report says an event is. */
export const EVENT_IN_WORDS =
  `category ${CATEGORY}: an invented report in words, ${String(CONTENT_BYTES)} bytes of JSON in one section, sealed under a ` +
  'key of its own; the reference carries the same JSON, one record each';

let contents: readonly BenchContent[] = [];

export interface BenchContent {
  readonly category: string;
  /** as it travels: UTF-8 JSON */
  readonly json: Buffer;
}

/** Contents for so many events, the same in every process and run. */
export function contentsFor(count: number): BenchContent[] {
  if (contents.length === 0) contents = Array.from({ length: CONTENTS }, (_, at) => made(at));
  return Array.from({ length: Math.ceil(count / CONTENTS) }, () => contents)
    .flat()
    .slice(0, count);
}

function made(index: number): BenchContent {
  const { category, content } = generate(CATEGORY, 'bench', index, { bytes: CONTENT_BYTES });
  return { category, json: Buffer.from(JSON.stringify(content)) };
}

/** Events to publish, with new ids, for everybody whom the agreement allows. */
export function makeRequests(count: number): PublishRequest[] {
  const schema = openCategoryCodec(SCHEMAS_DIR).findByCategory(CATEGORY);
  if (!schema) throw new Error(`schemas/ has no category ${CATEGORY}`);
  const nowMs = Date.now();
  const ports = { clock: systemClock, random: systemRandom };
  return contentsFor(count).map(({ category, json }) => ({
    eventId: newEventId(ports),
    category,
    schemaHash: schema.hash,
    contentJson: json,
    collectedAtMs: nowMs,
    retainUntilMs: nowMs + RETAIN_MS,
    purposes: [PURPOSE],
    legalBasis: 'measurement',
    handling: { tlp: 'GREEN', europol: 'H1', source: 'A', information: 1 },
    supersedes: '',
    audience: { byAgreement: true, members: [] },
    derivedFrom: [],
  }));
}
