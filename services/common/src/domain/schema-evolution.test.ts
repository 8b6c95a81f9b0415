import { describe, expect, test } from '@jest/globals';
import type { AvroSchema } from './avro-shape.js';
import { EVOLUTION_RULES, type EvolutionRule, evolutionProblems } from './schema-evolution.js';

interface Schema {
  readonly [key: string]: unknown;
}

/** A record `house.Note` with these fields; what else stands on it is in `more`. */
function note(fields: readonly Schema[], more: Schema = {}): Schema {
  return { type: 'record', name: 'Note', namespace: 'house', fields, ...more };
}

const field = (type: AvroSchema, more: Schema = {}): Schema => ({ name: 'f', type, ...more });

/** What becomes of one field when its type does. */
function changed(writer: AvroSchema, reader: AvroSchema): readonly string[] {
  return told(note([field(writer)]), note([field(reader)]));
}

/** `rule path: writer → reader` */
function told(writer: Schema, reader: Schema): readonly string[] {
  return evolutionProblems(writer, reader).map(
    (problem) => `${problem.rule} ${problem.path}: ${problem.writer} → ${problem.reader}`,
  );
}

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
/** The Avro specification's promotions, without those that may lose something. */
const KEPT_WHOLE = new Set(['int long', 'int double', 'long double', 'float double']);
/** The rest of the specification's promotions. */
const READ_WITH_LOSS = new Set(['int float', 'long float', 'string bytes', 'bytes string']);

const level = (...symbols: string[]): AvroSchema => ({
  ...{ type: 'enum', name: 'Level', symbols },
});
const key = (size: number, more: Schema = {}): AvroSchema => ({
  ...{ type: 'fixed', name: 'Key', size, ...more },
});
const inner = (...fields: Schema[]): AvroSchema => ({ type: 'record', name: 'Inner', fields });
const arrayOf = (items: AvroSchema): AvroSchema => ({ type: 'array', items });
const mapOf = (values: AvroSchema): AvroSchema => ({ type: 'map', values });
const day: AvroSchema = { type: 'int', logicalType: 'date' };

describe('a primitive type', () => {
  const pairs = PRIMITIVES.flatMap((writer) =>
    PRIMITIVES.map((reader) => {
      const pair = `${writer} ${reader}`;
      if (writer === reader || KEPT_WHOLE.has(pair)) return [writer, reader, undefined] as const;
      return [
        writer,
        reader,
        READ_WITH_LOSS.has(pair) ? 'PROMOTION_LOSSY' : 'TYPE_CHANGED',
      ] as const;
    }),
  );

  test.each(pairs)('%s, then %s: %s', (writer, reader, rule) => {
    const expected = rule ? [`${rule} Note.f: ${writer} → ${reader}`] : [];
    expect(changed(writer, reader)).toEqual(expected);
  });

  test.each(pairs)('%s, then %s among others: a branch is found when it may follow', (...pair) => {
    const [writer, reader, rule] = pair;
    const branches = ['boolean', 'null'].filter((other) => other !== writer && other !== reader);
    const found = changed(writer, [...branches, reader]);
    const types = `${writer} → ${[...branches, reader].join(' or ')}`;
    expect(found).toEqual(rule === undefined ? [] : [`TYPE_CHANGED Note.f: ${types}`]);
  });
});

/** As records' fields: what is written, what is read. */
const CHANGES: readonly [what: string, AvroSchema, AvroSchema, ...found: string[]][] = [
  ['a type that gains a meaning', 'int', day, 'LOGICAL_TYPE_CHANGED int → int (date)'],
  ['a type that loses its meaning', day, 'int', 'LOGICAL_TYPE_CHANGED int (date) → int'],
  ['a meaning that is widened away', day, 'long', 'LOGICAL_TYPE_CHANGED int (date) → long'],
  ['a meaning that stays', day, day],
  ['an enum with a new symbol', level('LOW', 'HIGH'), level('NONE', 'LOW', 'HIGH')],
  ['an enum in another order', level('LOW', 'HIGH'), level('HIGH', 'LOW')],
  [
    'an enum that loses a symbol',
    level('LOW', 'HIGH'),
    level('LOW', 'TOP'),
    'ENUM_SYMBOL_REMOVED enum Level (LOW, HIGH) → enum Level (LOW, TOP)',
  ],
  [
    'an enum of another name',
    level('LOW'),
    { type: 'enum', name: 'Grade', symbols: ['LOW'] },
    'NAME_CHANGED enum house.Level → enum house.Grade',
  ],
  ['an enum that becomes text', level('LOW'), 'string', 'TYPE_CHANGED enum Level (LOW) → string'],
  ['text that becomes an enum', 'string', level('LOW'), 'TYPE_CHANGED string → enum Level (LOW)'],
  ['a fixed as it was', key(16), key(16)],
  [
    'a fixed of another size',
    key(16),
    key(32),
    'FIXED_SIZE_CHANGED fixed Key of 16 bytes → fixed Key of 32 bytes',
  ],
  [
    'a fixed that becomes an id',
    key(16),
    key(16, { logicalType: 'uuid' }),
    'LOGICAL_TYPE_CHANGED fixed Key of 16 bytes → fixed Key of 16 bytes (uuid)',
  ],
  [
    'a fixed of another name, size and meaning',
    key(16),
    { type: 'fixed', name: 'Mark', size: 12, logicalType: 'duration' },
    'NAME_CHANGED fixed house.Key → fixed house.Mark',
    'FIXED_SIZE_CHANGED fixed Key of 16 bytes → fixed Mark of 12 bytes (duration)',
    'LOGICAL_TYPE_CHANGED fixed Key of 16 bytes → fixed Mark of 12 bytes (duration)',
  ],
  ['a fixed that becomes bytes', key(16), 'bytes', 'TYPE_CHANGED fixed Key of 16 bytes → bytes'],
  [
    'a record in another namespace',
    inner(),
    { type: 'record', name: 'Inner', namespace: 'barn', fields: [] },
    'NAME_CHANGED record house.Inner → record barn.Inner',
  ],
  ['a record that becomes a map', inner(), mapOf('int'), 'TYPE_CHANGED record Inner → map of int'],
  ['a list whose items are widened', arrayOf('int'), arrayOf('long')],
  ['a list whose items are narrowed', arrayOf('long'), arrayOf('int'), 'TYPE_CHANGED long → int'],
  ['a map whose values are widened', mapOf('int'), mapOf('long')],
  ['a map whose values are narrowed', mapOf('long'), mapOf('int'), 'TYPE_CHANGED long → int'],
  ['a list that becomes a map', arrayOf('int'), mapOf('int'), listTo('map of int')],
  [
    'a map that becomes a list',
    mapOf('int'),
    arrayOf('int'),
    'TYPE_CHANGED map of int → array of int',
  ],
  ['a list that becomes one item', arrayOf('int'), 'int', listTo('int')],
  ['an item that becomes a list', 'int', arrayOf('int'), 'TYPE_CHANGED int → array of int'],
  ['what may now be left out', 'string', ['null', 'string']],
  [
    'what may not be left out any more',
    ['null', 'string'],
    'string',
    'UNION_BRANCH_REMOVED null → string',
  ],
  ['branches in another order, and one more', ['null', 'int'], ['string', 'int', 'null']],
  ['branches that are widened', ['null', 'int'], ['null', 'double']],
  [
    'branches of which two are gone',
    ['null', 'string', 'int', 'boolean'],
    ['null', 'boolean'],
    'UNION_BRANCH_REMOVED string → null or boolean',
    'UNION_BRANCH_REMOVED int → null or boolean',
  ],
  [
    'a branch that would be read with a loss',
    ['null', 'long'],
    ['null', 'float'],
    'UNION_BRANCH_REMOVED long → null or float',
  ],
  ['the only branch of a union, without it', ['int'], 'int'],
  [
    'a branch that gets another meaning',
    ['null', 'int'],
    ['null', day],
    'LOGICAL_TYPE_CHANGED int → int (date)',
  ],
  [
    'a record that becomes a branch of another name',
    inner(),
    ['null', { type: 'record', name: 'Other', fields: [] }],
    'TYPE_CHANGED record Inner → null or record Other',
  ],
  ['a record that becomes a branch', inner(), ['null', inner()]],
  [
    'a type that becomes a branch with another meaning',
    'int',
    ['null', day],
    'LOGICAL_TYPE_CHANGED int → int (date)',
  ],
  ['bytes that become a fixed', 'bytes', key(16), 'TYPE_CHANGED bytes → fixed Key of 16 bytes'],
  ['a list that becomes a branch', arrayOf('int'), ['null', arrayOf('long')]],
  [
    'a list in a branch, narrowed',
    ['null', arrayOf('long')],
    ['null', arrayOf('int')],
    'TYPE_CHANGED long → int',
  ],
  [
    'a map where only a list is a branch',
    mapOf('int'),
    ['null', arrayOf('int')],
    'TYPE_CHANGED map of int → null or array of int',
  ],
  [
    'an enum of a name that a fixed has now',
    { type: 'enum', name: 'Key', symbols: ['A'] },
    ['null', key(1)],
    'TYPE_CHANGED enum Key (A) → null or fixed Key of 1 bytes',
  ],
  [
    'an enum among branches, with a symbol less',
    ['null', level('LOW', 'HIGH')],
    ['null', level('LOW')],
    'ENUM_SYMBOL_REMOVED enum Level (LOW, HIGH) → enum Level (LOW)',
  ],
  [
    'the second of two records of a union, with a field that nobody wrote',
    ['null', inner(), { type: 'record', name: 'Other', fields: [] }],
    ['null', inner(), { type: 'record', name: 'Other', fields: [{ name: 'n', type: 'int' }] }],
    'FIELD_WITHOUT_DEFAULT .n nothing → int',
  ],
];

function listTo(reader: string): string {
  return `TYPE_CHANGED array of int → ${reader}`;
}

test.each(CHANGES)('%s', (_what, writer, reader, ...found) => {
  const expected = found.map((line) => {
    const [, rule = '', below = '', types = ''] = /^(\S+) (\.\S+ )?(.+)$/.exec(line) ?? [];
    return `${rule} Note.f${below.trim()}: ${types}`;
  });
  expect(changed(writer, reader)).toEqual(expected);
});

describe('the fields of a record', () => {
  test('may be left out, as nobody has to read them', () => {
    expect(told(note([field('int'), { name: 'g', type: 'string' }]), note([]))).toEqual([]);
  });

  test('may be added only with something to read where nothing was written', () => {
    const written = note([field('int')]);
    const plus = (more: Schema): Schema => note([field('int'), { name: 'g', ...more }]);
    expect(told(written, plus({ type: 'string', default: '' }))).toEqual([]);
    expect(told(written, plus({ type: ['null', 'int'], default: null }))).toEqual([]);
    expect(told(written, plus({ type: ['null', 'int'] }))).toEqual([
      'FIELD_WITHOUT_DEFAULT Note.g: nothing → null or int',
    ]);
  });

  test('need no default where they were written', () => {
    expect(told(note([field('int', { default: 1 })]), note([field('int')]))).toEqual([]);
  });

  test('are told apart by their names, not their places', () => {
    const [first, second] = [
      { name: 'a', type: 'int' },
      { name: 'b', type: 'string' },
    ];
    expect(told(note([first, second]), note([second, first]))).toEqual([]);
  });

  test('keep their section', () => {
    const [before, after] = ['identity', 'remarks'].map((section) =>
      note([field('string', { section })]),
    );
    expect(told(before ?? {}, after ?? {})).toEqual([
      'SECTION_MOVED Note.f: string (section identity) → string (section remarks)',
    ]);
  });

  const FATES = ['purge', 'derive', 'keep'];
  test.each(FATES.flatMap((before) => FATES.map((after) => [before, after] as const)))(
    'of the fate %s may have the fate %s only if it is as strong',
    (before, after) => {
      const found = told(
        note([field('int', { purge: before })]),
        note([field('int', { purge: after })]),
      );
      const isWeaker = FATES.indexOf(after) > FATES.indexOf(before);
      const expected = `FATE_WEAKENED Note.f: int (fate ${before}) → int (fate ${after})`;
      expect(found).toEqual(isWeaker ? [expected] : []);
    },
  );

  test('are named by the whole way to them', () => {
    const deep = (type: AvroSchema): Schema =>
      note([{ name: 'list', type: arrayOf(inner({ name: 'map', type: mapOf(type) })) }]);
    expect(told(deep('string'), deep('int'))).toEqual(['TYPE_CHANGED Note.list.map: string → int']);
  });
});

describe('a record that holds itself', () => {
  const tree = (...fields: Schema[]): Schema =>
    note([{ name: 'below', type: arrayOf('Note') }, ...fields]);

  test('is looked at once', () => {
    expect(told(tree(), tree())).toEqual([]);
    expect(told(tree(field('string')), tree(field('int')))).toEqual([
      'TYPE_CHANGED Note.f: string → int',
    ]);
  });

  test('is looked at against each record that it becomes', () => {
    const twice = (first: AvroSchema, second: AvroSchema): Schema =>
      note([
        { name: 'a', type: first },
        { name: 'b', type: second },
      ]);
    const written = twice(inner({ name: 'n', type: 'string' }), 'Inner');
    const other = (type: AvroSchema): AvroSchema => ({
      ...{ type: 'record', name: 'barn.Inner', fields: [{ name: 'n', type }] },
    });
    expect(told(written, twice(inner({ name: 'n', type: 'string' }), other('int')))).toEqual([
      'NAME_CHANGED Note.b: record house.Inner → record barn.Inner',
      'TYPE_CHANGED Note.b.n: string → int',
    ]);
  });
});

describe('a category', () => {
  const category = (more: Schema): Schema => note([], { category: 'alert', ...more });

  test('is one for all versions of a file', () => {
    expect(told(category({}), category({}))).toEqual([]);
    expect(told(category({}), category({ category: 'sample' }))).toEqual([
      'CATEGORY_CHANGED Note: category alert → category sample',
    ]);
    expect(told(category({}), note([]))).toEqual([
      'CATEGORY_CHANGED Note: category alert → a record of no category',
    ]);
    expect(told(note([]), category({}))).toEqual([
      'CATEGORY_CHANGED Note: a record of no category → category alert',
    ]);
  });

  test('may have more sections, never fewer', () => {
    const some = category({ sections: ['identity', 'remarks'] });
    const more = category({ sections: ['added', 'remarks', 'identity'] });
    expect(told(some, more)).toEqual([]);
    expect(told(more, some)).toEqual(['SECTION_REMOVED Note: section added → no such section']);
    expect(told(some, category({}))).toEqual([
      'SECTION_REMOVED Note: section identity → no such section',
      'SECTION_REMOVED Note: section remarks → no such section',
    ]);
  });

  test.each<
    [
      before: readonly string[] | undefined,
      after: readonly string[] | undefined,
      gone: readonly string[],
    ]
  >([
    [['new', 'update'], ['update', 'new', 'end'], []],
    [['new', 'update'], ['new'], ['update']],
    [['new', 'update'], undefined, []],
    [undefined, undefined, []],
    // without a list every kind was allowed
    [undefined, ['new'], ['any']],
  ])('of the kinds %j may have the kinds %j but for %j', (before, after, gone) => {
    const of = (kinds: readonly string[] | undefined) => category(kinds ? { kinds } : {});
    const expected = gone.map((kind) => `KIND_REMOVED Note: kind ${kind} → no such kind`);
    expect(told(of(before), of(after))).toEqual(expected);
  });
});

test('a path begins with the name of the record, without its namespace', () => {
  const of = (type: AvroSchema) => note([field(type)], { namespace: 'town.house' });
  expect(told(of('string'), of('int'))).toEqual(['TYPE_CHANGED Note.f: string → int']);
});

test('what is no record has no name to begin its path with', () => {
  const rules = (writer: Schema, reader: Schema): readonly [string, EvolutionRule][] =>
    evolutionProblems(writer, reader).map(({ path, rule }) => [path, rule]);
  expect(rules({ type: 'string' }, { type: 'int' })).toEqual([['$', 'TYPE_CHANGED']]);
});

test('everything that is wrong is said at once', () => {
  const written = note(
    [
      { name: 'a', type: 'int', section: 'identity', purge: 'purge' },
      { name: 'b', type: 'long' },
      { name: 'c', type: level('LOW', 'HIGH') },
      { name: 'd', type: ['null', 'int'] },
      { name: 'e', type: key(16) },
    ],
    { category: 'alert', sections: ['identity', 'remarks'], kinds: ['new', 'update'] },
  );
  const read = note(
    [
      { name: 'a', type: day, section: 'remarks', purge: 'keep' },
      { name: 'b', type: 'float' },
      { name: 'c', type: level('LOW') },
      { name: 'd', type: 'int' },
      { name: 'e', type: { type: 'fixed', name: 'Mark', size: 12 } },
      { name: 'f', type: 'int' },
      { name: 'g', type: 'int', default: 1 },
    ],
    { category: 'sample', sections: ['remarks'], kinds: ['new'] },
  );
  const [more] = evolutionProblems(note([field('string')]), note([field('int')]));
  const rules = [...evolutionProblems(written, read), more].map((problem) => problem?.rule);
  expect(rules.sort()).toEqual(Object.keys(EVOLUTION_RULES).sort());
});

describe('among many types', () => {
  const leaves: readonly AvroSchema[] = [
    ...PRIMITIVES,
    ...[day, level('LOW'), level('HIGH', 'LOW'), key(4), key(8)],
  ];
  const types: readonly AvroSchema[] = [
    ...leaves,
    ...leaves.flatMap((type) => [arrayOf(type), mapOf(type), inner({ name: 'n', type })]),
    ...leaves.flatMap((type) => (type === 'null' ? [] : [['null', type]])),
    inner({ name: 'n', type: 'int' }, { name: 'o', type: 'int', default: 1 }),
  ];
  const mayFollow = types.map((writer) =>
    types.map((reader) => changed(writer, reader).length === 0),
  );
  const followers = mayFollow.map((row) => row.flatMap((may, at) => (may ? [at] : [])));

  test('each follows itself', () => {
    expect(types.filter((_type, at) => mayFollow[at]?.[at] !== true)).toEqual([]);
  });

  test('what follows the next version follows this one', () => {
    const broken = followers.flatMap((next, first) =>
      next.flatMap((second) =>
        (followers[second] ?? [])
          .filter((third) => mayFollow[first]?.[third] !== true)
          .map((third) => [first, second, third].map((at) => types[at])),
      ),
    );
    expect(broken).toEqual([]);
    // many follow others than themselves, few are followed by all
    expect(followers.flat().length).toBeGreaterThan(1.5 * types.length);
    expect(followers.flat().length).toBeLessThan(types.length ** 2 / 10);
  });
});
