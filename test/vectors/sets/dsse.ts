import { bytesKey, utf8 } from '@concordat/common/domain/bytes.js';
import { parseEnvelope, verifyThreshold } from '@concordat/common/domain/dsse-envelope.js';
import { type Json, type VectorSet, VectorUnreadable, compare, isObject } from '../vector-set.js';
import { type DsseCase, SAYS_NO, dsseCases, hintedIds, isEnvelope } from './dsse-cases.js';
import { plainName } from './dsse-keys.js';
import { ownKey } from './ed25519-verdict.js';

/**
 * DSSE envelopes with the keys to verify them by, and how many distinct ones must have signed. The shapes that are
 * read are in docs/vectors.md. A case that only keys of another kind than Ed25519 could satisfy is outside of our
 * profile and must be refused, whatever it expects.
 */
export const dsse: VectorSet = {
  name: 'DSSE threshold',
  read(file) {
    const cases = dsseCases(file).filter(({ keys }) => keys !== undefined);
    if (!cases.some(({ envelope }) => isEnvelope(parsed(envelope)))) return undefined;
    return cases.map((one) => ({ id: one.id, run: () => problemOf(one) }));
  },
};

function problemOf(one: DsseCase): string | undefined {
  const came = isVerified(one);
  if (!isWithinProfile(one)) return compare(false, came, 'outside of our profile');
  return compare(isExpected(one.expectation), came);
}

function isVerified({ envelope, keys = [], threshold }: DsseCase): boolean {
  const text = typeof envelope === 'string' ? envelope : JSON.stringify(envelope);
  const whole = parseEnvelope(utf8(text));
  if (!whole.ok) return false;
  const own = keys.map(({ raw }) => raw && ownKey(raw)).filter((key) => key !== undefined);
  try {
    return verifyThreshold(whole.value, own, thresholdOf(threshold)).ok;
  } catch (cause) {
    // no whole number from 1: nothing satisfies it
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

function thresholdOf(threshold: Json): number {
  if (typeof threshold === 'number') return threshold;
  throw new VectorUnreadable('expected the threshold to be a number');
}

/** Could the distinct Ed25519 keys that the signatures hint at be enough? Without keys of other kinds there is no doubt. */
function isWithinProfile({ envelope, keys = [], threshold }: DsseCase): boolean {
  if (keys.every(({ raw }) => raw !== undefined)) return true;
  const hints = hintedIds(parsed(envelope));
  const able = keys.filter(({ id }) => !hints || id === undefined || hints.has(id));
  const distinct = new Set(able.flatMap(({ raw }) => (raw ? [bytesKey(raw)] : [])));
  return distinct.size >= thresholdOf(threshold);
}

/** An envelope that nothing is said about is an example, and examples are valid. */
function isExpected(expectation: DsseCase['expectation']): boolean {
  if (!expectation) return true;
  const [name, value] = expectation;
  return SAYS_NO.includes(plainName(name)) ? !isNamedError(value) : isYes(value);
}

function isNamedError(value: Json): boolean {
  if (typeof value === 'boolean') return value;
  return value !== null && value !== '';
}

function isYes(value: Json): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (/^(?:valid|accept|accepted|ok|pass|success|verified|verifies|true)$/i.test(value))
      return true;
    if (
      /^(?:invalid|reject|rejected|refuse|refused|fail|failure|error|unverified|false)$/i.test(
        value,
      )
    ) {
      return false;
    }
  }
  if (isObject(value)) {
    const [inner] = Object.entries(value).filter(([, said]) => typeof said === 'boolean');
    if (inner) return isExpected(inner);
  }
  throw new VectorUnreadable('expected a result that means accepted or refused');
}

function parsed(envelope: Json): Json {
  if (typeof envelope !== 'string') return envelope;
  try {
    return JSON.parse(envelope) as Json;
  } catch {
    return null;
  }
}
