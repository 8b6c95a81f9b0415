import type { AvroSchema } from './avro-shape.js';
import { isCategoryName } from './category.js';
import { logicalRule } from './logical-types.js';
import { type Result, err, ok } from './result.js';
import { type SubjectRule, subjectRuleProblem, subjectRules } from './subjects.js';

/** What becomes of a field when its event is purged: deleted, kept in a derived form, or kept as it is. */
const PURGE_FATES: ReadonlySet<unknown> = new Set(['purge', 'derive', 'keep']);

interface JsonObject {
  readonly [key: string]: unknown;
}

/** Where an annotation or a name breaks the rules: `Listing.aliases.quality`. Paths and names only, no content. */
export interface SchemaProblem {
  readonly path: string;
  readonly problem: string;
}

/** A top-level field: its section is disclosed or withheld as a whole. */
interface CategoryField {
  readonly name: string;
  readonly section: string;
  readonly json: JsonObject;
}

/** A category schema that `checkAnnotations` found nothing wrong with. */
export interface CategorySchema {
  readonly name: string;
  readonly namespace: string;
  /** The first word of every category that it describes: `listing` of `listing.al-qaida.entity`. */
  readonly category: string;
  /** The second words that a category may have: `refused-entry` of `person-alert.refused-entry`; none: any. */
  readonly kinds: readonly string[];
  readonly sections: readonly string[];
  readonly fields: readonly CategoryField[];
  /** Where its events say whom or what they are about. */
  readonly subjects: readonly SubjectRule[];
}

/** A file in `schemas/` with a top-level `category` describes what members exchange; the others are records. */
export function isCategorySchema(json: unknown): boolean {
  return isObject(json) && 'category' in json;
}

/** The JSON of a category schema's file, or everything that is wrong with it. */
export function parseCategorySchema(
  json: unknown,
): Result<CategorySchema, readonly SchemaProblem[]> {
  const problems = checkAnnotations(json);
  if (problems.length > 0 || !isObject(json)) return err(problems);
  return ok({
    name: textOf(json['name']),
    namespace: textOf(json['namespace']),
    category: textOf(json['category']),
    kinds: listOf(json['kinds']).map(textOf),
    sections: listOf(json['sections']).map(textOf),
    fields: listOf(json['fields'])
      .filter(isObject)
      .map((field) => ({
        name: textOf(field['name']),
        section: textOf(field['section']),
        json: field,
      })),
    subjects: subjectRules(textOf(json['category']), json['subjects']),
  });
}

/** Is this the name of a category that the schema describes: its own, or one below it, of a declared kind? */
export function describesCategory(
  schema: Pick<CategorySchema, 'category' | 'kinds'>,
  name: string,
): boolean {
  const [category, kind] = name.split('.');
  if (!isCategoryName(name) || category !== schema.category) return false;
  return kind === undefined || schema.kinds.length === 0 || schema.kinds.includes(kind);
}

/** The category's sections in their declared order; each has at least one field. */
export function sectionsOf(schema: CategorySchema): readonly string[] {
  return schema.sections;
}

/**
 * The Avro schema of one section: record `<Name>_<section>` with the section's top-level fields in order.
 * A named type is defined where it is met first and named from there on, also when the category defines it
 * in another section.
 *
 * @throws TypeError for a section that the category does not declare: ask `sectionsOf`
 */
export function sectionSchema(schema: CategorySchema, section: string): AvroSchema {
  if (!schema.sections.includes(section)) throw new TypeError(`no such section: ${section}`);
  const definitions = new Map<string, Definition>();
  for (const field of schema.fields) {
    collectDefinitions(field.json['type'], schema.namespace, definitions);
  }
  const defined = new Set<string>();
  const fields = schema.fields
    .filter((field) => field.section === section)
    .map((field) => ({
      ...field.json,
      type: selfContained(field.json['type'], schema.namespace, definitions, defined),
    }));
  const name = `${schema.name}_${section}`;
  const namespace = schema.namespace === '' ? {} : { namespace: schema.namespace };
  return { type: 'record', name, ...namespace, fields };
}

/**
 * Every rule that a category schema must keep and that Avro does not know: each field, at every depth, names its
 * section and its fate under a purge; a nested field is of its parent's section; the declared sections are the
 * used ones; names are spelled UpperCamel (types) and camelCase (fields).
 */
export function checkAnnotations(json: unknown): readonly SchemaProblem[] {
  if (!isObject(json) || json['type'] !== 'record') {
    return [{ path: '$', problem: 'a category schema is an Avro record' }];
  }
  const problems: SchemaProblem[] = [];
  const name = textOf(json['name']);
  const declared = listOf(json['sections']);
  const report = (path: string, problem: string): void => {
    problems.push({ path, problem });
  };
  if (!isSegment(json['category'])) report(name, 'category is not a lower-case word');
  if (!listOf(json['kinds']).every(isSegment)) report(name, 'a kind is not a lower-case word');
  if (declared.length === 0) report(name, 'declares no sections');
  declared.forEach((section, at) => {
    if (!SECTION_NAME.test(textOf(section))) report(name, `section ${at} is not a lower-case word`);
    if (declared.indexOf(section) !== at) report(name, `declares section ${textOf(section)} twice`);
  });

  const used = new Set<unknown>();
  const namespace = textOf(json['namespace']);
  const definitions = new Map<string, Definition>();
  collectDefinitions(json, '', definitions);
  checkRecord({ declared, report, used, namespace, definitions }, json, name);
  for (const section of declared) {
    if (!used.has(section)) report(name, `declares section ${textOf(section)} without a field`);
  }
  checkSubjects({ namespace, definitions }, json, (problem) => report(name, problem));
  return problems;
}

/** A misspelled field would name no subject, and nobody would find its events. */
function checkSubjects(
  known: Pick<Check, 'namespace' | 'definitions'>,
  json: JsonObject,
  report: (problem: string) => void,
): void {
  const { category, subjects } = json;
  if (subjects === undefined) return;
  if (!Array.isArray(subjects)) report('subjects is not a list');
  const problem = listOf(subjects)
    .map(subjectRuleProblem)
    .find((one) => one !== undefined);
  if (problem !== undefined) {
    report(problem);
    return;
  }
  for (const { each, of = [] } of subjectRules(textOf(category), subjects)) {
    const items = each === undefined ? json : itemsOf(known, fieldNamed(json, each));
    if (!items) report(`subjects: ${each} is not a list`);
    else {
      const stray = of.find((field) => !fieldNamed(items, field));
      if (stray !== undefined) report(`subjects: no field ${stray}`);
    }
  }
}

function fieldNamed(record: JsonObject, name: string): JsonObject | undefined {
  return listOf(record['fields'])
    .filter(isObject)
    .find((field) => field['name'] === name);
}

/** The type of a list's items, as an object; an empty one for a primitive. */
function itemsOf(
  { namespace, definitions }: Pick<Check, 'namespace' | 'definitions'>,
  field: JsonObject | undefined,
): JsonObject | undefined {
  const type = field?.['type'];
  if (!isObject(type) || type['type'] !== 'array') return undefined;
  const { items } = type;
  if (isObject(items)) return items;
  return definitions.get(fullName(textOf(items), namespace))?.type ?? {};
}

/** Every named type of any Avro schema whose name is not spelled UpperCamel, by its path. */
export function checkTypeNames(schema: unknown, path = '$'): readonly SchemaProblem[] {
  if (Array.isArray(schema)) return schema.flatMap((branch) => checkTypeNames(branch, path));
  if (!isObject(schema)) return [];
  const named = NAMED_TYPES.has(schema['type']);
  const here = named ? textOf(schema['name']) : path;
  const own =
    named && !UPPER_CAMEL.test(textOf(schema['name']))
      ? [{ path, problem: `type name ${textOf(schema['name'])} is not UpperCamel` }]
      : [];
  const inFields = listOf(schema['fields'])
    .filter(isObject)
    .flatMap((field) => checkTypeNames(field['type'], `${here}.${textOf(field['name'])}`));
  const inside = [schema['type'], schema['items'], schema['values']].flatMap((part) =>
    checkTypeNames(part, here),
  );
  return [...own, ...inFields, ...inside];
}

/** One word of a category's name. */
function isSegment(text: unknown): boolean {
  return typeof text === 'string' && !text.includes('.') && isCategoryName(text);
}

const SECTION_NAME = /^[a-z][a-z0-9]*$/;
const CAMEL = /^[a-z][A-Za-z0-9]*$/;
const UPPER_CAMEL = /^[A-Z][A-Za-z0-9]*$/;
const NAMED_TYPES: ReadonlySet<unknown> = new Set(['record', 'error', 'enum', 'fixed']);

const NO_BYTES = 'an event is JSON, which has no bytes: write them as text';

interface Check {
  readonly declared: readonly unknown[];
  readonly used: Set<unknown>;
  readonly report: (path: string, problem: string) => void;
  readonly namespace: string;
  readonly definitions: ReadonlyMap<string, Definition>;
}

/** @param parent the section that every field in here must have; undefined at the top level */
function checkRecord(check: Check, record: JsonObject, path: string, parent?: unknown): void {
  const typeName = textOf(record['name']);
  if (!UPPER_CAMEL.test(typeName)) check.report(path, `type name ${typeName} is not UpperCamel`);
  const fields = listOf(record['fields']);
  if (fields.length === 0) check.report(path, 'a record without fields');
  for (const field of fields) {
    if (!isObject(field)) check.report(path, 'a field that is not an object');
    else checkField(check, field, `${path}.${textOf(field['name'])}`, parent);
  }
}

function checkField(check: Check, field: JsonObject, path: string, parent: unknown): void {
  const { section, purge } = field;
  if (!CAMEL.test(textOf(field['name']))) check.report(path, 'field name is not camelCase');
  if (section === undefined) check.report(path, 'no section');
  else if (!check.declared.includes(section)) {
    check.report(path, `section ${textOf(section)} is not declared`);
  } else if (parent !== undefined && section !== parent) {
    check.report(path, `section ${textOf(section)} differs from its parent's ${textOf(parent)}`);
  }
  if (purge === undefined) check.report(path, 'no fate under a purge');
  else if (!PURGE_FATES.has(purge)) {
    check.report(path, `purge ${textOf(purge)} is none of purge, derive, keep`);
  } else if (purge === 'derive' && !isCountable(field['type'])) {
    check.report(path, 'purge derive is for enums and booleans: of others a count keeps the value');
  }
  check.used.add(section);
  checkType(check, field['type'], path, section);
}

function checkType(check: Check, type: unknown, path: string, section: unknown): void {
  if (Array.isArray(type)) {
    for (const branch of type) checkType(check, branch, path, section);
  } else if (isObject(type)) {
    checkLogical(check, type, path);
    if (type['type'] === 'record') checkRecord(check, type, path, section);
    else if (NAMED_TYPES.has(type['type'])) checkName(check, type, path);
    if (type['type'] === 'fixed') check.report(path, NO_BYTES);
    for (const part of ['type', 'items', 'values']) checkType(check, type[part], path, section);
  } else if (type === 'bytes') {
    check.report(path, NO_BYTES);
  } else {
    const fields = check.definitions.get(fullName(textOf(type), check.namespace))?.type['fields'];
    const strays = listOf(fields).filter(
      (field) => isObject(field) && field['section'] !== section,
    );
    if (strays.length > 0) check.report(path, `uses ${textOf(type)}, a type of another section`);
  }
}

/** Of a category only: a reader that met an unknown logical type would take what its writer refuses. */
function checkLogical(check: Check, type: JsonObject, path: string): void {
  const { logicalType } = type;
  if (logicalType === undefined) return;
  const rule = logicalRule(logicalType);
  if (!rule) check.report(path, `logical type ${textOf(logicalType)} is not known here`);
  else if (rule.base !== type['type']) {
    check.report(path, `logical type ${textOf(logicalType)} is of Avro's ${rule.base}`);
  }
}

/** Few values, so that how often each came says nothing about one event. */
function isCountable(type: unknown): boolean {
  if (Array.isArray(type)) return type.every((branch) => branch === 'null' || isCountable(branch));
  if (type === 'boolean') return true;
  if (!isObject(type)) return false;
  return type['type'] === 'enum' || (type['type'] === 'array' && isCountable(type['items']));
}

function checkName(check: Check, type: JsonObject, path: string): void {
  const name = textOf(type['name']);
  if (!UPPER_CAMEL.test(name)) check.report(path, `type name ${name} is not UpperCamel`);
}

interface Definition {
  readonly type: JsonObject;
  /** The namespace in force where the type is defined. */
  readonly namespace: string;
}

/** Avro's full name: dotted as it stands, else in the namespace around it. */
function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function namespaceOf(type: JsonObject, around: string): string {
  return typeof type['namespace'] === 'string' ? type['namespace'] : around;
}

function collectDefinitions(type: unknown, around: string, into: Map<string, Definition>): void {
  if (Array.isArray(type)) {
    for (const branch of type) collectDefinitions(branch, around, into);
    return;
  }
  if (!isObject(type)) return;
  const namespace = namespaceOf(type, around);
  if (NAMED_TYPES.has(type['type'])) {
    into.set(fullName(textOf(type['name']), namespace), { type, namespace });
  }
  for (const part of [type['type'], type['items'], type['values']]) {
    collectDefinitions(part, namespace, into);
  }
  for (const field of listOf(type['fields'])) {
    if (isObject(field)) collectDefinitions(field['type'], namespace, into);
  }
}

/** The same type, defining each named type once: at its first use within this section. */
function selfContained(
  type: unknown,
  around: string,
  definitions: ReadonlyMap<string, Definition>,
  defined: Set<string>,
): unknown {
  const inner = (part: unknown, namespace: string): unknown =>
    selfContained(part, namespace, definitions, defined);
  if (Array.isArray(type)) return type.map((branch) => inner(branch, around));
  if (typeof type === 'string') {
    const full = fullName(type, around);
    const definition = definitions.get(full);
    if (!definition || defined.has(full)) return type;
    return inner({ ...definition.type, namespace: definition.namespace }, around);
  }
  if (!isObject(type)) return type;
  const namespace = namespaceOf(type, around);
  if (NAMED_TYPES.has(type['type'])) {
    const full = fullName(textOf(type['name']), namespace);
    if (defined.has(full)) return full;
    defined.add(full);
    const { fields } = type;
    if (!Array.isArray(fields)) return type;
    return {
      ...type,
      fields: fields.map((field: unknown) =>
        isObject(field) ? { ...field, type: inner(field['type'], namespace) } : field,
      ),
    };
  }
  const copy: Record<string, unknown> = { ...type };
  for (const part of ['type', 'items', 'values']) {
    if (part in type) copy[part] = inner(type[part], namespace);
  }
  return copy;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
