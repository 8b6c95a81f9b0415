import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { lasting } from '@concordat/cli/demo/report.js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type OwnBroker, startOwnBroker } from '../support/broker.js';
import { runDemoIn } from '../support/demo-run.js';
import {
  type Patch,
  type PatchedService,
  type PatchedServices,
  copyServices,
} from '../support/patched-services.js';
import { writeSmallLists } from '../support/small-lists.js';
import { type Topics, openTopics } from '../support/topics.js';

/**
 * A report in which nothing is wrong says something only if it would look different without our checks. So each is
 * taken out of the built services in turn, and every figure that moves is written down here.
 */
type Moved = Readonly<Record<string, unknown>>;

const patch = (service: PatchedService, file: string, find: string, replace: string): Patch => ({
  ...{ service, file, find, replace },
});
const STATEMENT = 'common/domain/statement.js';
const DATA = 'io/data-store.js';
const STATE = 'io/state/purge-entries.js';
const signer = patch('node', STATEMENT, 'key.member !== expected.signer', 'false');
const role = patch('node', STATEMENT, '!SIGNERS[name].includes(key.role)', 'false');
const signature = patch('node', STATEMENT, '!key.verify(', '!String(');
/** Every section, whatever the rule names. */
const sections = (service: PatchedService) =>
  patch(service, 'common/domain/decide-release.js', '.filter((name) => names(rule, name))', '');
/** Every category, whatever the rule names. */
const categories = (service: PatchedService) =>
  patch(
    service,
    'common/domain/decide-release.js',
    'matchesCategory(pattern, header',
    '(true, header',
  );

const forged = (forgeries: Readonly<Record<string, string>>) => ({ forgedPurge: { forgeries } });

const REMOVED: [check: string, patches: readonly Patch[], moved: Moved][] = [
  [
    'the signer of a purge entry is its origin',
    [signer],
    {
      attackDetails: {
        forgedPurge: { code: 'KEY_ROLE_WRONG', forgeries: { stranger: 'KEY_ROLE_WRONG' } },
      },
    },
  ],
  [
    'its role is revocation',
    [role],
    {
      attacks: { forgedPurge: 'accepted' },
      attackDetails: forged({ wrongRole: 'accepted' }),
    },
  ],
  [
    'its signature fits the key',
    [signature],
    {
      attacks: { forgedPurge: 'accepted' },
      attackDetails: forged({ wrongSignature: 'accepted' }),
    },
  ],
  [
    'signer, role and signature together',
    [signer, role, signature],
    {
      attacks: { forgedPurge: 'accepted' },
      attackDetails: {
        forgedPurge: {
          code: 'accepted',
          forgeries: { stranger: 'accepted', wrongRole: 'accepted', wrongSignature: 'accepted' },
        },
      },
    },
  ],
  [
    'a feed block that is known is a duplicate',
    [
      patch(
        'node',
        'common/io/store/chain-tables.js',
        "return known ? { kind: 'duplicate' } : { kind: 'broken' };",
        "return { kind: 'next' };",
      ),
    ],
    { attacks: { replay: 'accepted' }, attackDetails: { replay: { code: 'feed.blocks' } } },
  ],
  [
    'a purged event is not read',
    [
      patch(
        'node',
        'flows/read.js',
        'goneBecause(this.#context.state.tombstones.causeOf(origin, id))',
        'undefined',
      ),
    ],
    {
      attacks: { readPurged: 'ignored' },
      attackDetails: { readPurged: { code: 'EVENT_UNKNOWN' } },
    },
  ],
  [
    'a purged event is not taken in again',
    [patch('node', 'flows/ingest.js', 'isBuried: buried.has(id)', 'isBuried: false')],
    {
      resurrected: 3,
      replay: { purgedSkipped: 0, stateChanged: ['de.holdings', 'fr.holdings'] },
    },
  ],
  [
    'a purge deletes the keys',
    [patch('node', 'flows/finish-burials.js', 'vault.delete(deleted);', '')],
    { resurrected: 3 },
  ],
  [
    'a purge deletes the rows',
    [patch('node', 'flows/finish-burials.js', 'data.delete(deleted);', '')],
    { resurrected: 3 },
  ],
  [
    'a purge entry is answered once',
    [
      patch('node', STATE, 'OR IGNORE INTO purge_entry', 'OR REPLACE INTO purge_entry'),
      patch('node', STATE, 'INSERT INTO purge_outcome', 'INSERT OR REPLACE INTO purge_outcome'),
    ],
    { replay: { stateChanged: ['de.heads', 'de.receipts', 'fr.heads', 'fr.receipts'] } },
  ],
  [
    'a known event is not taken in again, and a recorded release is not recorded again',
    [
      patch('node', 'flows/ingest.js', 'isKnown: known.has(id)', 'isKnown: false'),
      patch('node', DATA, 'INSERT INTO event', 'INSERT OR REPLACE INTO event'),
      patch('node', 'flows/release-keys.js', 'recorded.has(section)', 'false'),
    ],
    { replay: { ledgerRecordsAdded: expect.any(Number) } },
  ],
  [
    'consent releases the sections of the rule (the node of the origin still gives no key)',
    [sections('consent')],
    // fr keeps rows that it has no key for: purges go to whoever got a key
    {
      keysRefused: { fr: { SECTION_NOT_ALLOWED: 6 } },
      members: { fr: { released: 0, readable: 0 } },
      resurrected: 2,
      replay: { purgedSkipped: 3 },
    },
  ],
  [
    'consent and the node of the origin release the sections of the rule (fr reads documents)',
    [sections('consent'), sections('node')],
    { members: { fr: { readable: 0 } } },
  ],
  [
    'consent releases the categories of the rule (the node of the origin still gives no key)',
    [categories('consent')],
    {
      withheld: { fr: 0, nl: 0 },
      withheldReasons: { fr: {}, nl: {} },
      keysRefused: { fr: { NO_RULE: 3 }, nl: { NO_RULE: 7 } },
      resurrected: 3,
    },
  ],
  [
    'consent and the node of the origin release the categories of the rule (all get all)',
    [categories('consent'), categories('node')],
    {
      withheld: { fr: 0, nl: 0 },
      withheldReasons: { fr: {}, nl: {} },
      members: { fr: { released: 9 }, nl: { released: 9 } },
      replay: { purgedSkipped: 9 },
    },
  ],
];

let broker: OwnBroker;
let topics: Topics;
let services: PatchedServices;
let lists: string;
let untouched: Record<string, unknown>;

beforeAll(async () => {
  lists = await mkdtemp(join(tmpdir(), 'concordat-lists-'));
  await writeSmallLists(lists);
  [broker, services] = await Promise.all([startOwnBroker(), copyServices()]);
  topics = await openTopics([broker.address]);
  untouched = await reportWithout([]);
});
afterAll(async () => {
  await topics.close();
  await broker.dispose();
  await services.dispose();
  await rm(lists, { recursive: true, force: true });
});

/** The report of a run without these checks, on topics that are new. */
async function reportWithout(patches: readonly Patch[]): Promise<Record<string, unknown>> {
  await topics.deleteAll();
  return services.during(patches, async () => {
    const kafkaBrokers = broker.address;
    const run = await runDemoIn({ dataDir: lists, servicesDir: services.dir, kafkaBrokers });
    await run.dispose();
    return lasting(run.report);
  });
}

test('with every check in its place nothing is wrong', () => {
  expect(untouched).toMatchObject({
    ...{ published: 9, purged: 3, delisted: ['QDi.021'], certificates: { issued: 3, verified: 3 } },
    members: {
      de: { released: 9, readable: 6 },
      fr: { released: 6, readable: 4 },
      nl: { released: 2, readable: 2 },
    },
    withheld: { de: 0, fr: 3, nl: 7 },
    attacks: { forgedPurge: 'refused', replay: 'ignored', readPurged: 'refused' },
    resurrected: 0,
    replay: { ledgerRecordsAdded: 0, receiptsAdded: 0, purgedSkipped: 5, stateChanged: [] },
  });
});

test.each(REMOVED)('the report changes without: %s', async (_check, patches, moved) => {
  expect(movedBetween(untouched, await reportWithout(patches))).toEqual(moved);
});

/** What of `after` differs from `before`. */
function movedBetween(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after) || !isDeepStrictEqual(keys(before), keys(after))) {
    return after;
  }
  const moved = Object.keys(after).filter((key) => !isDeepStrictEqual(before[key], after[key]));
  return Object.fromEntries(moved.map((key) => [key, movedBetween(before[key], after[key])]));
}

function keys(record: object): string[] {
  return Object.keys(record).sort();
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
