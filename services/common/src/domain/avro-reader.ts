import type { AvroShape } from './avro-shape.js';
import {
  type AvroLimits,
  Malformed,
  type Walk,
  boolean,
  enter,
  int,
  length,
  pathOf,
  skip,
  textReader,
  varint,
  view,
} from './avro-walk.js';
import { uuidText } from './ids.js';
import { type Result, err, ok } from './result.js';

/** Answers the value that exactly these bytes encode, or what is wrong and where: never what they say. */
export type AvroReader = (
  bytes: Uint8Array,
  limits: AvroLimits,
  /** where the value begins */
  from?: number,
) => Result<unknown, string>;

/**
 * Reads and checks Avro bytes in one walk. Lets through one encoding of a value only: shortest numbers, each list in one
 * block, valid UTF-8. So what passes is what an encoder would write again, byte for byte, unless the schema has maps (their
 * order is free) or floating numbers (a NaN has many forms).
 *
 * A record becomes an object; `bytes` a view of the given memory, which must not change; a `fixed` of logical type `uuid` its
 * text, an enum its symbol, a map a `Map`, a union the value of its branch.
 *
 * @throws TypeError for a name that is none in the source text of a function
 */
export function avroReader(shape: AvroShape): AvroReader {
  const read = readerOf(shape, new Map());
  return (bytes, limits, from = 0) => {
    const size = bytes.length - from;
    if (size > limits.bytesMax) {
      return err(`expected at most ${String(limits.bytesMax)} bytes, got ${String(size)}`);
    }
    const walk: Walk = { bytes, at: from, items: 0, limits, path: [], depth: 0 };
    try {
      const value = read(walk);
      const left = bytes.length - walk.at;
      return left === 0 ? ok(value) : err(`expected the end, got ${String(left)} more bytes`);
    } catch (cause) {
      if (cause instanceof Malformed) return err(`${pathOf(walk)}: ${cause.message}`);
      throw cause;
    }
  };
}

type Read = (walk: Walk) => unknown;
type AvroRecord = Extract<AvroShape, { kind: 'record' }>;
/** Records that hold themselves are met again while their reader is made. */
type Known = Map<AvroShape, Read>;

function readerOf(shape: AvroShape, known: Known): Read {
  switch (shape.kind) {
    case 'primitive':
      return primitiveReader(shape.type);
    case 'fixed':
      return fixedReader(shape.size, shape.logical === 'uuid');
    case 'enum':
      return enumReader(shape.symbols);
    case 'union':
      return unionReader(shape.branches.map((branch) => readerOf(branch, known)));
    case 'array':
      return arrayReader(readerOf(shape.items, known));
    case 'map':
      return mapReader(readerOf(shape.items, known));
    case 'record':
      return known.get(shape) ?? recordReader(shape, known);
  }
}

function primitiveReader(type: string): Read {
  switch (type) {
    case 'null':
      return () => null;
    case 'boolean':
      return boolean;
    case 'int':
      return int;
    case 'long':
      return varint;
    case 'float':
      return (walk) => dataView(walk, 4).getFloat32(0, true);
    case 'double':
      return (walk) => dataView(walk, 8).getFloat64(0, true);
    case 'bytes':
      return (walk) => view(walk, length(walk));
    case 'string':
      return textReader();
    default:
      throw new TypeError(`no Avro type ${type}`);
  }
}

/** What is so short is copied: who keeps a hash does not keep the block that it came in. */
function fixedReader(size: number, isUuid: boolean): Read {
  if (isUuid) return (walk) => uuidText(walk.bytes, skip(walk, size));
  return (walk) => {
    const from = skip(walk, size);
    const copy = new Uint8Array(size);
    for (let i = 0; i < size; i += 1) copy[i] = walk.bytes[from + i] ?? 0;
    return copy;
  };
}

function dataView(walk: Walk, count: number): DataView {
  const { bytes } = walk;
  return new DataView(bytes.buffer, bytes.byteOffset + skip(walk, count), count);
}

function enumReader(symbols: readonly string[]): Read {
  return (walk) => {
    const symbol = symbols[int(walk)];
    if (symbol === undefined) throw new Malformed('unknown enum symbol');
    return symbol;
  };
}

function unionReader(branches: readonly Read[]): Read {
  return (walk) => {
    const branch = branches[int(walk)];
    if (!branch) throw new Malformed('unknown union branch');
    const depth = enter(walk);
    const value = branch(walk);
    walk.depth = depth;
    return value;
  };
}

function arrayReader(item: Read): Read {
  return (walk) => {
    const values: unknown[] = [];
    const count = itemCount(walk);
    if (count === 0) return values;
    const depth = enter(walk);
    for (let index = 0; index < count; index += 1) {
      walk.path[depth] = index;
      values.push(item(walk));
    }
    walk.depth = depth;
    lastBlock(walk);
    return values;
  };
}

function mapReader(item: Read): Read {
  const key = textReader();
  return (walk) => {
    const values = new Map<string, unknown>();
    const count = itemCount(walk);
    if (count === 0) return values;
    const depth = enter(walk);
    for (let index = 0; index < count; index += 1) {
      walk.path[depth] = index;
      values.set(key(walk), item(walk));
    }
    walk.depth = depth;
    lastBlock(walk);
    return values;
  };
}

/** A block with a negative count and a byte size is legal Avro, but never what our writers make. */
function itemCount(walk: Walk): number {
  const count = varint(walk);
  if (count < 0) throw new Malformed('sized blocks are not used here');
  if (count > walk.limits.itemsMax - walk.items) {
    throw new Malformed(`more than ${String(walk.limits.itemsMax)} items`);
  }
  walk.items += count;
  return count;
}

/** So are several blocks. */
function lastBlock(walk: Walk): void {
  if (varint(walk) !== 0) throw new Malformed('several blocks are not used here');
}

/** As Avro allows it, but for a beginning that could be `__proto__`. */
const FIELD_NAME = /^[A-Za-z]\w*$/;

/**
 * Made from source text, a function for each record: so its object is made at once, not field by field, and every place in it
 * calls one reader only. The names of fields are all that the text has from outside.
 */
function recordReader(record: AvroRecord, known: Known): Read {
  const { fields } = record;
  if (fields.length === 0) return () => ({});
  const made: { read: Read } = { read: () => undefined };
  known.set(record, (walk) => made.read(walk)); // for the record in itself
  const readers = fields.map(({ shape }) => readerOf(shape, known));
  const names = fields.map(({ name }) => {
    if (!FIELD_NAME.test(name)) throw new TypeError(`no field may be named ${name}`);
    return JSON.stringify(name);
  });
  const steps = names.map((name, i) => `path[depth] = ${name}; const v${i} = r${i}(walk);`);
  const source = `
    const [${names.map((_, i) => `r${i}`).join(', ')}] = readers;
    return (walk) => {
      const depth = enter(walk);
      const { path } = walk;
      ${steps.join('\n      ')}
      walk.depth = depth;
      return { ${names.map((name, i) => `${name}: v${i}`).join(', ')} };
    };`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above; avsc makes its decoders so, too
  const make = new Function('readers', 'enter', source) as (
    readers: readonly Read[],
    goDown: typeof enter,
  ) => Read;
  made.read = make(readers, enter);
  known.set(record, made.read);
  return made.read;
}
