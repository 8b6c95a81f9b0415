import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Agreement, Consent, Policy, Rule } from '../domain/agreement.js';
import { isCategoryPattern } from '../domain/category.js';
import { ConcordatError } from '../domain/errors.js';
import { isName } from '../domain/header.js';
import { type MemberId, type UnixMs, parseMemberId } from '../domain/ids.js';
import { type Json, parseStrictJson } from '../domain/strict-json.js';

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const DAY_MS = 86_400_000;
/** The last moment that a Date can hold. */
const TIME_MS_MAX = 8.64e15;
const RETENTION_DAYS_MAX = 36_525;
const LIST_MAX = 1_024;

const LISTS = ['agreements', 'consents'] as const;

function text(expected: string, fits: (text: string) => boolean) {
  return z.string({ error: `expected ${expected}` }).refine(fits, `expected ${expected}`);
}

/** Each value once, at least one of them. */
function set<T extends z.ZodType<string>>(item: T) {
  return z
    .array(item)
    .min(1, 'expected at least one')
    .max(LIST_MAX, `expected at most ${LIST_MAX}`)
    .refine((items) => new Set(items).size === items.length, 'expected each value once');
}

const id = text('1 to 64 letters, digits, dots, hyphens or underscores', (value) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value),
);
const member = text('a member id of 2 to 8 lower-case letters', (value) => parseMemberId(value).ok)
  // the line above is the parser
  .transform((value) => value as MemberId);
const category = text('a category name, in which * stands for a segment', isCategoryPattern);
const name = text('a name of lower-case letters, digits, hyphens and underscores', isName);
const sections = set(
  text('names of sections, or * alone', (value) => value === '*' || isName(value)),
).refine((names) => names.length === 1 || !names.includes('*'), 'expected * alone');

const TIME = 'expected a time such as 2015-02-26T00:00:00Z, or milliseconds since 1970';
const time = z
  .union(
    [
      z.iso.datetime({ offset: true }).transform((value) => Date.parse(value)),
      z.int().min(0).max(TIME_MS_MAX),
    ],
    TIME,
  )
  .transform((value) => value as UnixMs);

const RETENTION = `expected {"days": 1 to ${RETENTION_DAYS_MAX}}, or milliseconds`;
const retention = z.union(
  [
    z
      .strictObject({ days: z.int().min(1).max(RETENTION_DAYS_MAX) })
      .transform(({ days }) => days * DAY_MS),
    z
      .int()
      .min(1)
      .max(RETENTION_DAYS_MAX * DAY_MS),
  ],
  RETENTION,
);

const scope = {
  id,
  recipients: set(member),
  categories: set(category),
  sections,
  from: time.optional(),
  until: time.optional(),
};
const rule = z.discriminatedUnion(
  'effect',
  [
    z.strictObject({
      ...scope,
      effect: z.literal('permit'),
      purposes: set(name),
      retention,
      custody: z.enum(['held', 'leased'], 'expected held or leased').default('held'),
      onward: z.boolean().default(false),
    }),
    z.strictObject({ ...scope, effect: z.literal('forbid') }),
  ],
  'expected permit or forbid',
);
const agreement = z.strictObject({
  id,
  version: z.int().min(1).max(2_147_483_647),
  parties: set(member).refine((parties) => parties.length > 1, 'expected two parties or more'),
  from: time,
  until: time,
  rules: z.array(rule).max(LIST_MAX),
});
const consent = z.strictObject({
  id,
  agreementId: id,
  origin: member,
  from: time,
  until: time,
  withdrawn: z.boolean().default(false),
});
const shape = z.strictObject({ agreements: z.array(agreement), consents: z.array(consent) });

/**
 * Agreements and consents as a data file: `{"agreements": [...], "consents": [...]}`.
 *
 * Times are ISO 8601 with an offset, or milliseconds; intervals are half-open, [from, until). A rule without them holds as
 * long as its agreement. A forbid has neither purposes nor retention: it holds for every purpose.
 *
 * @throws ConcordatError CONFIG_INVALID once, naming every place in the file that cannot be used
 */
export function readPolicyFile(file: string): Policy {
  return parsePolicy(readBytes(file), file);
}

/**
 * The same of bytes that came from elsewhere.
 *
 * @param file what the errors name
 * @throws ConcordatError CONFIG_INVALID
 */
export function parsePolicy(bytes: Uint8Array, file: string): Policy {
  const parsedJson = parseStrictJson(bytes, FILE_BYTES_MAX);
  if (!parsedJson.ok) throw invalid(file, parsedJson.error.message);
  const json = parsedJson.value;
  const parsed = shape.safeParse(json);
  const found = [...(parsed.error ? problemsOf(parsed.error.issues) : []), ...contradictions(json)];
  if (parsed.success && found.length === 0) return asPolicy(parsed.data);
  const lines = found.map(({ path, what }) => `  ${path || '$'}: ${what}`);
  throw invalid(file, `${String(lines.length)} places cannot be used:\n${lines.join('\n')}`);
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
    throw invalid(file, `expected a readable file, came ${why}`, cause);
  }
}

function invalid(file: string, what: string, cause?: unknown): ConcordatError {
  return new ConcordatError('CONFIG_INVALID', `${file}: ${what}`, { cause });
}

interface Problem {
  readonly path: string;
  readonly what: string;
}

function problemsOf(issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = pathOf(issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: pathOf([...issue.path, key]),
        what: 'unknown field',
      }));
    }
    return [{ path, what: issue.message.replace(/^Invalid input: /, '') }];
  });
}

/** `agreements[0].rules[1].until` */
function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${String(part)}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/**
 * What stands well by itself and contradicts something else in the file. Looks at the file as it is, so that it is found
 * together with whatever else is wrong.
 */
function contradictions(json: Json): Problem[] {
  const [agreements, consents] = LISTS.map((list) => entriesOf(json, list, ''));
  const all = [...(agreements ?? []), ...(consents ?? [])];
  const ruleLists = (agreements ?? []).map(({ path, fields }) => ({
    path,
    fields,
    rules: entriesOf(fields, 'rules', path),
  }));
  return [
    ...repeated(agreements ?? []),
    ...repeated(consents ?? []),
    ...ruleLists.flatMap(({ rules }) => repeated(rules)),
    ...all.flatMap((entry) => inverted(entry, entry.fields)),
    ...ruleLists.flatMap(({ fields, rules }) => rules.flatMap((one) => inverted(one, fields))),
    ...ruleLists.flatMap(({ fields, rules }) => rules.flatMap((one) => strangers(one, fields))),
    ...(consents ?? []).flatMap((one) => baseless(one, agreements ?? [])),
  ];
}

interface Entry {
  readonly path: string;
  readonly fields: Readonly<Record<string, Json>>;
}

function fieldsOf(json: Json | undefined): Readonly<Record<string, Json>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as Readonly<Record<string, Json>>)
    : {};
}

function entriesOf(json: Json, list: string, path: string): Entry[] {
  const items = fieldsOf(json)[list];
  if (!Array.isArray(items)) return [];
  const at = path === '' ? list : `${path}.${list}`;
  return (items as readonly Json[]).map((item, i) => ({
    path: `${at}[${String(i)}]`,
    fields: fieldsOf(item),
  }));
}

function repeated(entries: readonly Entry[]): Problem[] {
  const seen = new Set<Json>();
  return entries.flatMap(({ path, fields }) => {
    const own = fields['id'];
    if (typeof own !== 'string') return [];
    if (seen.has(own)) return [{ path: `${path}.id`, what: 'expected each id once' }];
    seen.add(own);
    return [];
  });
}

function inverted({ path, fields }: Entry, around: Entry['fields']): Problem[] {
  const from = time.safeParse(fields['from'] ?? around['from']);
  const until = time.safeParse(fields['until'] ?? around['until']);
  if (!from.success || !until.success || from.data < until.data) return [];
  return [{ path: `${path}.until`, what: 'expected a time after `from`' }];
}

function strangers({ path, fields }: Entry, { parties }: Entry['fields']): Problem[] {
  const recipients = fields['recipients'];
  if (!Array.isArray(recipients) || !Array.isArray(parties)) return [];
  return (recipients as readonly Json[]).flatMap((one, i) =>
    parties.includes(one)
      ? []
      : [{ path: `${path}.recipients[${String(i)}]`, what: 'expected a party of the agreement' }],
  );
}

function baseless({ path, fields }: Entry, agreements: readonly Entry[]): Problem[] {
  if (typeof fields['agreementId'] !== 'string') return [];
  const agreed = agreements.find((one) => one.fields['id'] === fields['agreementId']);
  if (!agreed) return [{ path: `${path}.agreementId`, what: 'expected an agreement of this file' }];
  const { parties } = agreed.fields;
  if (!Array.isArray(parties) || parties.includes(fields['origin'])) return [];
  return [{ path: `${path}.origin`, what: 'expected a party of the agreement' }];
}

function asPolicy(file: z.output<typeof shape>): Policy {
  const agreements = file.agreements.map(({ from, until, rules, ...rest }): Agreement => {
    const asRule = (one: (typeof rules)[number]): Rule => {
      const { from: ruleFrom = from, until: ruleUntil = until, ...own } = one;
      const span = { fromMs: ruleFrom, untilMs: ruleUntil };
      if (own.effect === 'permit') {
        const { retention: retentionMs, ...permit } = own;
        return { ...permit, retentionMs, ...span };
      }
      return { ...own, purposes: [], retentionMs: 0, custody: 'held', onward: false, ...span };
    };
    return { ...rest, fromMs: from, untilMs: until, rules: rules.map(asRule) };
  });
  const consents = file.consents.map(({ from, until, ...rest }): Consent => ({
    ...rest,
    fromMs: from,
    untilMs: until,
  }));
  return { agreements, consents };
}
