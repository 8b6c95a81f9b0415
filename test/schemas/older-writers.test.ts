import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AvroShape, avroShape } from '@concordat/common/domain/avro-shape.js';
import {
  isCategorySchema,
  parseCategorySchema,
  sectionSchema,
  sectionsOf,
} from '@concordat/common/domain/category-schema.js';
import { sha256 } from '@concordat/common/domain/bytes.js';
import type { Json } from '@concordat/common/domain/strict-json.js';
import { type CategoryType, openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arbitraryOf } from '../support/arbitrary-avro.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Version {
  readonly type: CategoryType;
  /** Of each section. */
  readonly shapes: ReadonlyMap<string, AvroShape>;
}

/** The versions of every category in a folder, all of which our own codec has loaded. */
function versionsIn(dir: string): Version[] {
  const codec = openCategoryCodec(dir);
  return readdirSync(dir).flatMap((file) => {
    if (!file.endsWith('.avsc')) return [];
    const bytes = readFileSync(join(dir, file));
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    const type = codec.find(sha256(bytes));
    const parsed = isCategorySchema(json) && parseCategorySchema(json);
    if (!parsed || !parsed.ok || !type) return [];
    const names = sectionsOf(parsed.value);
    const shapes = names.map(
      (name) => [name, avroShape(sectionSchema(parsed.value, name))] as const,
    );
    return [{ type, shapes: new Map(shapes) }];
  });
}

interface Pair {
  readonly name: string;
  readonly writer: Version;
  readonly reader: Version;
}

/** Every reader with every writer that is older. */
function pairsIn(dir: string): Pair[] {
  const versions = versionsIn(dir);
  return versions.flatMap((writer) =>
    versions
      .filter(({ type }) => type.category === writer.type.category)
      .filter(({ type }) => type.version > writer.type.version)
      .map((reader) => ({
        name: `${writer.type.category} v${writer.type.version}, read by v${reader.type.version}`,
        writer,
        reader,
      })),
  );
}

const compatible = readdirSync(at('compatible')).map((name): [string, Pair[]] => [
  name,
  pairsIn(at(`compatible/${name}`)),
]);
const PAIRS: [name: string, pair: Pair][] = [
  ...pairsIn(at('../../schemas')).map((pair): [string, Pair] => [pair.name, pair]),
  ...compatible.flatMap(([name, pairs]) =>
    pairs.map((pair): [string, Pair] => [`${name}: ${pair.name}`, pair]),
  ),
];

test('there are versions to read', () => {
  const names = PAIRS.map(([name]) => name);
  expect(names).toContain('threat-indicator v1, read by v2');
  expect(names).toContain('three-versions: sighting v1, read by v3');
});

/** What a reader must see of a value: what its writer wrote, where it still has a place for it. */
function seen(value: unknown, writer: AvroShape, reader: AvroShape): unknown {
  if (writer.kind === 'array' && reader.kind === 'array' && Array.isArray(value)) {
    return value.map((item) => seen(item, writer.items, reader.items));
  }
  if (writer.kind !== 'record' || reader.kind !== 'record') return value;
  const fields = value as Record<string, unknown>;
  const kept = reader.fields.flatMap(({ name, shape }) => {
    const older = writer.fields.find((field) => field.name === name);
    return older ? [[name, seen(fields[name], older.shape, shape)] as const] : [];
  });
  return Object.fromEntries(kept);
}

describe.each(PAIRS)('%s', (_name, { writer, reader }) => {
  test('all that was written is read, and what was not has its default', () => {
    const event = fc.record(
      Object.fromEntries([...writer.shapes].map(([name, shape]) => [name, arbitraryOf(shape)])),
    );
    fc.assert(
      fc.property(event, (sections) => {
        const content = Object.assign({}, ...Object.values(sections)) as Json;
        const encoded = writer.type.encode(content);
        if (!encoded.ok) throw encoded.error;
        for (const [section, bytes] of encoded.value) {
          const written = writer.type.decode(section, bytes);
          const read = reader.type.decode(section, bytes, writer.type);
          if (!written.ok || !read.ok) throw new Error(`${section} was not read`);
          const older = writer.shapes.get(section);
          const newer = reader.shapes.get(section);
          if (newer?.kind !== 'record' || !older) throw new Error(`${section} is no record`);
          expect(Object.keys(read.value as object)).toEqual(newer.fields.map(({ name }) => name));
          expect(read.value).toMatchObject(seen(written.value, older, newer) as object);
        }
      }),
      { numRuns: 50 },
    );
  });
});
