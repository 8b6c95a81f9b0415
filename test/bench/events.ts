import type { MemberId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { EXAMPLE_PURPOSE } from '@concordat/cli/domain/example-agreement.js';
import { SCHEMAS_DIR } from '@concordat/cli/io/home.js';
import { newEventId } from '@concordat/cli/io/new-id.js';

type PublishRequest = concordat.node.v1.PublishRequest;

/** What every event holds, ours and the reference's alike. */
export const CONTENT_BYTES = 1_024;
export const PURPOSE = EXAMPLE_PURPOSE;
const CATEGORY = 'listing.example.individual';
const RETAIN_MS = 29 * 86_400_000;

/** What the report says an event is. */
export const EVENT_IN_WORDS = `category ${CATEGORY}: ${String(CONTENT_BYTES)} bytes of JSON in 6 sections, each sealed under a key of its own`;

/** mulberry32: quick, and the same events for the same seed. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz ';

/** Contents of events as UTF-8 JSON of exactly `CONTENT_BYTES`, the same for the same seed. */
export function makeContents(count: number, seed: number): Buffer[] {
  const next = chance(seed);
  const text = (length: number): string =>
    Array.from({ length }, () => LETTERS[Math.floor(next() * LETTERS.length)]).join('');
  return Array.from({ length: count }, (_, at) => {
    const withRemark = (remark: string): string =>
      JSON.stringify({
        firstName: text(8),
        secondName: text(10),
        nationalities: [text(7)],
        datesOfBirth: [{ typeOfDate: 'EXACT', date: '1970-01-01' }],
        aliases: [{ quality: 'Good', aliasName: text(16) }],
        documents: [{ typeOfDocument: 'Passport', number: text(9), issuingCountry: text(7) }],
        addresses: [{ city: text(9), country: text(7) }],
        remarks: [{ of: 'INDIVIDUAL', index: 0, text: remark }],
        referenceNumber: `EXi.${String(at)}`,
        listedOn: '2026-01-15',
      });
    return Buffer.from(withRemark(text(CONTENT_BYTES - withRemark('').length)));
  });
}

/** Events to publish, with new ids; `audience` names who may have them. */
export function makeRequests(
  contents: readonly Buffer[],
  audience: readonly MemberId[],
): PublishRequest[] {
  const schema = openCategoryCodec(SCHEMAS_DIR).findByCategory(CATEGORY);
  if (!schema) throw new Error(`schemas/ has no category ${CATEGORY}`);
  const nowMs = Date.now();
  const ports = { clock: systemClock, random: systemRandom };
  return contents.map((contentJson) => ({
    eventId: newEventId(ports),
    category: CATEGORY,
    schemaHash: schema.hash,
    contentJson,
    collectedAtMs: nowMs,
    retainUntilMs: nowMs + RETAIN_MS,
    purposes: [PURPOSE],
    legalBasis: 'measurement',
    handling: { tlp: 'GREEN', europol: 'H1', source: 'A', information: 1 },
    supersedes: '',
    audience: { byAgreement: audience.length === 0, members: [...audience] },
    derivedFrom: [],
  }));
}
