import { type Result, err, ok } from './result.js';
import type { Json } from './strict-json.js';

/** What tells whom or what an event is about. */
export const SUBJECT_KINDS = ['name', 'document', 'account', 'reference'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** Where an event names a subject: the texts of these fields, joined, are one. */
export interface SubjectRule {
  readonly kind: SubjectKind;
  /** a list: each of its items names one of its own; without `of` the item itself is the text */
  readonly each?: string;
  readonly of?: readonly string[];
}

const PERSON_NAME = ['familyName', 'givenNames'];
const IN_SCRIPT: SubjectRule = { kind: 'name', of: ['nameOriginalScript'] };
const REFERENCE: SubjectRule = { kind: 'reference', of: ['reference'] };

/**
 * Of the schemas that were released before a schema could say it itself, in `subjects` beside its sections: a released
 * file is never edited. A category that is in neither names no subject.
 */
const OF_RELEASED: Readonly<Record<string, readonly SubjectRule[]>> = {
  listing: [
    { kind: 'name', of: ['firstName', 'secondName', 'thirdName', 'fourthName'] },
    IN_SCRIPT,
    { kind: 'name', each: 'aliases', of: ['aliasName'] },
    { kind: 'document', each: 'documents', of: ['number'] },
    { kind: 'reference', of: ['referenceNumber'] },
    { kind: 'reference', of: ['dataId'] },
  ],
  'person-alert': [
    { kind: 'name', of: PERSON_NAME },
    IN_SCRIPT,
    { kind: 'name', each: 'aliases', of: PERSON_NAME },
    { kind: 'document', each: 'documents', of: ['number'] },
    REFERENCE,
  ],
  'travel-document-alert': [
    { kind: 'document', of: ['number'] },
    { kind: 'document', of: ['lastNumber'] },
    { kind: 'name', of: PERSON_NAME },
    REFERENCE,
  ],
  'financial-indicator': [
    { kind: 'account', each: 'accounts', of: ['iban'] },
    { kind: 'account', each: 'accounts', of: ['accountHash'] },
    { kind: 'account', each: 'accounts', of: ['walletAddress'] },
    { kind: 'name', each: 'accounts', of: ['holder'] },
    { kind: 'account', each: 'counterparties', of: ['iban'] },
    { kind: 'account', each: 'counterparties', of: ['accountHash'] },
    { kind: 'name', each: 'counterparties', of: ['name'] },
    REFERENCE,
  ],
  'threat-indicator': [
    { kind: 'name', each: 'threatActors' },
    { kind: 'reference', of: ['stixId'] },
  ],
};

/** @param declared `subjects` of the schema, already checked; undefined when it has none */
export function subjectRules(category: string, declared: unknown): readonly SubjectRule[] {
  return (declared as readonly SubjectRule[] | undefined) ?? OF_RELEASED[category] ?? [];
}

/** What is wrong with one entry of a schema's `subjects`, apart from names of fields that do not exist. */
export function subjectRuleProblem(rule: unknown): string | undefined {
  if (typeof rule !== 'object' || rule === null) return 'a subject is not an object';
  const { kind, each, of, ...rest } = rule as Readonly<Record<string, unknown>>;
  const [stray] = Object.keys(rest);
  if (stray !== undefined) return `a subject has kind, each and of, not ${stray}`;
  if (!SUBJECT_KINDS.some((one) => one === kind)) {
    return `a subject's kind is none of ${SUBJECT_KINDS.join(', ')}`;
  }
  if (each === undefined && of === undefined) return 'a subject names no field';
  if (each !== undefined && typeof each !== 'string') return 'each is not the name of a field';
  const names = of === undefined || (Array.isArray(of) && of.length > 0 && of.every(isText));
  return names ? undefined : 'of is not a list of names of fields';
}

/**
 * The subjects of an event, each once, in the one spelling that `parseSubject` gives a question too.
 *
 * @param event as the category's schema has taken it
 */
export function subjectsIn(rules: readonly SubjectRule[], event: Json): readonly string[] {
  const found = new Set<string>();
  for (const { kind, each, of } of rules) {
    const items = each === undefined ? [event] : listOf(fieldOf(event, each));
    for (const item of items) {
      const texts = of === undefined ? [item] : of.flatMap((name) => fieldOf(item, name));
      const spelled = spell(kind, texts.flat().filter(isText).join(' '));
      if (spelled !== undefined) found.add(spelled);
    }
  }
  return [...found];
}

/** A subject as people write it, `document:X 123-45` or `name:Doe, John`, in the spelling of the index. */
export function parseSubject(text: string): Result<string, 'SUBJECT_MALFORMED'> {
  const [name] = text.split(':', 1);
  const kind = SUBJECT_KINDS.find((one) => one === name);
  const spelled = kind && spell(kind, text.slice(kind.length + 1));
  return spelled === undefined ? err('SUBJECT_MALFORMED') : ok(spelled);
}

/**
 * Words of a name count in any order and any case; of a number letters and digits count, whatever stands between them.
 * What is spelled in another way, or in another script, is another subject.
 *
 * @returns undefined when nothing is left
 */
function spell(kind: SubjectKind, text: string): string | undefined {
  const words = PRINTABLE_ASCII.test(text)
    ? text.toLowerCase().match(ASCII_WORDS)
    : text.normalize('NFKC').toLowerCase().match(WORDS);
  if (!words) return undefined;
  return `${kind}:${kind === 'name' ? words.sort().join(' ') : words.join('')}`;
}

/** Most numbers and many names: the same words at a fraction of the cost. */
const PRINTABLE_ASCII = /^[ -~]*$/;
const ASCII_WORDS = /[a-z0-9]+/g;
/** Marks belong to their letters. */
const WORDS = /[\p{L}\p{M}\p{N}]+/gu;

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function fieldOf(value: Json, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const fields = value as { readonly [key: string]: Json };
  return Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
}
