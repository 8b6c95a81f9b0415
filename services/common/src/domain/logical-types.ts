import { stixPatternProblem } from './stix-pattern.js';

/** What a field's Avro value may be beyond its Avro type, and how it is spelled in an event's JSON. */
export interface LogicalRule {
  /** The Avro type that carries it. */
  readonly base: 'int' | 'long' | 'string';
  /** For messages: `expected …`. */
  readonly expected: string;
  /** @returns the Avro value of a JSON value; undefined for what is not allowed */
  readonly encode: (json: unknown) => number | string | undefined;
  /** @returns the JSON value of an Avro value; undefined for what is not allowed */
  readonly decode: (value: unknown) => number | string | undefined;
  /** What is wrong with a refused value, more closely than `expected`; never content. */
  readonly problem?: (json: unknown) => string | undefined;
}

/** The logical type of a category's field, if it is one of ours: the list is closed. */
export function logicalRule(name: unknown): LogicalRule | undefined {
  return typeof name === 'string' ? RULES.get(name) : undefined;
}

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(1800, 0, 1) / DAY_MS;
const LAST_DAY = Date.UTC(2199, 11, 31) / DAY_MS;
/** Half-open. */
const TIME_END_MS = Date.UTC(2200, 0, 1);

function dateText(day: unknown): string | undefined {
  if (!isWhole(day) || day < FIRST_DAY || day > LAST_DAY) return undefined;
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

function dayOf(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const [year, month, date] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  // a day that no month has would become another one
  if (month < 1 || month > 12 || date < 1 || date > daysIn(year, month)) return undefined;
  const day = Date.UTC(year, month - 1, date) / DAY_MS;
  return day < FIRST_DAY || day > LAST_DAY ? undefined : day;
}

/** The number that these decimal digits spell. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + text.charCodeAt(at) - 0x30;
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function timeText(ms: unknown): string | undefined {
  if (!isWhole(ms) || ms < 0 || ms >= TIME_END_MS) return undefined;
  return new Date(ms).toISOString();
}

const TIME = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?Z$/;

function msOf(text: unknown): number | undefined {
  if (typeof text !== 'string' || !TIME.test(text)) return undefined;
  const day = dayOf(text.slice(0, 10));
  if (day === undefined) return undefined;
  const minutes = digits(text, 11, 13) * 60 + digits(text, 14, 16);
  const seconds = minutes * 60 + digits(text, 17, 19);
  // up to three digits of a fraction, from the greatest on
  const fraction = text.length > 21 ? text.slice(20, -1).padEnd(3, '0') : '000';
  const ms = day * DAY_MS + seconds * 1_000 + digits(fraction, 0, 3);
  return ms < 0 ? undefined : ms;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function whole(
  base: 'int' | 'long',
  min: number,
  max: number,
  what = 'a whole number',
): LogicalRule {
  const same = (value: unknown): number | undefined =>
    isWhole(value) && value >= min && value <= max ? value : undefined;
  const expected = `${what} from ${String(min)} to ${String(max)}`;
  return { base, expected, encode: same, decode: same };
}

/** A string that stays as it is. */
function string(expected: string, isAllowed: (text: string) => boolean): LogicalRule {
  const same = (value: unknown): string | undefined =>
    typeof value === 'string' && isAllowed(value) ? value : undefined;
  return { base: 'string', expected, encode: same, decode: same };
}

const SHORT_MAX = 256;
const LONG_MAX = 65_536;
/** Control characters, and the bidirectional ones that make a text look like another. */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;
/** The same without tab and line feed: a long text has lines. */
const CONTROLS_BUT_LINES = /[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/u;

function isLongText(text: string): boolean {
  return text.length > 0 && text.length <= LONG_MAX && !CONTROLS_BUT_LINES.test(text);
}

function partialDate(text: string): boolean {
  if (/^\d{4}$/.test(text)) return dayOf(`${text}-01-01`) !== undefined;
  if (/^\d{4}-\d\d$/.test(text)) return dayOf(`${text}-01`) !== undefined;
  return dayOf(text) !== undefined;
}

/** ISO 13616-1: rotated by four, letters as 10 to 35, the number is 1 modulo 97 (ISO 7064). */
function isIban(text: string): boolean {
  if (!/^[A-Z]{2}\d\d[A-Z0-9]{11,30}$/.test(text)) return false;
  return ibanRemainder(text.slice(4) + text.slice(0, 4)) === 1;
}

/** Modulo 97, digit by digit, of a text whose letters stand for 10 to 35. */
export function ibanRemainder(text: string): number {
  let rest = 0;
  for (const char of text) {
    const value = Number.parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

/** Avro lets a reader that does not know a logical type read the plain type below it. */
const RULES: ReadonlyMap<string, LogicalRule> = new Map<string, LogicalRule>([
  [
    'date',
    {
      base: 'int',
      expected: 'a day like 1970-01-31, of the years 1800 to 2199',
      encode: dayOf,
      decode: dateText,
    },
  ],
  [
    'timestamp-millis',
    {
      base: 'long',
      expected: 'a time like 2026-01-31T12:00:00.000Z, of the years 1970 to 2199',
      encode: msOf,
      decode: timeText,
    },
  ],
  ['percent', whole('int', 0, 100)],
  ['centimetres', whole('int', 20, 300)],
  ['index', whole('int', 0, 9_999)],
  ['minor-units', whole('long', 0, 1e15)],
  [
    'short-text',
    string(
      `a text of 1 to ${String(SHORT_MAX)} characters without control characters`,
      (text) => text.length > 0 && text.length <= SHORT_MAX && !CONTROLS.test(text),
    ),
  ],
  [
    'long-text',
    string(
      `a text of 1 to ${String(LONG_MAX)} characters; of control characters only tab and line feed`,
      isLongText,
    ),
  ],
  [
    'partial-date',
    string('a day, month or year like 1970-01-31, 1970-01 or 1970, from 1800 to 2199', partialDate),
  ],
  [
    'icao-state',
    string('a code of ICAO 9303-3: three capitals, or D', (text) => /^(?:[A-Z]{3}|D)$/.test(text)),
  ],
  [
    'icao-document-code',
    string('a code of ICAO 9303: P, I, A, C or V, and at most one more capital', (text) =>
      /^[PIACV][A-Z]?$/.test(text),
    ),
  ],
  [
    'document-number',
    string('1 to 32 capitals, digits, blanks, and - / . within', (text) =>
      /^[A-Z0-9](?:[A-Z0-9 /.-]{0,30}[A-Z0-9])?$/.test(text),
    ),
  ],
  ['currency', string('a code of ISO 4217: three capitals', (text) => /^[A-Z]{3}$/.test(text))],
  ['iban', string('an IBAN without blanks, with right check digits', isIban)],
  [
    'bic',
    string('a BIC of 8 or 11 capitals and digits', (text) =>
      /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/.test(text),
    ),
  ],
  ['sha256', string('64 digits of lower-case hex', (text) => /^[0-9a-f]{64}$/.test(text))],
  [
    'web-address',
    string('an address of at most 2048 characters that begins with https:// or http://', (text) =>
      /^https?:\/\/[!-~]{1,2040}$/.test(text),
    ),
  ],
  [
    'stix-indicator-id',
    string('indicator--, then a UUID in lower-case letters', (text) =>
      new RegExp(`^indicator--${UUID}$`).test(text),
    ),
  ],
  [
    'stix-pattern',
    {
      ...string('a STIX 2.1 pattern', (text) => stixPatternProblem(text) === undefined),
      problem: (json) => (typeof json === 'string' ? stixPatternProblem(json) : undefined),
    },
  ],
]);

export const LOGICAL_TYPE_NAMES: readonly string[] = [...RULES.keys()];
