import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AvroSchema, avroShape } from './avro-shape.js';
import { Unwritable, type WriterOptions, avroWriter } from './avro-writer.js';
import { logicalRule } from './logical-types.js';

const ID = '018bcfe5-6800-7000-8000-00000000abcd';
const uuid: AvroSchema = { type: 'fixed', name: 'Id', size: 16, logicalType: 'uuid' };
const level: AvroSchema = { type: 'enum', name: 'Level', symbols: ['LOW', 'MIDDLE', 'HIGH'] };
const day: AvroSchema = { type: 'int', logicalType: 'date' };
const pair: AvroSchema = { type: 'fixed', name: 'Pair', size: 2 };
const texts: AvroSchema = { type: 'array', items: 'string' };
const numbers: AvroSchema = { type: 'map', values: 'int' };
const record = (name: string, ...fields: object[]): AvroSchema => ({
  ...{ type: 'record', name, fields },
});
const point = record('Point', { name: 'x', type: 'int' }, { name: 'y', type: 'int', default: 7 });
const tree = record(
  'Tree',
  { name: 'name', type: 'string' },
  { name: 'below', type: { type: 'array', items: 'Tree' }, default: [] },
);

const ruled: WriterOptions = { ruleOf: logicalRule };

function hex(schema: AvroSchema, value: unknown, options?: WriterOptions): string {
  return Buffer.from(avroWriter(avroShape(schema), options)(value)).toString('hex');
}

function isRefused(schema: AvroSchema, value: unknown, options?: WriterOptions): boolean {
  try {
    hex(schema, value, options);
    return false;
  } catch (cause) {
    if (cause instanceof Unwritable) return true;
    throw cause;
  }
}

/** Avro 1.12 “Binary Encoding”: zig-zag, then seven bits a byte, the lowest first. */
function long(value: number | bigint): string {
  const wide = BigInt(value);
  let rest = wide < 0n ? -2n * wide - 1n : 2n * wide;
  const bytes: number[] = [];
  for (; rest > 127n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
  return Buffer.from([...bytes, Number(rest)]).toString('hex');
}

function text(value: string): string {
  const bytes = Buffer.from(value, 'utf8');
  return long(bytes.length) + bytes.toString('hex');
}

/** One of each kind of value that there is. */
const VALUES: Readonly<Record<string, unknown>> = {
  ...{ null: null, true: true, false: false, one: 1, half: 0.5, none: NaN, text: 'x', empty: '' },
  ...{ symbol: 'LOW', id: ID, 'ids in a list': [ID], 'a boxed id': Object(ID), day: '2024-02-29' },
  ...{ bytes: Uint8Array.of(1, 2, 3), 'two bytes': Uint8Array.of(1, 2), 'two numbers': [1, 2] },
  ...{ 'no list': [], 'a list of texts': ['x'], 'an object': {}, 'a number by name': { x: 1 } },
  ...{ nothing: undefined, 'a big one': 1n, 'a function': () => 1, 'a mark': Symbol('x') },
  ...{ 'a long one': 2 ** 31, 'too long a one': Number.MAX_SAFE_INTEGER },
};
const TEXTS = ['text', 'empty', 'symbol', 'id', 'day'];
const OBJECTS = ['a boxed id', 'an object', 'a number by name'];

describe('of all kinds of values', () => {
  test.each<[name: string, schema: AvroSchema, taken: readonly string[]]>([
    ['null', 'null', ['null']],
    ['a boolean', 'boolean', ['true', 'false']],
    ['an int', 'int', ['one']],
    ['a long', 'long', ['one', 'a long one']],
    ['a float', 'float', ['one', 'half', 'none', 'a long one', 'too long a one']],
    ['a double', 'double', ['one', 'half', 'none', 'a long one', 'too long a one']],
    ['a string', 'string', TEXTS],
    ['bytes', 'bytes', ['bytes', 'two bytes']],
    ['a fixed', pair, ['two bytes']],
    ['an id', uuid, ['id']],
    ['an enum', level, ['symbol']],
    ['an array', texts, ['ids in a list', 'no list', 'a list of texts']],
    ['an optional int', ['null', 'int'], ['null', 'one']],
    ['an optional text at its end', ['string', 'null'], ['null', ...TEXTS]],
  ])('%s takes those that fit, and no other', (_name, schema, taken) => {
    expect(takenOf(schema, Object.keys(VALUES)).sort()).toEqual([...taken].sort());
  });

  // these are JSON's, in which nothing is bytes
  test.each<[name: string, schema: AvroSchema, taken: readonly string[]]>([
    ['a map', numbers, ['an object', 'a number by name']],
    ['a record', point, ['a number by name']],
    ['a record without fields', record('Empty'), OBJECTS],
  ])('but bytes %s takes those that fit, and no other', (_name, schema, taken) => {
    const asked = Object.keys(VALUES).filter((name) => !(VALUES[name] instanceof Uint8Array));
    expect(takenOf(schema, asked).sort()).toEqual([...taken].sort());
  });

  function takenOf(schema: AvroSchema, names: readonly string[]): string[] {
    return names.filter((name) => !isRefused(schema, VALUES[name]));
  }
});

test.each<[name: string, schema: AvroSchema, value: unknown, bytes: string]>([
  ['null', 'null', null, ''],
  ['true', 'boolean', true, '01'],
  ['false', 'boolean', false, '00'],
  ['the least int', 'int', -(2 ** 31), 'ffffffff0f'],
  ['the greatest int', 'int', 2 ** 31 - 1, 'feffffff0f'],
  ['a float', 'float', 1.5, '0000c03f'],
  ['a double', 'double', -0.1, '9a9999999999b9bf'],
  ['bytes', 'bytes', Uint8Array.of(0, 255), '0400ff'],
  ['no bytes', 'bytes', new Uint8Array(), '00'],
  ['a fixed, without a length', pair, Uint8Array.of(7, 8), '0708'],
  ['an id, as its 16 bytes', uuid, ID, ID.replaceAll('-', '')],
  ['the first symbol', level, 'LOW', '00'],
  ['the last symbol', level, 'HIGH', '04'],
  ['no items', texts, [], '00'],
  ['items, in one block', texts, ['a', 'bc'], '04' + '0261' + '046263' + '00'],
  ['no entries', numbers, {}, '00'],
  ['entries, in one block', numbers, { a: 1, b: -1 }, '04' + '026102' + '026201' + '00'],
  ['a record, in its order', point, { y: 2, x: 1 }, '0204'],
  ['a record whose field is left out', point, { x: 1 }, '020e'],
  ['nothing', ['null', 'string'], null, '00'],
  ['something', ['null', 'string'], 'a', '020261'],
  ['nothing, at the end', ['string', 'null'], null, '02'],
  ['a record in itself', tree, { name: 'a', below: [{ name: 'b' }] }, '0261' + '02026200' + '00'],
])('%s is written as the specification has it', (_name, schema, value, bytes) => {
  expect(hex(schema, value)).toBe(bytes);
});

describe('numbers', () => {
  test('are exact between the ends of what our readers take', () => {
    const end = Number.MAX_SAFE_INTEGER - 1;
    fc.assert(
      fc.property(fc.integer({ min: -end, max: end }), (value) => {
        expect(hex('long', value)).toBe(long(value));
      }),
    );
    for (let bits = 0; bits < 53; bits += 1) {
      for (const value of [2 ** bits - 1, 2 ** bits, -(2 ** bits)]) {
        expect(hex('long', value)).toBe(long(value));
      }
    }
    expect(hex('long', end)).toBe(long(end));
    expect(hex('long', -end)).toBe(long(-end));
  });

  test.each<[schema: AvroSchema, value: number]>([
    ['int', 2 ** 31],
    ['int', -(2 ** 31) - 1],
    ['int', 0.5],
    ['long', Number.MAX_SAFE_INTEGER],
    ['long', -Number.MAX_SAFE_INTEGER],
    ['long', 2 ** 53],
    ['long', 0.5],
    ['long', -Infinity],
  ])('%s does not take %p', (schema, value) => {
    expect(isRefused(schema, value)).toBe(true);
  });
});

describe('text', () => {
  const lengths = [0, 1, 31, 32, 33, 62, 63, 64, 65, 8_191, 8_192, 70_000];
  test.each(lengths)('of %p characters has its bytes counted', (length) => {
    for (const character of ['x', 'ü', '€', '\u007f', '\u0080']) {
      const value = character.repeat(length);
      expect(hex('string', value) === text(value)).toBe(true);
      expect(hex(texts, [value, 'y']) === `04${text(value)}${text('y')}00`).toBe(true);
    }
  });

  test('of any characters is UTF-8', () => {
    const character = fc.constantFrom(
      'x',
      '\0',
      '\u007f',
      '\u0080',
      'ü',
      '\u07ff',
      '€',
      '\uffff',
      '😀',
    );
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 80 }), (value) => {
        expect(hex('string', value)).toBe(text(value));
      }),
    );
  });

  test('that is a key of a map is written as any other', () => {
    expect(hex(numbers, { 'ü€': 1 })).toBe(`02${text('ü€')}0200`);
  });
});

describe('memory', () => {
  const write = avroWriter(avroShape(texts));

  test('of an answer is its own', () => {
    const first = write(['a']);
    const before = Buffer.from(first).toString('hex');
    write(['b', 'c']);
    expect(Buffer.from(first).toString('hex')).toBe(before);
    expect(first.buffer.byteLength).toBe(first.length);
  });

  test('grows with what is already in it', () => {
    const many = Array.from({ length: 40 }, (_, at) => String(at % 10).repeat(40_000));
    const wanted = `50${many.map(text).join('')}00`;
    expect(Buffer.from(write(many)).toString('hex') === wanted).toBe(true);
    expect(Buffer.from(write(['a'])).toString('hex')).toBe('02026100');
  });

  test('holds nothing of a value that was refused', () => {
    expect(() => write(['a', 'b', 3])).toThrow(Unwritable);
    expect(Buffer.from(write(['c'])).toString('hex')).toBe('02026300');
  });

  test('a refusal says nothing of the value', () => {
    expect(() => avroWriter(avroShape('int'))('secret')).toThrow(
      /^a value does not fit its Avro schema$/,
    );
  });

  test('begins with the prefix, each time', () => {
    const after = avroWriter(avroShape('int'), { prefix: Uint8Array.of(0xc3, 1) });
    for (const value of [1, 2]) expect([...after(value)]).toEqual([0xc3, 1, 2 * value]);
  });
});

describe('a union', () => {
  const wide: AvroSchema = ['null', 'boolean', 'int', 'string', 'bytes', texts, numbers];

  test.each<[value: unknown, bytes: string]>([
    [null, '00'],
    [true, '0201'],
    [3, '0406'],
    ['a', '060261'],
    [Uint8Array.of(5), '080205'],
    [['a'], '0a02026100'],
    [{ a: 1 }, '0c0202610200'],
  ])('of seven kinds takes %p as the one that it is', (value, bytes) => {
    expect(hex(wide, value)).toBe(bytes);
  });

  test.each([[undefined], [0.5], [1n], [[1]], [{ a: 'b' }], [() => 1]])(
    'of seven kinds does not take %p',
    (value) => expect(isRefused(wide, value)).toBe(true),
  );

  test.each<[name: string, schema: AvroSchema, value: unknown, bytes: string]>([
    ['an enum', ['null', 'int', level], 'HIGH', '0404'],
    ['an id', ['null', 'int', uuid], ID, `04${ID.replaceAll('-', '')}`],
    ['a fixed', ['null', 'int', pair], Uint8Array.of(1, 2), '040102'],
    ['a record', ['null', 'int', point], { x: 1 }, '04020e'],
    ['a float', ['null', 'string', 'float'], 1.5, '040000c03f'],
    ['a long', ['null', 'string', 'long'], 64, '048001'],
    ['the first of two', ['int', 'string'], 3, '0006'],
  ])('takes %s by its kind', (_name, schema, value, bytes) => {
    expect(hex(schema, value)).toBe(bytes);
  });

  test.each<[schema: AvroSchema, value: unknown, bytes: string]>([
    [['int', 'double'], { int: 1 }, '0002'],
    [['int', 'double'], { double: 1.5 }, '02000000000000f83f'],
    [['null', 'int', 'double'], null, '00'],
    [['string', level], { Level: 'MIDDLE' }, '0202'],
    [['string', level], { string: 'HIGH' }, `00${text('HIGH')}`],
    [['string', uuid], { Id: ID }, `02${ID.replaceAll('-', '')}`],
    [['bytes', pair], { Pair: Uint8Array.of(1, 2) }, '020102'],
    [[point, tree], { Tree: { name: 'a' } }, '02026100'],
    [[point, numbers], { map: { a: 1 } }, '0202026102' + '00'],
    [['int', 'long', texts], { array: ['a'] }, '0402026100'],
    [[record('house.Tree'), tree], { 'house.Tree': {} }, '00'],
  ])('%j, two of one kind, takes %j, which names its branch', (schema, value, bytes) => {
    expect(hex(schema, value)).toBe(bytes);
  });

  test.each([
    [1],
    [1.5],
    ['int'],
    [{}],
    [{ int: 1, double: 2 }],
    [{ float: 1 }],
    [{ int: 'x' }],
    [[1]],
    [undefined],
    [null],
  ])('of int and double does not take %j', (value) =>
    expect(isRefused(['int', 'double'], value)).toBe(true),
  );

  test('does not stand in a union', () => {
    expect(() => avroWriter(avroShape(['int', ['null', 'string']]))).toThrow(TypeError);
  });
});

describe('a logical type', () => {
  test('is written by its rule, or as its plain type where there is no rule', () => {
    expect(hex(day, '1970-01-03', ruled)).toBe('04');
    expect(hex(day, 2)).toBe('04');
    expect(hex(['null', day], '1970-01-03', ruled)).toBe('0204');
  });

  test.each(['1970-02-30', 2, null, undefined, ''])('refuses %p, which its rule does', (value) => {
    expect(isRefused(day, value, ruled)).toBe(true);
  });

  test('is told from its plain type by its rule', () => {
    expect(hex(['int', day], 2, ruled)).toBe('0004');
    expect(hex(['int', day], '1970-01-03', ruled)).toBe('0204');
  });

  test('is not told from a text that both are', () => {
    expect(isRefused(['string', day], '1970-01-03', ruled)).toBe(true);
    expect(hex(['string', day], 'noon', ruled)).toBe(`00${text('noon')}`);
  });

  test('has its default as its plain type', () => {
    const schema = record('Dated', { name: 'day', type: day, default: 2 });
    expect(hex(schema, {}, ruled)).toBe('04');
    expect(hex(schema, { day: '1970-01-02' }, ruled)).toBe('02');
    expect(isRefused(schema, { day: 2 }, ruled)).toBe(true);
  });

  test('of a fixed is no rule’s: an id is an id', () => {
    const never = { ...rule(), encode: () => undefined };
    const options = { ruleOf: (logical: string) => (logical === 'uuid' ? never : undefined) };
    expect(hex(['null', 'int', uuid], ID, options)).toBe(`04${ID.replaceAll('-', '')}`);
  });

  function rule() {
    const known = logicalRule('date');
    if (!known) throw new Error('date is a logical type of ours');
    return known;
  }
});

describe('a record', () => {
  test.each<[name: string, value: unknown]>([
    ['a field that has no default', {}],
    ['null for a field that has one', { x: 1, y: null }],
  ])('is refused for %s', (_name, value) => {
    expect(isRefused(point, value)).toBe(true);
  });

  test.each<[name: string, type: AvroSchema, preset: unknown, bytes: string]>([
    ['null', ['null', 'int'], null, '00'],
    ['a list', texts, ['a'], '02026100'],
    ['a record', point, { x: 1 }, '020e'],
    [
      'a record that holds itself',
      tree,
      { name: 'a', below: [{ name: 'b' }] },
      '0261020262' + '0000',
    ],
  ])('has the default %s where a field is left out', (_name, type, preset, bytes) => {
    expect(hex(record('Outer', { name: 'f', type, default: preset }), {})).toBe(bytes);
  });

  describe('that is closed', () => {
    const closed: WriterOptions = { isClosed: true };
    const outer = record(
      'Outer',
      { name: 'one', type: point },
      { name: 'two', type: 'Point', default: { x: 0 } },
    );

    test('has no undeclared field, but for the outermost', () => {
      expect(isRefused(outer, { one: { x: 1, z: 1 } }, closed)).toBe(true);
      expect(isRefused(outer, { one: { x: 1 }, two: { x: 1, y: 1, z: 1 } }, closed)).toBe(true);
      expect(hex(outer, { one: { x: 1 }, three: 1 }, closed)).toBe('020e000e');
    });

    test('may leave out what has a default', () => {
      expect(hex(outer, { one: { x: 1 }, two: { y: 1, x: 1 } }, closed)).toBe('020e0202');
    });

    test('is closed inside itself too', () => {
      const value = { name: 'a', below: [{ name: 'b', more: 1 }] };
      expect(isRefused(tree, value, closed)).toBe(true);
      expect(hex(tree, { ...value, more: 1, below: [{ name: 'b' }] }, closed)).toBe(
        '0261020262' + '0000',
      );
      expect(
        isRefused(
          tree,
          { name: 'a', below: [{ name: 'b', below: [{ name: 'c', d: 1 }] }] },
          closed,
        ),
      ).toBe(true);
    });

    test('has what is its own only', () => {
      const heir = Object.assign(Object.create({ z: 1 }) as object, { x: 1 });
      expect(hex(outer, { one: heir }, closed)).toBe('020e000e');
    });
  });

  test('that is open may have undeclared fields at any depth', () => {
    expect(hex(tree, { name: 'a', below: [{ name: 'b', more: 1 }], more: 1 })).toBe(
      '0261020262' + '0000',
    );
  });
});

test('what is no type of Avro has no writer', () => {
  const shape = { kind: 'primitive', type: 'decimal', logical: '' } as const;
  expect(() => avroWriter(shape)).toThrow(TypeError);
});
