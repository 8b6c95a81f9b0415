import { type AvroField, type AvroShape, avroShape, shapeText } from './avro-shape.js';

/** Why a newer version may not follow an older one. BACKWARD: the newer one reads all that the older one wrote. */
export interface EvolutionProblem {
  /** Field names from the top: `PersonAlert.documents.number`. */
  readonly path: string;
  readonly rule: EvolutionRule;
  /** The older version's type, and the newer one's. */
  readonly writer: string;
  readonly reader: string;
}

/** What each rule demands; `docs/categories.md` lists them, and a test keeps the two equal. */
export const EVOLUTION_RULES = {
  TYPE_CHANGED: 'a type stays, or is widened: int to long or double, long or float to double',
  PROMOTION_LOSSY:
    'Avro would read it, with another value or meaning: float for a whole number, bytes for a string',
  NAME_CHANGED: 'a record, enum or fixed keeps its name and its namespace',
  FIELD_WITHOUT_DEFAULT: 'a field that older versions did not write has a default',
  ENUM_SYMBOL_REMOVED: 'an enum keeps every symbol that was ever written',
  UNION_BRANCH_REMOVED: 'a union keeps every branch that was ever written, null included',
  FIXED_SIZE_CHANGED: 'a fixed keeps its size',
  LOGICAL_TYPE_CHANGED:
    'a logical type stays: with another one, what was written has another meaning or none',
  SECTION_MOVED: 'a field stays in its section: agreements share and withhold by section',
  SECTION_REMOVED: 'a section stays: agreements and stored events name it',
  FATE_WEAKENED:
    'what was written to be purged is never kept: purge stays, derive may become purge',
  CATEGORY_CHANGED: 'all versions of one file name describe one category, or none does',
  KIND_REMOVED: 'a kind stays: agreements name it',
} as const;
export type EvolutionRule = keyof typeof EVOLUTION_RULES;

interface JsonObject {
  readonly [key: string]: unknown;
}

/** Weakest last. */
const FATES = ['purge', 'derive', 'keep'];

/**
 * Does the newer version read all that the older one wrote, with the same promises about it?
 *
 * @param writer the older version's schema as JSON, `reader` the newer one's; both are Avro schemas
 * @returns every reason against it, none when it does
 */
export function evolutionProblems(
  writer: JsonObject,
  reader: JsonObject,
): readonly EvolutionProblem[] {
  const comparison = new Comparison();
  const older = avroShape(writer);
  const path = older.kind === 'record' ? (older.name.split('.').at(-1) ?? '') : '$';
  comparison.category(writer, reader, path);
  comparison.shapes(older, avroShape(reader), path);
  return comparison.problems;
}

class Comparison {
  readonly problems: EvolutionProblem[] = [];
  /** Pairs of records under comparison: a record may hold itself. */
  readonly #open = new Map<AvroShape, Set<AvroShape>>();

  #report(rule: EvolutionRule, path: string, writer: string, reader: string): void {
    this.problems.push({ path, rule, writer, reader });
  }

  category(writer: JsonObject, reader: JsonObject, path: string): void {
    if (writer['category'] !== reader['category']) {
      const text = ({ category }: JsonObject): string =>
        typeof category === 'string' ? `category ${category}` : 'a record of no category';
      this.#report('CATEGORY_CHANGED', path, text(writer), text(reader));
    }
    for (const section of gone(writer['sections'], reader['sections'])) {
      this.#report('SECTION_REMOVED', path, `section ${section}`, 'no such section');
    }
    // without a list every kind is allowed
    if (!Array.isArray(reader['kinds'])) return;
    for (const kind of gone(writer['kinds'] ?? ['any'], reader['kinds'])) {
      this.#report('KIND_REMOVED', path, `kind ${kind}`, 'no such kind');
    }
  }

  shapes(writer: AvroShape, reader: AvroShape, path: string): void {
    if (writer.kind === 'union') {
      for (const branch of writer.branches) this.#branch(branch, reader, path);
    } else if (reader.kind === 'union') {
      const branch = reader.branches.find((one) => isReadAs(writer, one));
      if (branch) this.shapes(writer, branch, path);
      else this.#report('TYPE_CHANGED', path, shapeText(writer), shapeText(reader));
    } else {
      this.#same(writer, reader, path);
    }
  }

  #branch(writer: AvroShape, reader: AvroShape, path: string): void {
    const branches = reader.kind === 'union' ? reader.branches : [reader];
    const branch = branches.find((one) => isReadAs(writer, one));
    if (branch) this.shapes(writer, branch, path);
    else this.#report('UNION_BRANCH_REMOVED', path, shapeText(writer), shapeText(reader));
  }

  /** Neither is a union. */
  #same(writer: AvroShape, reader: AvroShape, path: string): void {
    const report = (rule: EvolutionRule): void =>
      this.#report(rule, path, shapeText(writer), shapeText(reader));
    if (writer.kind === 'primitive' && reader.kind === 'primitive') {
      const rule = primitiveRule(writer, reader);
      if (rule) report(rule);
    } else if (writer.kind === 'fixed' && reader.kind === 'fixed') {
      this.#names(writer, reader, path);
      if (writer.size !== reader.size) report('FIXED_SIZE_CHANGED');
      if (writer.logical !== reader.logical) report('LOGICAL_TYPE_CHANGED');
    } else if (writer.kind === 'enum' && reader.kind === 'enum') {
      this.#names(writer, reader, path);
      if (gone(writer.symbols, reader.symbols).length > 0) report('ENUM_SYMBOL_REMOVED');
    } else if (writer.kind === 'record' && reader.kind === 'record') {
      this.#names(writer, reader, path);
      this.#fields(writer, reader, path);
    } else if (writer.kind === 'array' && reader.kind === 'array') {
      this.shapes(writer.items, reader.items, path);
    } else if (writer.kind === 'map' && reader.kind === 'map') {
      this.shapes(writer.items, reader.items, path);
    } else {
      report('TYPE_CHANGED');
    }
  }

  #names(writer: NamedShape, reader: NamedShape, path: string): void {
    if (writer.name === reader.name) return;
    const text = ({ kind, name }: NamedShape): string => `${kind} ${name}`;
    this.#report('NAME_CHANGED', path, text(writer), text(reader));
  }

  #fields(writer: RecordShape, reader: RecordShape, path: string): void {
    const seen = this.#open.get(writer) ?? new Set();
    if (seen.has(reader)) return;
    this.#open.set(writer, seen.add(reader));
    const written = new Map(writer.fields.map((field) => [field.name, field]));
    for (const field of reader.fields) {
      const here = `${path}.${field.name}`;
      const older = written.get(field.name);
      if (older) {
        this.#promises(older, field, here);
        this.shapes(older.shape, field.shape, here);
      } else if (!field.hasDefault) {
        this.#report('FIELD_WITHOUT_DEFAULT', here, 'nothing', shapeText(field.shape));
      }
    }
  }

  #promises(writer: AvroField, reader: AvroField, path: string): void {
    const text = ({ shape }: AvroField, promise: string): string =>
      `${shapeText(shape)} (${promise})`;
    if (writer.section !== reader.section) {
      const sections = [writer, reader].map((one) => text(one, `section ${one.section}`));
      this.#report('SECTION_MOVED', path, sections[0] ?? '', sections[1] ?? '');
    }
    if (FATES.indexOf(writer.purge) < FATES.indexOf(reader.purge)) {
      const fates = [writer, reader].map((one) => text(one, `fate ${one.purge}`));
      this.#report('FATE_WEAKENED', path, fates[0] ?? '', fates[1] ?? '');
    }
  }
}

type NamedShape = Extract<AvroShape, { name: string }>;
type RecordShape = Extract<AvroShape, { kind: 'record' }>;
type PrimitiveShape = Extract<AvroShape, { kind: 'primitive' }>;

/** Avro's promotions that keep the value, and those that may not. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'double'],
  long: ['double'],
  float: ['double'],
};
const LOSSY: Readonly<Record<string, readonly string[]>> = {
  int: ['float'],
  long: ['float'],
  string: ['bytes'],
  bytes: ['string'],
};

function primitiveRule(writer: PrimitiveShape, reader: PrimitiveShape): EvolutionRule | undefined {
  const { type } = writer;
  if (LOSSY[type]?.includes(reader.type)) return 'PROMOTION_LOSSY';
  if (type !== reader.type && !WIDER[type]?.includes(reader.type)) return 'TYPE_CHANGED';
  return writer.logical === reader.logical ? undefined : 'LOGICAL_TYPE_CHANGED';
}

/** Would a reader's branch be chosen for it? */
function isReadAs(writer: AvroShape, reader: AvroShape): boolean {
  if (writer.kind === 'primitive' && reader.kind === 'primitive') {
    return ['LOGICAL_TYPE_CHANGED', undefined].includes(primitiveRule(writer, reader));
  }
  if (writer.kind !== reader.kind) return false;
  return !('name' in writer) || !('name' in reader) || writer.name === reader.name;
}

function gone(before: unknown, after: unknown): string[] {
  const left = new Set(Array.isArray(after) ? (after as unknown[]) : []);
  return (Array.isArray(before) ? (before as unknown[]) : [])
    .filter((one) => !left.has(one))
    .map(String);
}
