import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AvroField, type AvroShape, avroShape } from '@concordat/common/domain/avro-shape.js';
import { LOGICAL_TYPE_NAMES, logicalRule } from '@concordat/common/domain/logical-types.js';
import { SUBJECT_KINDS, subjectRules } from '@concordat/common/domain/subjects.js';
import { isCategorySchema } from '@concordat/common/domain/category-schema.js';
import { EVOLUTION_RULES } from '@concordat/common/domain/schema-evolution.js';
import { SYNTHETIC_CATEGORIES, generate } from '@concordat/common/domain/synthetic/generate.js';
import type { Json } from '@concordat/common/domain/strict-json.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { describe, expect, test } from '@jest/globals';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const page = read('docs/categories.md');

/** Its table rows, without what the formatter adds: `a|b|c`. */
function rowsBelow(heading: string): string[] {
  const section = page.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => /^\| /.test(line) && !line.startsWith('| -'));
  return rows.slice(1).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim())
      .join('|'),
  );
}

interface Documented extends AvroField {
  readonly doc: string;
}

/** The fields of the newest version, `documents[].number` for those inside of lists. */
function fieldsOf(category: string): Documented[] {
  const type = openCategoryCodec(fileURLToPath(new URL('schemas', root))).findByCategory(category);
  if (!type) throw new Error(`no schema of ${category}`);
  const text = read(`schemas/${category}.v${String(type.version)}.avsc`);
  const json = JSON.parse(text) as { readonly fields: readonly DocField[] };
  const shape = avroShape(json);
  return shape.kind === 'record' ? flatten(shape.fields, json.fields, '') : [];
}

interface DocField {
  readonly name: string;
  readonly doc?: string;
  readonly type: { readonly items?: { readonly fields?: readonly DocField[] } };
}

function flatten(
  fields: readonly AvroField[],
  docs: readonly DocField[],
  prefix: string,
): Documented[] {
  return fields.flatMap((field, at) => {
    const { doc = '', type } = docs[at] ?? { type: {} };
    const name = prefix + field.name;
    const inner =
      field.shape.kind === 'array' && field.shape.items.kind === 'record'
        ? flatten(field.shape.items.fields, type.items?.fields ?? [], `${name}[].`)
        : [];
    return [{ ...field, name, doc }, ...inner];
  });
}

function typeText(shape: AvroShape): string {
  switch (shape.kind) {
    case 'primitive':
      return shape.logical === '' ? shape.type : shape.logical;
    case 'enum':
      return shape.symbols.map((symbol) => `\`${symbol}\``).join(' ');
    case 'array':
      return shape.items.kind === 'record' ? 'list' : `list of ${typeText(shape.items)}`;
    case 'union':
      return shape.branches.map(typeText).join(' or ');
    case 'fixed':
    case 'map':
    case 'record':
      throw new Error(`no text for ${shape.kind}`);
  }
}

const rowOf = ({ name, shape, hasDefault, section, purge, doc }: Documented): string => {
  const need = hasDefault ? '' : '**needed** ';
  return `\`${name}\`|${section}|${purge}|${need}${typeText(shape)}|${doc}`;
};

describe.each(SYNTHETIC_CATEGORIES)('docs/categories.md on %s', (category) => {
  test('lists its fields as the schema declares them', () => {
    expect(rowsBelow(category)).toEqual(fieldsOf(category).map(rowOf));
  });

  test('leaves no field without a sentence', () => {
    expect(fieldsOf(category).filter(({ doc }) => doc === '')).toEqual([]);
  });

  test('names its kinds, and its versions', () => {
    const files = readdirSync(new URL('schemas', root)).filter((file) =>
      file.startsWith(`${category}.v`),
    );
    const { kinds } = JSON.parse(read(`schemas/${files.at(-1) ?? ''}`)) as { kinds: string[] };
    const links = files.map((file) => `[${file.split('.')[1] ?? ''}](../schemas/${file})`);
    const row = [`\`${category}\``, kinds.map((kind) => `\`${kind}\``).join(' '), links.join(' ')];
    expect(rowsBelow('The categories')).toContainEqual(expect.stringContaining(row.join('|')));
  });
});

test('docs/categories.md lists every logical type with what it takes', () => {
  expect(rowsBelow('Logical types')).toEqual(
    LOGICAL_TYPE_NAMES.map((name) => {
      const rule = logicalRule(name);
      return `${name}|${rule?.base ?? ''}|${rule?.expected ?? ''}`;
    }),
  );
});

test('docs/categories.md lists every rule for a new version', () => {
  expect(rowsBelow('A new version')).toEqual(
    Object.entries(EVOLUTION_RULES).map(([rule, text]) => `\`${rule}\`|${text}`),
  );
});

const EXAMPLES: [file: string, name: string][] = [
  ['person-alert', 'person-alert.refused-entry'],
  ['travel-document-alert', 'travel-document-alert.stolen'],
  ['financial-indicator', 'financial-indicator.account'],
  ['threat-indicator', 'threat-indicator.network'],
  ['information-report', 'information-report.sighting'],
];

test.each([...EXAMPLES, ['listing', ''] as [string, string]])(
  'docs/examples/%s-event.json fits its schema',
  (category, name) => {
    const content = JSON.parse(read(`docs/examples/${category}-event.json`)) as Json;
    const codec = openCategoryCodec(fileURLToPath(new URL('schemas', root)));
    expect(codec.findByCategory(category)?.encode(content)).toMatchObject({ ok: true });
    if (name !== '') expect(content).toEqual(generate(name, 'example', 0).content);
  },
);

test('the table of subjects names the fields by which an event is found', () => {
  const rows = readdirSync(fileURLToPath(new URL('schemas', root)))
    .filter((file) => file !== 'released.json')
    .filter((file) => isCategorySchema(JSON.parse(read(`schemas/${file}`))))
    .map((file) => file.split('.')[0] ?? '');
  const field = (each: string | undefined, name = ''): string =>
    each === undefined ? name : `${each}[]${name === '' ? '' : `.${name}`}`;
  const expected = [...new Set(rows)].map((category) => {
    const rules = subjectRules(category, undefined);
    const cells = SUBJECT_KINDS.map((kind) =>
      rules
        .filter((rule) => rule.kind === kind)
        .map(({ each, of = [''] }) => of.map((name) => `\`${field(each, name)}\``).join(' + '))
        .join(', '),
    );
    return [`\`${category}\``, ...cells].join('|');
  });
  expect(rowsBelow('Subjects').sort()).toEqual(expected.sort());
});
