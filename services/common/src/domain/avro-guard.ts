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
 * @returns a function that answers undefined for bytes that a decoder may see, else what is wrong and where
 * @throws TypeError for a schema with an unknown type: schemas come from this repository only
 */
export function avroGuard(schema: AvroSchema): AvroGuard {
  const root = compile(schema, '', new Map());
  return (bytes, limits) => {
    if (bytes.length > limits.bytesMax) {
      return `expected at most ${String(limits.bytesMax)} bytes, got ${String(bytes.length)}`;
    }
    const walk: Walk = { bytes, at: 0, items: 0, limits };
    try {
      step(walk, root, '$', 0);
      const left = bytes.length - walk.at;
      return left === 0 ? undefined : `expected the end, got ${String(left)} more bytes`;
    } catch (cause) {
      if (cause instanceof Malformed) return cause.message;
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
}

function step(walk: Walk, node: Node, path: string, depth: number): void {
  if (depth > walk.limits.depthMax) throw new Malformed(`${path}: deeper than the limit`);
  switch (node.kind) {
    case 'null':
      return;
    case 'boolean': {
      const [byte] = take(walk, 1, path);
      if (byte !== 0 && byte !== 1) throw new Malformed(`${path}: a boolean is 0 or 1`);
      return;
    }
    case 'int':
      int(walk, path);
      return;
    case 'long':
      varint(walk, path);
      return;
    case 'float':
      take(walk, 4, path);
      return;
    case 'double':
      take(walk, 8, path);
      return;
    case 'bytes':
      take(walk, length(walk, path), path);
      return;
    case 'string':
      text(walk, path);
      return;
    case 'fixed':
      take(walk, node.size, path);
      return;
    case 'enum': {
      const index = int(walk, path);
      if (index < 0 || index >= node.symbols) throw new Malformed(`${path}: unknown enum symbol`);
      return;
    }
    case 'union': {
      const branch = node.branches[int(walk, path)];
      if (!branch) throw new Malformed(`${path}: unknown union branch`);
      step(walk, branch, path, depth + 1);
      return;
    }
    case 'record':
      for (const field of node.fields) step(walk, field.node, `${path}.${field.name}`, depth + 1);
      return;
    case 'array':
    case 'map':
      blocks(walk, node, path, depth);
      return;
  }
}

/** Blocks with a negative count and a byte size are legal Avro, but never what our writers make. */
function blocks(
  walk: Walk,
  node: Extract<Node, { kind: 'array' | 'map' }>,
  path: string,
  depth: number,
): void {
  for (let index = 0; ;) {
    const count = varint(walk, path);
    if (count === 0n) return;
    if (count < 0n) throw new Malformed(`${path}: sized blocks are not used here`);
    if (count > BigInt(walk.limits.itemsMax - walk.items)) {
      throw new Malformed(`${path}: more than ${String(walk.limits.itemsMax)} items`);
    }
    walk.items += Number(count);
    for (const end = index + Number(count); index < end; index += 1) {
      if (node.kind === 'map') text(walk, path);
      step(walk, node.items, `${path}[${String(index)}]`, depth + 1);
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(walk: Walk, path: string): void {
  const bytes = take(walk, length(walk, path), path);
  try {
    decoder.decode(bytes);
  } catch {
    throw new Malformed(`${path}: not UTF-8`);
  }
}

function take(walk: Walk, count: number, path: string): Uint8Array {
  if (count > walk.bytes.length - walk.at) throw new Malformed(`${path}: cut short`);
  walk.at += count;
  return walk.bytes.subarray(walk.at - count, walk.at);
}

function length(walk: Walk, path: string): number {
  const value = varint(walk, path);
  if (value < 0n || value > BigInt(walk.bytes.length)) throw new Malformed(`${path}: cut short`);
  return Number(value);
}

function int(walk: Walk, path: string): number {
  const value = varint(walk, path);
  if (value < -(2n ** 31n) || value >= 2n ** 31n) throw new Malformed(`${path}: not 32 bits`);
  return Number(value);
}

/** Zig-zag, at most 64 bits, in its shortest form; and safe for a JavaScript number. */
function varint(walk: Walk, path: string): bigint {
  const start = walk.at;
  let small = 0;
  for (let i = 0; ; i += 1) {
    const byte = walk.bytes[walk.at];
    if (byte === undefined) throw new Malformed(`${path}: cut short`);
    walk.at += 1;
    if (i < 4) small += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) {
      if (byte === 0 && i > 0) throw new Malformed(`${path}: a number is not in its shortest form`);
      if (i < 4) return BigInt(small % 2 === 0 ? small / 2 : -(small + 1) / 2);
      break;
    }
    if (i === 9) throw new Malformed(`${path}: a number has more than 64 bits`);
  }
  let raw = 0n;
  for (let at = walk.at - 1; at >= start; at -= 1) {
    raw = (raw << 7n) | BigInt((walk.bytes[at] ?? 0) & 0x7f);
  }
  const value = raw % 2n === 0n ? raw / 2n : -(raw + 1n) / 2n;
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw new Malformed(`${path}: a number is larger than 2^53`);
  }
  return value;
}
