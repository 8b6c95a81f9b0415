import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { type AvroGuard, avroGuard } from '../../domain/avro-guard.js';
import { avroShape } from '../../domain/avro-shape.js';
import { EVENT_LIMITS } from '../../domain/avro-walk.js';
import { type AvroWriter, Unwritable, avroWriter } from '../../domain/avro-writer.js';
import { bytesKey, sha256 } from '../../domain/bytes.js';
import {
  type CategorySchema,
  describesCategory,
  isCategorySchema,
  parseCategorySchema,
  sectionSchema,
  sectionsOf,
} from '../../domain/category-schema.js';
import { ConcordatError, type FieldProblem, fieldError, fieldsError } from '../../domain/errors.js';
import type { Hash } from '../../domain/ids.js';
import { logicalRule } from '../../domain/logical-types.js';
import { type Result, err, ok } from '../../domain/result.js';
import type { Json } from '../../domain/strict-json.js';
import { subjectsIn } from '../../domain/subjects.js';
import { LOGICAL_TYPES, ruleBehind } from './logical-types.js';
import { type StrictReader, strictReader } from './strict-reader.js';

/** One that is not an event at all would name thousands. */
const PROBLEMS_MAX = 20;

interface SectionType {
  readonly name: string;
  readonly fields: readonly string[];
  readonly type: avro.Type;
  readonly write: AvroWriter;
  readonly guard: AvroGuard;
  readonly read: StrictReader;
  /** How avsc reads what another version wrote. */
  readonly resolvers: Map<SectionType, avro.Resolver>;
}

/** One released category schema, known by the SHA-256 of its file. */
export interface CategoryType {
  readonly hash: Hash;
  /** The first word of every category that it describes. */
  readonly category: string;
  /** From 1, as in its file's name. */
  readonly version: number;
  /** Is this its own category, or one below it, of a kind that it declares? */
  describes(category: string): boolean;
  /** Splits a whole event into its sections' Avro bytes, or names the paths that are wrong, at most 20. */
  encode(event: Json): Result<ReadonlyMap<string, Uint8Array>, ConcordatError>;
  /** Whom or what an event that `encode` takes is about, in the spelling of the index; see `subjects.ts`. */
  subjects(event: Json): readonly string[];
  /**
   * @param writer the version that wrote the bytes, an older one of the same category; default: this one
   * @returns a section's fields as plain JSON; RECORD_MALFORMED for bytes that are not such a section
   */
  decode(section: string, bytes: Uint8Array, writer?: CategoryType): Result<Json, ConcordatError>;
}

export interface CategoryCodec {
  /** Only schemas of this repository are ever loaded, and only by hash. */
  find(hash: Uint8Array): CategoryType | undefined;
  /** The newest version for a category, or the one asked for: `threat-indicator.network`. */
  findByCategory(category: string, version?: number): CategoryType | undefined;
}

/**
 * @param approvedDir schemas that were approved after this version was made: `approved.json` there names each file with its
 *        SHA-256 in hexadecimal, as `released.json` does; looked at again whenever an unknown schema is met
 * @throws ConcordatError SCHEMA_INVALID when a category schema breaks the rules, or is not the one that was approved
 */
export function openCategoryCodec(schemasDir: string, approvedDir?: string): CategoryCodec {
  const types = new Map<string, LoadedCategory>();
  for (const file of readdirSync(schemasDir).sort()) add(types, file, join(schemasDir, file));
  let newestFirst = byVersion(types);
  let listed = '';
  /** @returns whether the list is another one than before */
  const lookAgain = (): boolean => {
    const list = approvedDir === undefined ? '' : approvedList(approvedDir);
    if (approvedDir === undefined || list === listed) return false;
    for (const [file, hash] of approvedFiles(list)) {
      add(types, file, join(approvedDir, file), hash);
    }
    newestFirst = byVersion(types);
    listed = list;
    return true;
  };
  lookAgain();
  const find = (hash: Uint8Array) => types.get(bytesKey(hash));
  return {
    find: (hash) => find(hash) ?? (lookAgain() ? find(hash) : undefined),
    findByCategory: (category, version) =>
      newestFirst.find(
        (type) =>
          type.category === category.split('.')[0] &&
          (version === undefined || type.version === version),
      ),
  };
}

function byVersion(types: ReadonlyMap<string, LoadedCategory>): LoadedCategory[] {
  return [...types.values()].sort((a, b) => b.version - a.version);
}

/** @param approved SHA-256 of the file in hexadecimal, for a schema that is not of this repository */
function add(
  types: Map<string, LoadedCategory>,
  file: string,
  path: string,
  approved?: string,
): void {
  const version = /\.v([1-9]\d*)\.avsc$/.exec(file)?.[1];
  if (version === undefined) return;
  const bytes = readFileSync(path);
  const hash = sha256(bytes);
  if (approved !== undefined && Buffer.from(hash).toString('hex') !== approved) {
    const text = `${file}: its SHA-256 is not the one that approved.json names`;
    throw new ConcordatError('SCHEMA_INVALID', text);
  }
  const json: unknown = JSON.parse(bytes.toString('utf8'));
  if (!isCategorySchema(json)) return;
  types.set(bytesKey(hash), new LoadedCategory(parse(file, json), Number(version), hash));
}

/** The text of `approved.json`; nothing is approved while there is none. */
function approvedList(dir: string): string {
  try {
    return readFileSync(join(dir, 'approved.json'), 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
    throw cause;
  }
}

function approvedFiles(list: string): [file: string, hash: string][] {
  if (list === '') return [];
  const json: unknown = JSON.parse(list);
  const files = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  return files.map(([file, hash]: [string, unknown]) => {
    if (typeof hash === 'string' && /^[a-z0-9-]+\.v[1-9]\d*\.avsc$/.test(file)) return [file, hash];
    const text =
      'approved.json: expected file names such as listing.v2.avsc, each with its SHA-256';
    throw new ConcordatError('SCHEMA_INVALID', text);
  });
}

function parse(file: string, json: unknown): CategorySchema {
  const parsed = parseCategorySchema(json);
  if (parsed.ok) return parsed.value;
  const first = parsed.error[0];
  const detail = first ? `${first.path}: ${first.problem}` : 'unknown problem';
  throw new ConcordatError('SCHEMA_INVALID', `${file}: ${detail}`);
}

class LoadedCategory implements CategoryType {
  readonly hash: Hash;
  readonly version: number;
  readonly #schema: CategorySchema;
  readonly #sections: ReadonlyMap<string, SectionType>;
  readonly #known: ReadonlySet<string>;

  constructor(schema: CategorySchema, version: number, hash: Hash) {
    this.hash = hash;
    this.version = version;
    this.#schema = schema;
    this.#sections = new Map(sectionsOf(schema).map((name) => [name, sectionType(schema, name)]));
    this.#known = new Set(schema.fields.map(({ name }) => name));
  }

  get category(): string {
    return this.#schema.category;
  }

  describes(category: string): boolean {
    return describesCategory(this.#schema, category);
  }

  encode(event: Json): Result<ReadonlyMap<string, Uint8Array>, ConcordatError> {
    if (event === null || typeof event !== 'object' || Array.isArray(event)) {
      return err(fieldError('EVENT_INVALID', '$', 'expected an object'));
    }
    const fields = event as { readonly [key: string]: Json };
    const problems = Object.keys(fields)
      .filter((name) => !this.#known.has(name))
      .map((name) => ({
        field: `$.${name.slice(0, 64)}`,
        problem: 'a field that the schema does not declare',
      }));
    const encoded = new Map<string, Uint8Array>();
    for (const section of this.#sections.values()) {
      const bytes = encodeSection(section, fields);
      if (bytes.ok) encoded.set(section.name, bytes.value);
      else problems.push(...bytes.error);
    }
    const [first, ...more] = problems.slice(0, PROBLEMS_MAX);
    return first ? err(fieldsError('EVENT_INVALID', [first, ...more])) : ok(encoded);
  }

  subjects(event: Json): readonly string[] {
    return subjectsIn(this.#schema.subjects, event);
  }

  decode(
    name: string,
    bytes: Uint8Array,
    writer: CategoryType = this,
  ): Result<Json, ConcordatError> {
    if (!(writer instanceof LoadedCategory)) throw new TypeError('a version of another codec');
    const reader = this.#sections.get(name);
    const written = writer.#sections.get(name);
    if (!reader || !written || writer.category !== this.category) {
      return err(new ConcordatError('RECORD_MALFORMED', `section ${name}: no such section`));
    }
    return decodeSection(bytes, written, reader);
  }
}

function sectionType(schema: CategorySchema, name: string): SectionType {
  const avsc = sectionSchema(schema, name);
  const type = avro.Type.forSchema(avsc as avro.Schema, { logicalTypes: LOGICAL_TYPES });
  return {
    name,
    fields: schema.fields.filter((field) => field.section === name).map((field) => field.name),
    type,
    write: avroWriter(avroShape(avsc), { ruleOf: logicalRule, isClosed: true }),
    guard: avroGuard(avsc),
    read: strictReader(type, avsc),
    resolvers: new Map(),
  };
}

function encodeSection(
  section: SectionType,
  event: { readonly [key: string]: Json },
): Result<Uint8Array, readonly FieldProblem[]> {
  const bytes = written(section, event);
  if (!bytes.ok) return bytes;
  // what no recipient would decode must not be published
  const limit = section.guard(bytes.value, EVENT_LIMITS);
  return limit === undefined ? bytes : err([{ field: `section ${section.name}`, problem: limit }]);
}

/** The section's bytes, or everything that is wrong with its fields. */
function written(
  section: SectionType,
  event: { readonly [key: string]: Json },
): Result<Uint8Array, readonly FieldProblem[]> {
  try {
    return ok(section.write(event));
  } catch (cause) {
    if (!(cause instanceof Unwritable)) throw cause;
    const problems = valueProblems(section, event);
    return err(problems.length > 0 ? problems : [unnamedProblem(section)]);
  }
}

/** What avsc takes and we do not: a list for a record whose fields all have defaults, 'valueOf' for an enum's symbol. */
function unnamedProblem({ name }: SectionType): FieldProblem {
  return { field: `section ${name}`, problem: 'a value is not as the schema declares' };
}

/** A closer look at what could not be written. */
function valueProblems(
  { type, fields }: SectionType,
  event: { readonly [key: string]: Json },
): readonly FieldProblem[] {
  const given = fields.filter((name) => Object.hasOwn(event, name));
  const value = Object.fromEntries(given.map((name) => [name, event[name]]));
  const problems: FieldProblem[] = [];
  type.isValid(value, {
    noUndeclaredFields: true,
    errorHook: (path: string[], came: unknown, wanted: avro.Type) => {
      if (problems.length >= PROBLEMS_MAX) return;
      const problem = `${closeLook(wanted, came)}, as the schema declares`;
      problems.push({ field: ['$', ...path].join('.'), problem });
    },
  });
  return problems;
}

/** What is expected there; never what came. */
function closeLook(type: avro.Type, came: unknown): string {
  const branches = type instanceof avro.types.UnwrappedUnionType ? type.types : [type];
  for (const branch of branches) {
    const problem = ruleBehind(branch)?.problem?.(came);
    if (problem !== undefined) return `${describe(branch)}; ${problem}`;
  }
  return `expected ${branches.map(describe).join(' or ')}`;
}

function describe(type: avro.Type): string {
  if (type instanceof avro.types.EnumType) return type.symbols.join(', ');
  return ruleBehind(type)?.expected ?? type.branchName ?? 'another type';
}

/** By the guard and the type that wrote them; then, if it is another, as the reader's type has them. */
function decodeSection(
  bytes: Uint8Array,
  writer: SectionType,
  reader: SectionType,
): Result<Json, ConcordatError> {
  const malformed = (what: string): Result<never, ConcordatError> =>
    err(new ConcordatError('RECORD_MALFORMED', `section ${writer.name}: ${what}`));
  const written = writer.read(bytes, EVENT_LIMITS);
  if (!written.ok) return malformed(written.error);
  const value: unknown =
    writer === reader
      ? written.value
      : reader.type.fromBuffer(Buffer.from(bytes), resolverOf(reader, writer));
  return ok(JSON.parse(JSON.stringify(value)) as Json);
}

function resolverOf(reader: SectionType, writer: SectionType): avro.Resolver {
  const known = reader.resolvers.get(writer);
  const resolver = known ?? reader.type.createResolver(writer.type);
  if (!known) reader.resolvers.set(writer, resolver);
  return resolver;
}
