import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { UnEntry } from '@concordat/cli/domain/un-list/entry.js';
import { type Listing, listingDifferences } from '@concordat/cli/domain/un-list/listing.js';
import { type ListDiff, diffEntries } from '@concordat/cli/domain/un-list/match.js';
import { categoryOf, toListing } from '@concordat/cli/domain/un-list/to-listing.js';
import { type SnapshotFile, readSnapshots } from '@concordat/cli/io/un-list-folder.js';
import { matchesCategory } from '@concordat/common/domain/category.js';
import { parseCategorySchema, sectionsOf } from '@concordat/common/domain/category-schema.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { beforeAll, describe, expect, test } from '@jest/globals';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const FULL = path('../data/un-sanctions');
const CUT = path('../data/un-sanctions-cut');

const SCHEMAS = path('../../schemas');

const parsedSchema = parseCategorySchema(
  JSON.parse(readFileSync(join(SCHEMAS, 'listing.v1.avsc'), 'utf8')),
);
if (!parsedSchema.ok) throw new Error(JSON.stringify(parsedSchema.error));
const schema = parsedSchema.value;
const fieldsOf = (sections: readonly string[]) =>
  schema.fields.filter(({ section }) => sections.includes(section)).map(({ name }) => name);

const PATTERNS = {
  de: ['listing.**'],
  fr: ['listing.al-qaida.*', 'listing.taliban.*'],
  nl: ['listing.*.entity'],
} as const;
const may = (member: keyof typeof PATTERNS, entry: UnEntry) =>
  PATTERNS[member].some((pattern) => matchesCategory(pattern, categoryOf(entry)));

interface Story {
  readonly files: readonly SnapshotFile[];
  readonly diffs: readonly ListDiff[];
  readonly published: readonly UnEntry[];
  readonly purged: readonly UnEntry[];
  readonly last: readonly UnEntry[];
}

async function tell(dir: string): Promise<Story> {
  const files = await readSnapshots(dir);
  const lists = files.map(({ snapshot }) => snapshot.entries);
  const diffs = lists.map((entries, at) => diffEntries(lists[at - 1] ?? [], entries));
  return {
    files,
    diffs,
    published: diffs.flatMap(({ added, amended }) => [...added, ...amended.map((a) => a.after)]),
    purged: diffs.flatMap(({ amended, delisted }) => [
      ...amended.map((a) => a.before),
      ...delisted,
    ]),
    last: lists.at(-1) ?? [],
  };
}

const references = (entries: readonly UnEntry[]) =>
  entries.map(({ reference }) => reference).sort();

function mapped(entry: UnEntry, dateGenerated: string): Listing {
  const listing = toListing(entry, dateGenerated);
  if (!listing.ok) throw listing.error;
  return listing.value;
}

/** Every entry of every list, mapped. */
function* listingsOf({ files }: Story): Generator<{ entry: UnEntry; listing: Listing }> {
  for (const { snapshot } of files) {
    for (const entry of snapshot.entries) {
      yield { entry, listing: mapped(entry, snapshot.dateGenerated) };
    }
  }
}

function figures(story: Story) {
  const of = (member: keyof typeof PATTERNS) => {
    const count = (entries: readonly UnEntry[]) =>
      entries.filter((entry) => may(member, entry)).length;
    return {
      released: count(story.published),
      readable: count(story.last),
      purged: count(story.purged),
      withheld: story.published.length - count(story.published),
    };
  };
  return { de: of('de'), fr: of('fr'), nl: of('nl') };
}

let full: Story;
let cut: Story;
beforeAll(async () => {
  full = await tell(FULL);
  cut = await tell(CUT);
});

describe('the three lists of 2015', () => {
  test('have the entries that their README counts', () => {
    expect(full.files.map(({ snapshot }) => snapshot.entries.length)).toEqual([1043, 1043, 1046]);
  });

  test('change as their README says', () => {
    expect(full.diffs[0]).toMatchObject({ amended: [], delisted: [], unchanged: [] });
    expect(
      full.diffs.slice(1).map(({ added, amended, delisted, unchanged }) => ({
        added: references(added),
        amended: references(amended.map(({ after }) => after)),
        delisted: references(delisted),
        unchanged: unchanged.length,
      })),
    ).toEqual([
      {
        added: ['QDe.147', 'QDi.348', 'QDi.349', 'QDi.350'],
        amended: ['CIi.008', 'QDi.184', 'QDi.346'],
        delisted: ['QDi.021', 'QDi.027', 'QDi.275', 'QDi.286'],
        unchanged: 1036,
      },
      {
        added: ['QDi.351', 'TAe.014', 'TAi.173'],
        amended: ['LYi.001', 'LYi.004', 'LYi.015', 'LYi.019', 'QDi.184', 'QDi.348'],
        delisted: [],
        unchanged: 1037,
      },
    ]);
  });

  test('come to the figures of the demo', () => {
    expect([full.published.length, full.purged.length]).toEqual([1059, 13]);
    expect(figures(full)).toEqual({
      de: { released: 1059, readable: 1046, purged: 13, withheld: 0 },
      fr: { released: 453, readable: 445, purged: 8, withheld: 606 },
      nl: { released: 424, readable: 424, purged: 0, withheld: 635 },
    });
  });

  test('keep what is odd about them', () => {
    const first = full.files[0]?.snapshot.entries ?? [];
    const find = (reference: string) => first.find((entry) => entry.reference === reference);
    expect(find('TAI.171')).toMatchObject({ kind: 'individual', listType: 'Taliban' });
    expect(find('TAi.171')).toBeUndefined();
    expect(find('QDi.343')).toBeDefined();
    expect(find('QDi.343.')).toBeUndefined();
    expect(find('LRi.010')).toBeDefined();
    expect(find('QDe.004')).toMatchObject({ kind: 'entity', listType: 'Al-Qaida' });
  });

  test('have categories of one spelling', () => {
    const categories = new Set(full.published.map(categoryOf));
    expect(
      [...categories].filter(
        (category) => !/^listing\.[a-z-]+\.(individual|entity)$/.test(category),
      ),
    ).toEqual([]);
    expect(categories).toContain('listing.cdi.individual');
  });
});

test('the cut has every kind of change in 60 entries', () => {
  expect(cut.files.map(({ snapshot }) => snapshot.entries.length)).toEqual([53, 53, 56]);
  const all = cut.files.flatMap(({ snapshot }) => references(snapshot.entries));
  expect(new Set(all).size).toBe(60);
  expect([cut.published.length, cut.purged.length]).toEqual([69, 13]);
  expect(references(cut.diffs.flatMap(({ delisted }) => delisted))).toEqual([
    'QDi.021',
    'QDi.027',
    'QDi.275',
    'QDi.286',
  ]);
  expect(figures(cut)).toEqual({
    de: { released: 69, readable: 56, purged: 13, withheld: 0 },
    fr: { released: 36, readable: 28, purged: 8, withheld: 33 },
    nl: { released: 18, readable: 18, purged: 0, withheld: 51 },
  });
});

describe('the mapping', () => {
  test('is complete: each text of an entry stands in it as often as in the XML, and nothing else', () => {
    const different: string[] = [];
    let texts = 0;
    const raw = rawTexts();
    for (const { entry, listing } of listingsOf(full)) {
      const expected = raw.next().value ?? [];
      const { dateGenerated, remarks, ...rest } = listing;
      const got = [...stringsOf(rest), ...remarks.map(({ text }) => text)].sort();
      texts += expected.length;
      if (dateGenerated === null || JSON.stringify(got) !== JSON.stringify(expected.sort())) {
        different.push(entry.reference);
      }
    }
    expect(different).toEqual([]);
    expect(raw.next().done).toBe(true);
    expect(texts).toBeGreaterThan(50_000);
  });

  test('is equal, by the measure of the report, for entries that a list left unchanged', () => {
    const fields = fieldsOf(sectionsOf(schema));
    const different: string[] = [];
    full.diffs.forEach(({ unchanged }, at) => {
      const before = new Map(
        full.files[at - 1]?.snapshot.entries.map((entry) => [entry.reference, entry]),
      );
      for (const entry of unchanged) {
        const old = before.get(entry.reference);
        if (!old) throw new Error(`no earlier ${entry.reference}`);
        const read = { ...mapped(old, '2015-01-01') };
        const differences = listingDifferences(mapped(entry, '2015-02-02'), read, fields);
        if (differences.length > 0) different.push(entry.reference);
      }
    });
    expect(different).toEqual([]);
  });

  test('fits the schema, survives its encoding section by section, and is small', () => {
    const type = openCategoryCodec(SCHEMAS).findByCategory('listing.iran.entity');
    if (!type) throw new Error('no schema for listings');
    const different: string[] = [];
    let largest = 0;
    for (const { entry, listing } of listingsOf(full)) {
      const encoded = type.encode(JSON.parse(JSON.stringify(listing)));
      if (!encoded.ok) throw encoded.error;
      expect([...encoded.value.keys()]).toEqual(sectionsOf(schema));
      const parts = [...encoded.value].flatMap(([section, bytes]) => {
        largest = Math.max(largest, bytes.length);
        const decoded = type.decode(section, bytes);
        if (!decoded.ok) throw decoded.error;
        return Object.entries(decoded.value ?? {});
      });
      if (!isDeepStrictEqual(Object.fromEntries(parts), { ...listing })) {
        different.push(entry.reference);
      }
    }
    expect(different).toEqual([]);
    expect(largest).toBe(2986);
  });

  test('shows fr no number of a document', () => {
    const visible = fieldsOf(['identity', 'aliases', 'addresses', 'listing']);
    const rows = [...listingsOf(full)];
    const numbers = new Set(
      rows.flatMap(({ listing }) => listing.documents.flatMap(({ number }) => number ?? [])),
    );
    const sought = [...numbers].filter((number) => number.length >= 6 && /\d/.test(number));
    const permitted = rows.filter(({ entry }) => may('fr', entry));
    const hits = (fields: readonly string[]) =>
      permitted.flatMap(({ entry, listing }) => {
        const text = stringsOf(pick(listing, fields)).join('\n');
        return sought.some((number) => text.includes(number)) ? [entry.reference] : [];
      });
    expect(sought).toHaveLength(264);
    expect(hits(visible)).toEqual([]);
    expect(hits(fieldsOf(['remarks']))).toEqual(expect.arrayContaining(['TAi.034', 'TAi.051']));
  });
});

/** The texts of each entry by a reading of our own: no parser, no mapping; in the order of files and entries. */
function* rawTexts(): Generator<string[], undefined> {
  const files = readdirSync(FULL).filter((name) => name.endsWith('.xml.gz'));
  for (const file of files.sort()) {
    const xml = gunzipSync(readFileSync(join(FULL, file))).toString('utf8');
    for (const [entry] of xml.matchAll(/<(INDIVIDUAL|ENTITY)(?=[\s>])[^]*?<\/\1>/g)) {
      yield entry
        .split(/<[^>]*>/)
        .map((text) => text.replaceAll('\r\n', '\n').trim())
        .filter((text) => text !== '')
        .map((text) =>
          text
            .replaceAll('&lt;', '<')
            .replaceAll('&gt;', '>')
            .replaceAll('&quot;', '"')
            .replaceAll('&apos;', "'")
            .replaceAll('&amp;', '&'),
        );
    }
  }
  return undefined;
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsOf);
}

function pick(listing: Listing, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(listing).filter(([name]) => fields.includes(name)));
}
