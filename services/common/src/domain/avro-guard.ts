import { isUtf8 } from 'node:buffer';

/**
 * Walks Avro bytes against their schema before a decoder sees them. A 5-byte record can claim 300 million
 * items; avsc would try. Nothing here allocates by what the bytes claim.
 */
export interface AvroLimits {
  readonly bytesMax: number;
  readonly itemsMax: number;
  readonly depthMax: number;
}

export const RECORD_LIMITS: AvroLimits = { bytesMax: 1024 * 1024, itemsMax: 20_000, depthMax: 32 };
export const EVENT_LIMITS: AvroLimits = { bytesMax: 256 * 1024, itemsMax: 10_000, depthMax: 32 };

/** The JSON of an Avro schema. */
export type AvroSchema =
  string | readonly AvroSchema[] | { readonly type: AvroSchema; readonly [key: string]: unknown };

type Node =
  | { readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'bytes' | 'string' }
  | { readonly kind: 'float' | 'double' }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'enum'; readonly symbols: number }
  | { readonly kind: 'array' | 'map'; readonly items: Node }
  | { readonly kind: 'union'; readonly branches: readonly Node[] }
  | { readonly kind: 'record'; readonly fields: { readonly name: string; readonly node: Node }[] };

class Malformed extends Error {}

export type AvroGuard = (bytes: Uint8Array, limits: AvroLimits) => string | undefined;

/**
 * Lets through one encoding of a value only: shortest numbers, each list in one block, valid UTF-8. So what passes is what
 * an encoder would write again, byte for byte, unless the schema has maps (their order is free) or floating numbers
 * (a NaN has many forms).
 *
 * @returns a function that answers undefined for bytes that a decoder may see, else what is wrong and where
 * @throws TypeError for a schema with an unknown type: schemas come from this repository only
 */
export function avroGuard(schema: AvroSchema): AvroGuard {
  const root = compile(schema, '', new Map());
  return (bytes, limits) => {
    if (bytes.length > limits.bytesMax) {
      return `expected at most ${String(limits.bytesMax)} bytes, got ${String(bytes.length)}`;
    }
    const walk: Walk = { bytes, at: 0, items: 0, limits, path: [], depth: 0 };
    try {
      step(walk, root);
      const left = bytes.length - walk.at;
      return left === 0 ? undefined : `expected the end, got ${String(left)} more bytes`;
    } catch (cause) {
      if (cause instanceof Malformed) return `${pathOf(walk)}: ${cause.message}`;
      throw cause;
    }
  };
}

const PRIMITIVES = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
] as const);

function compile(schema: AvroSchema, namespace: string, names: Map<string, Node>): Node {
  if (typeof schema === 'string') {
    if ((PRIMITIVES as ReadonlySet<string>).has(schema)) return { kind: schema } as Node;
    const full = schema.includes('.') || namespace === '' ? schema : `${namespace}.${schema}`;
    const named = names.get(full);
    if (!named) throw new TypeError(`Avro type ${schema} is not defined`);
    return named;
  }
  if (Array.isArray(schema)) {
    const branches = (schema as readonly AvroSchema[]).map((one) => compile(one, namespace, names));
    return { kind: 'union', branches };
  }
  const def = schema as { readonly type: AvroSchema; readonly [key: string]: unknown };
  if (typeof def.type !== 'string') return compile(def.type, namespace, names);
  const name = String(def['name']);
  const dot = name.lastIndexOf('.');
  const given = typeof def['namespace'] === 'string' ? def['namespace'] : namespace;
  // a full name brings its own namespace, for what stands inside too
  const space = dot < 0 ? given : name.slice(0, dot);
  const remember = (node: Node): Node => {
    names.set(space === '' || dot >= 0 ? name : `${space}.${name}`, node);
    return node;
  };
  switch (def.type) {
    case 'array':
      return { kind: 'array', items: compile(def['items'] as AvroSchema, space, names) };
    case 'map':
      return { kind: 'map', items: compile(def['values'] as AvroSchema, space, names) };
    case 'fixed':
      return remember({ kind: 'fixed', size: Number(def['size']) });
    case 'enum':
      return remember({ kind: 'enum', symbols: (def['symbols'] as readonly string[]).length });
    case 'record': {
      const fields: { name: string; node: Node }[] = [];
      const node = remember({ kind: 'record', fields });
      for (const field of def['fields'] as readonly { name: string; type: AvroSchema }[]) {
        fields.push({ name: field.name, node: compile(field.type, space, names) });
      }
      return node;
    }
    default:
      return compile(def.type, space, names);
  }
}

interface Walk {
  readonly bytes: Uint8Array;
  at: number;
  items: number;
  readonly limits: AvroLimits;
  /** field names and positions down to here, as deep as `depth` says; what is deeper is left over */
  readonly path: (string | number)[];
  depth: number;
}

function pathOf({ path, depth }: Walk): string {
  return path.slice(0, depth).reduce<string>((text, part) => {
    if (part === '') return text;
    return typeof part === 'number' ? `${text}[${String(part)}]` : `${text}.${part}`;
  }, '$');
}

/** One level down, named `name`; an empty name is a level without one. */
function into(walk: Walk, name: string | number, node: Node): void {
  walk.path[walk.depth] = name;
  walk.depth += 1;
  if (walk.depth > walk.limits.depthMax) throw new Malformed('deeper than the limit');
  step(walk, node);
  walk.depth -= 1;
}

function step(walk: Walk, node: Node): void {
  switch (node.kind) {
    case 'null':
      return;
    case 'boolean': {
      const at = skip(walk, 1);
      if ((walk.bytes[at] ?? 2) > 1) throw new Malformed('a boolean is 0 or 1');
      return;
    }
    case 'int':
      int(walk);
      return;
    case 'long':
      varint(walk);
      return;
    case 'float':
      skip(walk, 4);
      return;
    case 'double':
      skip(walk, 8);
      return;
    case 'bytes':
      skip(walk, length(walk));
      return;
    case 'string':
      text(walk);
      return;
    case 'fixed':
      skip(walk, node.size);
      return;
    case 'enum': {
      const index = int(walk);
      if (index < 0 || index >= node.symbols) throw new Malformed('unknown enum symbol');
      return;
    }
    case 'union': {
      const branch = node.branches[int(walk)];
      if (!branch) throw new Malformed('unknown union branch');
      into(walk, '', branch);
      return;
    }
    case 'record':
      for (const field of node.fields) into(walk, field.name, field.node);
      return;
    case 'array':
    case 'map':
      block(walk, node);
      return;
  }
}

/** Several blocks, or one with a negative count and a byte size, are legal Avro, but never what our writers make. */
function block(walk: Walk, node: Extract<Node, { kind: 'array' | 'map' }>): void {
  const count = varint(walk);
  if (count === 0) return;
  if (count < 0) throw new Malformed('sized blocks are not used here');
  if (count > walk.limits.itemsMax - walk.items) {
    throw new Malformed(`more than ${String(walk.limits.itemsMax)} items`);
  }
  walk.items += count;
  for (let index = 0; index < count; index += 1) {
    if (node.kind === 'map') text(walk);
    into(walk, index, node.items);
  }
  if (varint(walk) !== 0) throw new Malformed('several blocks are not used here');
}

function text(walk: Walk): void {
  const count = length(walk);
  const at = skip(walk, count);
  if (!isUtf8(walk.bytes.subarray(at, at + count))) throw new Malformed('not UTF-8');
}

/** @returns where the skipped bytes begin */
function skip(walk: Walk, count: number): number {
  const { at } = walk;
  if (count > walk.bytes.length - at) throw new Malformed('cut short');
  walk.at = at + count;
  return at;
}

function length(walk: Walk): number {
  const value = varint(walk);
  if (value < 0 || value > walk.bytes.length) throw new Malformed('cut short');
  return value;
}

function int(walk: Walk): number {
  const value = varint(walk);
  if (value < -(2 ** 31) || value >= 2 ** 31) throw new Malformed('not 32 bits');
  return value;
}

/** Seven bits of a byte each: what six bytes hold is exact in a JavaScript number. */
const EXACT_BYTES = 6;

/** Zig-zag, at most 64 bits, in its shortest form; and safe for a JavaScript number. */
function varint(walk: Walk): number {
  const { bytes, at: start } = walk;
  let raw = 0;
  let factor = 1;
  for (let i = 0; ; i += 1) {
    const byte = bytes[start + i];
    if (byte === undefined) throw new Malformed('cut short');
    if (i < EXACT_BYTES) raw += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) {
      if (byte === 0 && i > 0) throw new Malformed('a number is not in its shortest form');
      walk.at = start + i + 1;
      if (i >= EXACT_BYTES) return largeVarint(bytes.subarray(start, walk.at));
      return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
    if (i === 9) throw new Malformed('a number has more than 64 bits');
  }
}

function largeVarint(bytes: Uint8Array): number {
  const raw = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
  const value = raw % 2n === 0n ? raw / 2n : -(raw + 1n) / 2n;
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw new Malformed('a number is larger than 2^53');
  }
  return Number(value);
}
