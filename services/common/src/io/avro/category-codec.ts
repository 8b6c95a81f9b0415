import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { type AvroGuard, EVENT_LIMITS, avroGuard } from '../../domain/avro-guard.js';
import { bytesKey, sha256 } from '../../domain/bytes.js';
import {
  isCategorySchema,
  parseCategorySchema,
  sectionSchema,
  sectionsOf,
} from '../../domain/category-schema.js';
import { ConcordatError } from '../../domain/errors.js';
import type { Hash } from '../../domain/ids.js';
import { type Result, err, ok } from '../../domain/result.js';
import type { Json } from '../../domain/strict-json.js';
import { type StrictReader, strictReader } from './strict-reader.js';

interface SectionType {
  readonly name: string;
  readonly fields: readonly string[];
  readonly type: avro.Type;
  readonly guard: AvroGuard;
  readonly read: StrictReader;
}

/** One released category schema, known by the SHA-256 of its file. */
export interface CategoryType {
  readonly hash: Hash;
  /** the first word of every category it describes */
  readonly category: string;
  /** Splits a whole event into its sections' Avro bytes, or names the first path that is wrong. */
  encode(event: Json): Result<ReadonlyMap<string, Uint8Array>, ConcordatError>;
  /** @returns a section's fields as plain JSON; RECORD_MALFORMED for bytes that are not such a section */
  decode(section: string, bytes: Uint8Array): Result<Json, ConcordatError>;
}

export interface CategoryCodec {
  /** Only schemas of this repository are ever loaded, and only by hash. */
  find(hash: Uint8Array): CategoryType | undefined;
  findByCategory(category: string): CategoryType | undefined;
}

/** @throws ConcordatError SCHEMA_INVALID when a category schema breaks the rules */
export function openCategoryCodec(schemasDir: string): CategoryCodec {
  const types = new Map<string, CategoryType>();
  const latest = new Map<string, CategoryType>();
  for (const file of readdirSync(schemasDir).sort()) {
    if (!file.endsWith('.avsc')) continue;
    const bytes = readFileSync(join(schemasDir, file));
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    if (!isCategorySchema(json)) continue;
    const type = load(file, json, sha256(bytes));
    types.set(bytesKey(type.hash), type);
    latest.set(type.category, type);
  }
  return {
    find: (hash) => types.get(bytesKey(hash)),
    findByCategory: (category) => latest.get(category.split('.')[0] ?? ''),
  };
}

function load(file: string, json: unknown, hash: Hash): CategoryType {
  const parsed = parseCategorySchema(json);
  if (!parsed.ok) {
    const first = parsed.error[0];
    const detail = first ? `${first.path}: ${first.problem}` : 'unknown problem';
    throw new ConcordatError('SCHEMA_INVALID', `${file}: ${detail}`);
  }
  const schema = parsed.value;
  const sections = sectionsOf(schema).map((name): SectionType => {
    const avsc = sectionSchema(schema, name);
    const type = avro.Type.forSchema(avsc as avro.Schema);
    return {
      name,
      fields: schema.fields.filter((field) => field.section === name).map((field) => field.name),
      type,
      guard: avroGuard(avsc),
      read: strictReader(type, avsc),
    };
  });
  const known = new Set(sections.flatMap(({ fields }) => fields));
  return {
    hash,
    category: schema.category,
    encode: (event) => encodeEvent(event, sections, known),
    decode: (section, bytes) => decodeSection(sections, section, bytes),
  };
}

function invalid(path: string, what: string): Result<never, ConcordatError> {
  return err(new ConcordatError('EVENT_INVALID', `${path}: ${what}`));
}

function encodeEvent(
  event: Json,
  sections: readonly SectionType[],
  known: ReadonlySet<string>,
): Result<ReadonlyMap<string, Uint8Array>, ConcordatError> {
  if (event === null || typeof event !== 'object' || Array.isArray(event)) {
    return invalid('$', 'expected an object');
  }
  const fields = event as { readonly [key: string]: Json };
  const extra = Object.keys(fields).find((name) => !known.has(name));
  if (extra !== undefined) {
    return invalid(`$.${extra.slice(0, 64)}`, 'a field that the schema does not declare');
  }
  const encoded = new Map<string, Uint8Array>();
  for (const section of sections) {
    const given = section.fields.filter((name) => Object.hasOwn(fields, name));
    const value = Object.fromEntries(given.map((name) => [name, fields[name]]));
    const problem = valueProblem(section.type, value);
    if (problem) return problem;
    const bytes = Uint8Array.from(section.type.toBuffer(value));
    // what no recipient would decode must not be published
    const limit = section.guard(bytes, EVENT_LIMITS);
    if (limit !== undefined) return invalid(`section ${section.name}`, limit);
    encoded.set(section.name, bytes);
  }
  return ok(encoded);
}

function valueProblem(type: avro.Type, value: unknown): Result<never, ConcordatError> | undefined {
  let at: string | undefined;
  let expected = '';
  type.isValid(value, {
    noUndeclaredFields: true,
    errorHook: (path: string[], _any: unknown, wanted: avro.Type) => {
      at ??= ['$', ...path].join('.');
      expected ||= describe(wanted);
    },
  });
  return at === undefined ? undefined : invalid(at, `expected ${expected}, as the schema declares`);
}

function describe(type: avro.Type): string {
  return type.branchName === undefined ? 'another type' : type.branchName;
}

function decodeSection(
  sections: readonly SectionType[],
  name: string,
  bytes: Uint8Array,
): Result<Json, ConcordatError> {
  const section = sections.find((one) => one.name === name);
  const malformed = (what: string): Result<never, ConcordatError> =>
    err(new ConcordatError('RECORD_MALFORMED', `section ${name}: ${what}`));
  if (!section) return malformed('not in the schema');
  const value = section.read(bytes, EVENT_LIMITS);
  return value.ok ? ok(JSON.parse(JSON.stringify(value.value)) as Json) : malformed(value.error);
}
