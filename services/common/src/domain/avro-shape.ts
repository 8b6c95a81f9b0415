/** The JSON of an Avro schema. */
export type AvroSchema =
  string | readonly AvroSchema[] | { readonly type: AvroSchema; readonly [key: string]: unknown };

/** An Avro schema with its names resolved: what decides whether one version reads what another wrote. */
export type AvroShape =
  | { readonly kind: 'primitive'; readonly type: string; readonly logical: string }
  | {
      readonly kind: 'fixed';
      readonly name: string;
      readonly size: number;
      readonly logical: string;
    }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'array' | 'map'; readonly items: AvroShape }
  | { readonly kind: 'union'; readonly branches: readonly AvroShape[] }
  | { readonly kind: 'record'; readonly name: string; readonly fields: readonly AvroField[] };

export interface AvroField {
  readonly name: string;
  readonly shape: AvroShape;
  readonly hasDefault: boolean;
  /** The default's JSON, as Avro's plain type spells it. */
  readonly preset: unknown;
  /** Its annotations, if the schema is a category's. */
  readonly section: string;
  readonly purge: string;
}

interface JsonObject {
  readonly [key: string]: unknown;
}

/** @throws TypeError for what is not an Avro schema: schemas come from this repository only */
export function avroShape(schema: unknown): AvroShape {
  return shapeOf(schema, '', new Map());
}

const PRIMITIVES: ReadonlySet<unknown> = new Set([
  ...['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'],
]);

function shapeOf(schema: unknown, around: string, names: Map<string, AvroShape>): AvroShape {
  if (typeof schema === 'string') return named(schema, around, names);
  if (Array.isArray(schema)) {
    return { kind: 'union', branches: schema.map((branch) => shapeOf(branch, around, names)) };
  }
  if (typeof schema !== 'object' || schema === null) throw new TypeError('not an Avro schema');
  const json = schema as JsonObject;
  const { type, items, values } = json;
  const logical = textOf(json['logicalType']);
  if (PRIMITIVES.has(type)) return { kind: 'primitive', type: textOf(type), logical };
  if (type === 'array') return { kind: 'array', items: shapeOf(items, around, names) };
  if (type === 'map') return { kind: 'map', items: shapeOf(values, around, names) };
  if (type === 'record' || type === 'enum' || type === 'fixed') {
    return definition(type, json, around, names);
  }
  return shapeOf(type, around, names);
}

function named(type: string, around: string, names: ReadonlyMap<string, AvroShape>): AvroShape {
  if (PRIMITIVES.has(type)) return { kind: 'primitive', type, logical: '' };
  const known = names.get(fullName(type, around));
  if (!known) throw new TypeError(`Avro type ${type} is not defined`);
  return known;
}

function definition(
  kind: 'record' | 'enum' | 'fixed',
  json: JsonObject,
  around: string,
  names: Map<string, AvroShape>,
): AvroShape {
  const given = typeof json['namespace'] === 'string' ? json['namespace'] : around;
  const name = fullName(textOf(json['name']), given);
  // a full name brings its own namespace, for what stands inside too
  const namespace = name.slice(0, Math.max(0, name.lastIndexOf('.')));
  const remember = (shape: AvroShape): AvroShape => {
    names.set(name, shape);
    return shape;
  };
  if (kind === 'enum')
    return remember({ kind, name, symbols: listOf(json['symbols']).map(textOf) });
  if (kind === 'fixed') {
    const logical = textOf(json['logicalType']);
    return remember({ kind, name, size: Number(json['size']), logical });
  }
  const fields: AvroField[] = [];
  // known before its fields are: a record may hold itself
  const shape = remember({ kind, name, fields });
  for (const field of listOf(json['fields'])) {
    const { type, ...rest } = field as JsonObject;
    fields.push({
      name: textOf(rest['name']),
      shape: shapeOf(type, namespace, names),
      hasDefault: 'default' in rest,
      preset: rest['default'],
      section: textOf(rest['section']),
      purge: textOf(rest['purge']),
    });
  }
  return shape;
}

/** Avro's full name: dotted as it stands, else in the namespace around it. */
function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

/** For messages: `null or string`, `array of enum Level (LOW, HIGH)`. */
export function shapeText(shape: AvroShape): string {
  switch (shape.kind) {
    case 'primitive':
      return shape.type + logicalText(shape.logical);
    case 'fixed':
      return `fixed ${shortName(shape.name)} of ${String(shape.size)} bytes${logicalText(shape.logical)}`;
    case 'enum':
      return `enum ${shortName(shape.name)} (${shape.symbols.join(', ')})`;
    case 'record':
      return `record ${shortName(shape.name)}`;
    case 'union':
      return shape.branches.map(shapeText).join(' or ');
    case 'array':
    case 'map':
      return `${shape.kind} of ${shapeText(shape.items)}`;
  }
}

function logicalText(logical: string): string {
  return logical === '' ? '' : ` (${logical})`;
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
