import { type Json, type JsonObject, isList, isObject, listOf } from '../vector-set.js';
import { type ListedKey, listedKeys, named, plainName } from './dsse-keys.js';

/** One envelope with what a verifier of it would be told. */
export interface DsseCase {
  readonly id: string;
  readonly envelope: Json;
  readonly keys: readonly ListedKey[] | undefined;
  readonly threshold: Json;
  /** what the file says comes out: the name of the field and its value; undefined when it says nothing */
  readonly expectation: readonly [name: string, value: Json] | undefined;
}

const DEPTH_MAX = 16;
const ENVELOPE = ['envelope', 'dsse', 'dsseenvelope'];
const KEYS = [
  'trustedkeys',
  'trusted',
  'publickeys',
  'verificationkeys',
  'verifiers',
  'keys',
  'keyring',
  'publickey',
  'key',
];
const THRESHOLD = ['threshold', 't', 'quorum', 'minsignatures', 'requiredsignatures'];
export const SAYS_YES = [
  'valid',
  'isvalid',
  'shouldverify',
  'shouldpass',
  'verifies',
  'verified',
  'accept',
  'accepted',
  'ok',
  'pass',
  'expectvalid',
  'expected',
  'expect',
  'result',
  'outcome',
  'verdict',
];
export const SAYS_NO = [
  'wanterr',
  'wanterror',
  'shouldfail',
  'shouldreject',
  'mustreject',
  'reject',
  'invalid',
  'expecterror',
  'expectederror',
  'error',
];
const NAME = ['name', 'id', 'tcid', 'desc', 'description', 'comment', 'title'];

/** What stands further out in the file and holds for every case within. */
interface Around {
  readonly keys: readonly ListedKey[] | undefined;
  readonly threshold: Json;
  readonly expectation: DsseCase['expectation'];
  readonly path: string;
}

/** Every object of the file that is an envelope, or has one under a known name, with what is said about it. */
export function dsseCases(file: Json): readonly DsseCase[] {
  const outside: Around = { keys: undefined, threshold: 1, expectation: undefined, path: '' };
  return casesIn(file, outside, 0);
}

function casesIn(value: Json, around: Around, depth: number): readonly DsseCase[] {
  if (depth > DEPTH_MAX) return [];
  if (isList(value))
    return value.flatMap((one, at) => casesIn(one, inside(around, String(at)), depth + 1));
  if (!isObject(value)) return [];
  const here: Around = {
    keys: keysOf(value, around.keys) ?? around.keys,
    threshold: named(value, THRESHOLD) ?? around.threshold,
    expectation: expectationOf(value) ?? around.expectation,
    path: around.path,
  };
  const envelope = named(value, ENVELOPE) ?? (isEnvelope(value) ? value : undefined);
  if (envelope !== undefined) return [{ id: idOf(value, here.path), envelope, ...here }];
  return Object.entries(value).flatMap(([name, one]) => {
    // lists named `valid` and `invalid` say it of every case in them
    const expectation = isList(one) && isExpectation(name) ? ([name, true] as const) : undefined;
    const next = inside(here, name);
    return casesIn(one, expectation ? { ...next, expectation } : next, depth + 1);
  });
}

function inside(around: Around, step: string): Around {
  return { ...around, path: around.path === '' ? step : `${around.path}.${step}` };
}

/** A JWS has a payload and signatures too; the type is what tells them apart. */
export function isEnvelope(value: Json): boolean {
  return isObject(value) && typeof value['payloadType'] === 'string' && isList(value['signatures']);
}

/** A case may list the keys themselves, or ids of keys that are listed further out. */
function keysOf(
  value: JsonObject,
  known: readonly ListedKey[] | undefined,
): readonly ListedKey[] | undefined {
  const given = named(value, KEYS);
  if (given === undefined || given === null) return undefined;
  return listedKeys(given).map(
    (key) => known?.find((one) => one.id !== undefined && one.id === key.id) ?? key,
  );
}

function expectationOf(value: JsonObject): DsseCase['expectation'] {
  for (const [name, said] of Object.entries(value)) {
    if (isExpectation(name) && !isList(said)) return [name, said];
  }
  return undefined;
}

function isExpectation(name: string): boolean {
  return [...SAYS_YES, ...SAYS_NO].includes(plainName(name));
}

function idOf(value: JsonObject, path: string): string {
  const name = named(value, NAME);
  if (typeof name === 'string' || typeof name === 'number') return `"${String(name)}"`;
  return path === '' ? 'envelope' : path;
}

/** The key ids that the signatures hint at; undefined when one of them has no hint. */
export function hintedIds(envelope: Json): ReadonlySet<string> | undefined {
  const signatures = listOf(isObject(envelope) ? envelope['signatures'] : undefined);
  const ids = signatures.map((one) => (isObject(one) ? named(one, ['keyid']) : undefined));
  const texts = ids.filter((id) => typeof id === 'string' && id !== '');
  return texts.length === ids.length ? new Set(texts as string[]) : undefined;
}
