import { describe, expect, test } from '@jest/globals';
import avro from 'avsc';
import {
  type CategorySchema,
  checkAnnotations,
  checkTypeNames,
  describesCategory,
  isCategorySchema,
  parseCategorySchema,
  sectionSchema,
  sectionsOf,
} from './category-schema.js';

const who = { section: 'who', purge: 'purge' };
const where = { section: 'where', purge: 'keep' };
const level = { type: 'enum', name: 'Level', symbols: ['LOW', 'HIGH'] };
const street = { name: 'street', type: 'string', ...where };

/** A valid category; a test changes one thing of it. */
function category(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: 'record',
    name: 'Sighting',
    namespace: 'concordat.category.v1',
    category: 'sighting',
    sections: ['who', 'where'],
    fields: [
      { name: 'level', type: ['null', level], ...who },
      { name: 'place', type: { type: 'record', name: 'Place', fields: [street] }, ...where },
      { name: 'name', type: 'string', ...who },
      { name: 'levels', type: { type: 'array', items: 'Level' }, ...where },
      { name: 'worst', type: 'concordat.category.v1.Level', ...where },
      { name: 'places', type: { type: 'map', values: 'Place' }, ...where },
    ],
    ...change,
  };
}

function parsed(): CategorySchema {
  const result = parseCategorySchema(category());
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** What is wrong with a category that has this one field besides a valid one of each section. */
function problemsOfField(field: Record<string, unknown>): readonly unknown[] {
  const fields = [
    { name: 'name', type: 'string', ...who },
    { name: 'place', type: { type: 'record', name: 'Place', fields: [street] }, ...where },
    field,
  ];
  return checkAnnotations(category({ fields })).map(({ path, problem }) => `${path}: ${problem}`);
}

describe('the schema of a section', () => {
  test('has exactly the fields of that section, in order', () => {
    expect(sectionsOf(parsed())).toEqual(['who', 'where']);
    expect(sectionSchema(parsed(), 'who')).toEqual({
      type: 'record',
      name: 'Sighting_who',
      namespace: 'concordat.category.v1',
      fields: [
        { name: 'level', type: ['null', level], ...who },
        { name: 'name', type: 'string', ...who },
      ],
    });
  });

  test('stands alone: a type defined in another section is defined again, once', () => {
    const schema = sectionSchema(parsed(), 'where');
    const type = avro.Type.forSchema(schema as avro.Schema);
    const value = {
      place: { street: 'Main' },
      levels: ['LOW'],
      worst: 'HIGH',
      places: { home: { street: 'Side' } },
    };
    expect(type.fromBuffer(type.toBuffer(value))).toEqual(value);
    expect(JSON.stringify(schema).match(/"name":"Level"/g)).toHaveLength(1);
    expect(JSON.stringify(schema).match(/"name":"Place"/g)).toHaveLength(1);
  });

  test('does not exist for a section that is not declared', () => {
    expect(() => sectionSchema(parsed(), 'remarks')).toThrow('no such section: remarks');
  });
});

describe('a category schema', () => {
  test('is told by its top-level category', () => {
    expect([category(), { type: 'record' }, 'string', null].map(isCategorySchema)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('is not parsed when it breaks a rule', () => {
    expect(parseCategorySchema(category({ name: 'sighting' }))).toMatchObject({ ok: false });
  });

  test.each<[name: string, json: unknown, problem: string]>([
    ['not a record', { type: 'enum', category: 'x' }, '$: a category schema is an Avro record'],
    ['a list', [], '$: a category schema is an Avro record'],
    ['a type not UpperCamel', category({ name: 'a_b' }), 'a_b: type name a_b is not UpperCamel'],
    ['no category', category({ category: 7 }), 'Sighting: category is not a lower-case word'],
    [
      'a category of two words',
      category({ category: 'a.b' }),
      'Sighting: category is not a lower-case word',
    ],
    [
      'a kind in capitals',
      category({ kinds: ['near', 'Far'] }),
      'Sighting: a kind is not a lower-case word',
    ],
    ['no sections', category({ sections: [] }), 'Sighting: declares no sections'],
    [
      'a section in capitals',
      category({ sections: ['who', 'where', 'WHEN'] }),
      'Sighting: section 2 is not a lower-case word',
    ],
    [
      'a section twice',
      category({ sections: ['who', 'where', 'who'] }),
      'Sighting: declares section who twice',
    ],
    [
      'a section without a field',
      category({ sections: ['who', 'where', 'when'] }),
      'Sighting: declares section when without a field',
    ],
    ['no fields', category({ fields: [] }), 'Sighting: a record without fields'],
    ['a field of text', category({ fields: ['x'] }), 'Sighting: a field that is not an object'],
  ])('is refused with %s', (_name, json, problem) => {
    expect(checkAnnotations(json).map((one) => `${one.path}: ${one.problem}`)).toContain(problem);
  });

  test('describes itself, and of what is below it the kinds that it declares', () => {
    const names = [
      'sighting',
      'sighting.near',
      'sighting.near.sea',
      'sighting.far',
      'sightings',
      'sighting.',
    ];
    const described = (change: object) => {
      const schema = parseCategorySchema(category({ ...change }));
      return schema.ok && names.filter((name) => describesCategory(schema.value, name));
    };
    expect(described({ kinds: ['near'] })).toEqual(names.slice(0, 3));
    expect(described({})).toEqual(names.slice(0, 4));
  });

  const nested = (annotations: Record<string, string>) => ({
    type: 'array',
    items: [
      'null',
      { type: 'record', name: 'Item', fields: [{ name: 'text', type: 'string', ...annotations }] },
    ],
  });

  test.each<[name: string, field: Record<string, unknown>, problem: string]>([
    ['no section', { name: 'a', type: 'int', purge: 'keep' }, 'Sighting.a: no section'],
    [
      'an unknown section',
      { name: 'a', type: 'int', section: 'when', purge: 'keep' },
      'Sighting.a: section when is not declared',
    ],
    [
      'bytes',
      { name: 'a', type: ['null', 'bytes'], ...who },
      'Sighting.a: an event is JSON, which has no bytes: write them as text',
    ],
    [
      'a fixed',
      { name: 'a', type: { type: 'fixed', name: 'Id', size: 16 }, ...who },
      'Sighting.a: an event is JSON, which has no bytes: write them as text',
    ],
    [
      'a logical type that is not ours',
      { name: 'a', type: { type: 'string', logicalType: 'colour' }, ...who },
      'Sighting.a: logical type colour is not known here',
    ],
    [
      'a logical type on another type than its own',
      { name: 'a', type: ['null', { type: 'string', logicalType: 'date' }], ...who },
      "Sighting.a: logical type date is of Avro's int",
    ],
    [
      'a text of which a count is to be kept',
      { name: 'a', type: 'string', section: 'who', purge: 'derive' },
      'Sighting.a: purge derive is for enums and booleans: of others a count keeps the value',
    ],
    ['no fate', { name: 'a', type: 'int', section: 'who' }, 'Sighting.a: no fate under a purge'],
    [
      'an unknown fate',
      { name: 'a', type: 'int', section: 'who', purge: 'forget' },
      'Sighting.a: purge forget is none of purge, derive, keep',
    ],
    [
      'a nested field without a section',
      { name: 'a', type: nested({ purge: 'purge' }), ...who },
      'Sighting.a.text: no section',
    ],
    [
      'a nested field without a fate',
      { name: 'a', type: nested({ section: 'who' }), ...who },
      'Sighting.a.text: no fate under a purge',
    ],
    [
      'a nested field of another section',
      { name: 'a', type: nested(where), ...who },
      "Sighting.a.text: section where differs from its parent's who",
    ],
    [
      'a type of another section',
      { name: 'a', type: { type: 'array', items: 'Place' }, ...who },
      'Sighting.a: uses Place, a type of another section',
    ],
    [
      'a field not camelCase',
      { name: 'A_b', type: 'int', ...who },
      'Sighting.A_b: field name is not camelCase',
    ],
    [
      'an enum not UpperCamel',
      { name: 'a', type: { type: 'enum', name: 'kind', symbols: ['A'] }, ...who },
      'Sighting.a: type name kind is not UpperCamel',
    ],
  ])('is refused with %s', (_name, field, problem) => {
    expect(problemsOfField(field)).toEqual([problem]);
  });
});

test('names of types are checked at every depth', () => {
  const inner = { type: 'record', name: 'inner_one', fields: [] };
  const fields = [{ name: 'a', type: ['null', { type: 'array', items: inner }] }];
  expect(checkTypeNames({ type: 'record', name: 'Outer', fields })).toEqual([
    { path: 'Outer.a', problem: 'type name inner_one is not UpperCamel' },
  ]);
});
