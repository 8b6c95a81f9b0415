import { AvroSink } from './avro-sink.js';
import type { AvroField, AvroShape } from './avro-shape.js';
import { idBytes, parseOrderId } from './ids.js';
import type { LogicalRule } from './logical-types.js';

/** The value is none of the schema's; says nothing of it. */
export class Unwritable extends TypeError {}

/**
 * Answers the one encoding of a value that our readers take, in memory of its own.
 *
 * @throws Unwritable for a value that does not fit the schema
 */
export type AvroWriter = (value: unknown) => Uint8Array;

export interface WriterOptions {
  /** what stands before each value */
  readonly prefix?: Uint8Array;
  /** the rule behind a logical type; without one the plain type below it is written */
  readonly ruleOf?: (logical: string) => LogicalRule | undefined;
  /** below the outermost record, a field that the schema does not declare is refused */
  readonly isClosed?: boolean;
}

type Write = (sink: AvroSink, value: unknown) => void;

/** One for all writers: writing is one synchronous call. */
const sink = new AvroSink();

/**
 * One pass over a value checks and writes it. Values are those of avsc: a union's branch is chosen by the kind of value,
 * unless two branches are of one kind, then the value names it: `{ string: … }`. `bytes` and `fixed` are Uint8Array; a
 * `uuid` is its text.
 */
export function avroWriter(shape: AvroShape, options: WriterOptions = {}): AvroWriter {
  const write = new Compiler(options).outermost(shape);
  const { prefix } = options;
  return (value) => {
    sink.begin();
    if (prefix) sink.raw(prefix);
    write(sink, value);
    return sink.taken();
  };
}

class Compiler {
  readonly #options: WriterOptions;
  readonly #known = new Map<AvroShape, Write>();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  outermost(shape: AvroShape): Write {
    return shape.kind === 'record' ? this.#record(shape, false) : this.#compile(shape);
  }

  #compile(shape: AvroShape): Write {
    switch (shape.kind) {
      case 'primitive':
        return this.#primitive(shape);
      case 'fixed':
        return shape.logical === 'uuid' ? writeUuid : fixed(shape.size);
      case 'enum':
        return symbols(shape.symbols);
      case 'array':
        return list(this.#compile(shape.items));
      case 'map':
        return map(this.#compile(shape.items));
      case 'union':
        return this.#union(shape.branches);
      case 'record':
        return this.#known.get(shape) ?? this.#record(shape, this.#options.isClosed ?? false);
    }
  }

  #primitive({ type, logical }: Extract<AvroShape, { kind: 'primitive' }>): Write {
    const plain = PRIMITIVES[type];
    if (!plain) throw new TypeError(`no Avro type ${type}`);
    const rule = this.#options.ruleOf?.(logical);
    if (!rule) return plain;
    return (into, value) => {
      const ruled = rule.encode(value);
      if (ruled === undefined) refuse();
      plain(into, ruled);
    };
  }

  #record(shape: Extract<AvroShape, { kind: 'record' }>, isClosed: boolean): Write {
    const parts: { readonly name: string; readonly write: Write }[] = [];
    const write: Write = (into, value) => {
      const record = asObject(value);
      let absent = 0;
      for (const { name, write: part } of parts) {
        const given = record[name];
        if (given === undefined) absent += 1;
        part(into, given);
      }
      if (isClosed && countKeys(record) !== parts.length - absent) refuse();
    };
    // known before its fields are: a record may hold itself
    if (isClosed === (this.#options.isClosed ?? false)) this.#known.set(shape, write);
    for (const field of shape.fields) parts.push({ name: field.name, write: this.#field(field) });
    return write;
  }

  #field(field: AvroField): Write {
    const write = this.#compile(field.shape);
    if (!field.hasDefault) return write;
    // spelled as Avro's plain type, whatever the logical one; made when first asked for: a record may hold itself
    let plain: Write | undefined;
    return (into, value) => {
      if (value !== undefined) {
        write(into, value);
        return;
      }
      plain ??= new Compiler({}).outermost(field.shape);
      plain(into, field.preset);
    };
  }

  #union(branches: readonly AvroShape[]): Write {
    const writes = branches.map((branch) => this.#compile(branch));
    const [first, second] = branches;
    const [, write] = writes;
    if (branches.length === 2 && isNull(first) && second && !isNull(second) && write) {
      return (into, value) => {
        into.byte(value === null ? 0 : 2);
        if (value !== null) write(into, value);
      };
    }
    const plain = branches.filter((branch) => this.#ruleOf(branch) === undefined).map(kindOf);
    const isNamed = new Set(plain).size !== plain.length;
    return (into, value) => {
      const named = isNamed && value !== null ? onlyEntry(value) : undefined;
      const fitting = branches.flatMap((branch, at) =>
        (named ? nameOf(branch) === named.name : this.#fits(branch, value)) ? [at] : [],
      );
      const [at] = fitting;
      const chosen = at === undefined ? undefined : writes[at];
      if (at === undefined || !chosen || fitting.length > 1) refuse();
      into.long(at);
      chosen(into, named ? named.value : value);
    };
  }

  #ruleOf(branch: AvroShape): LogicalRule | undefined {
    return branch.kind === 'primitive' ? this.#options.ruleOf?.(branch.logical) : undefined;
  }

  #fits(branch: AvroShape, value: unknown): boolean {
    const rule = this.#ruleOf(branch);
    return rule ? rule.encode(value) !== undefined : kindOf(branch) === kindOfValue(value);
  }
}

function refuse(): never {
  throw new Unwritable('a value does not fit its Avro schema');
}

const INT_END = 2 ** 31;
/** What avsc reads back: it keeps clear of the ends of what a double holds exactly. */
const LONG_MAX = Number.MAX_SAFE_INTEGER - 1;

const PRIMITIVES: Readonly<Record<string, Write>> = {
  null: (_into, value) => {
    if (value !== null) refuse();
  },
  boolean: (into, value) => {
    if (typeof value !== 'boolean') refuse();
    into.byte(value ? 1 : 0);
  },
  int: (into, value) => {
    if (!isWhole(value) || value < -INT_END || value >= INT_END) refuse();
    into.long(value);
  },
  long: (into, value) => {
    if (!isWhole(value) || value > LONG_MAX || value < -LONG_MAX) refuse();
    into.long(value);
  },
  float: (into, value) => {
    if (typeof value !== 'number') refuse();
    into.float(value);
  },
  double: (into, value) => {
    if (typeof value !== 'number') refuse();
    into.double(value);
  },
  string: (into, value) => {
    if (typeof value !== 'string') refuse();
    into.text(value);
  },
  bytes: (into, value) => {
    if (!(value instanceof Uint8Array)) refuse();
    into.long(value.length);
    into.raw(value);
  },
};

function fixed(size: number): Write {
  return (into, value) => {
    if (!(value instanceof Uint8Array) || value.length !== size) refuse();
    into.raw(value);
  };
}

const writeUuid: Write = (into, value) => {
  const id = typeof value === 'string' ? parseOrderId(value) : undefined;
  if (!id?.ok) refuse();
  into.raw(idBytes(id.value));
};

function symbols(names: readonly string[]): Write {
  const places = new Map<unknown, number>(names.map((name, at) => [name, at]));
  return (into, value) => {
    const place = places.get(value);
    if (place === undefined) refuse();
    into.long(place);
  };
}

/** All items in one block, and the end. */
function list(item: Write): Write {
  return (into, value) => {
    if (!Array.isArray(value)) refuse();
    if (value.length > 0) into.long(value.length);
    for (const one of value) item(into, one);
    into.byte(0);
  };
}

function map(item: Write): Write {
  return (into, value) => {
    const entries = Object.entries(asObject(value));
    if (entries.length > 0) into.long(entries.length);
    for (const [key, one] of entries) {
      into.text(key);
      item(into, one);
    }
    into.byte(0);
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse();
  return value as Readonly<Record<string, unknown>>;
}

function countKeys(record: object): number {
  let count = 0;
  for (const key in record) if (Object.hasOwn(record, key)) count += 1;
  return count;
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function isNull(shape: AvroShape | undefined): boolean {
  return shape?.kind === 'primitive' && shape.type === 'null';
}

type Kind = 'null' | 'boolean' | 'number' | 'string' | 'bytes' | 'array' | 'object';

/** Values of which kind a branch takes. */
function kindOf(shape: AvroShape): Kind {
  switch (shape.kind) {
    case 'fixed':
      return shape.logical === 'uuid' ? 'string' : 'bytes';
    case 'enum':
      return 'string';
    case 'array':
      return 'array';
    case 'map':
    case 'record':
      return 'object';
    case 'union':
      throw new TypeError('a union stands in a union');
    case 'primitive':
      return PRIMITIVE_KINDS[shape.type] ?? 'number';
  }
}

const PRIMITIVE_KINDS: Readonly<Record<string, Kind>> = {
  null: 'null',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
};

function kindOfValue(value: unknown): Kind | undefined {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'array';
  const kind = typeof value;
  return kind === 'boolean' || kind === 'number' || kind === 'string' || kind === 'object'
    ? kind
    : undefined;
}

function nameOf(shape: AvroShape): string {
  if (shape.kind === 'primitive') return shape.type;
  return 'name' in shape ? shape.name : shape.kind;
}

function onlyEntry(value: unknown): { readonly name: string; readonly value: unknown } {
  const [entry, ...more] = Object.entries(asObject(value));
  if (!entry || more.length > 0) refuse();
  return { name: entry[0], value: entry[1] };
}
