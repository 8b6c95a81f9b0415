import type { KeyObject } from 'node:crypto';
import { bytesKey } from './bytes.js';
import { DSSE_BYTES_MAX } from './dsse-json.js';
import { ConcordatError } from './errors.js';
import { keyIdOf, rawPublicKey } from './keys.js';
import { type Result, err, ok } from './result.js';
import { isSignedBy } from './signature.js';
import { pae } from './statement.js';
import { type Json, parseStrictJson } from './strict-json.js';

/**
 * DSSE v1 envelopes of anybody, with any number of signatures, as envelope.md of the standard describes them. Statements
 * of ours have one signature and one spelling, and are read by `parseDsseJson`, which is narrower.
 */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

const SIGNATURES_MAX = 64;

/**
 * Unknown fields are passed over. A key id is too: it is an unsigned hint, and no answer of ours depends on it.
 *
 * @param bytes JSON with `payload` and `signatures[].sig` in standard or URL-safe base64
 * @returns RECORD_MALFORMED
 */
export function parseEnvelope(bytes: Uint8Array): Result<Envelope, ConcordatError> {
  const json = parseStrictJson(bytes, DSSE_BYTES_MAX);
  if (!json.ok) return refuse('RECORD_MALFORMED', `envelope: ${json.error.message}`);
  const { payloadType, payload, signatures } = fieldsOf(json.value);
  const body = fromBase64(payload);
  if (typeof payloadType !== 'string' || !body || !Array.isArray(signatures)) {
    return refuse('RECORD_MALFORMED', 'envelope: expected payloadType, payload and signatures');
  }
  if (signatures.length > SIGNATURES_MAX) {
    const came = String(signatures.length);
    return refuse(
      'RECORD_MALFORMED',
      `envelope: at most ${SIGNATURES_MAX} signatures, came ${came}`,
    );
  }
  const decoded = signatures.map((one: Json) => fromBase64(fieldsOf(one)['sig']));
  const whole = decoded.filter((one) => one !== undefined);
  if (whole.length < decoded.length) {
    return refuse('RECORD_MALFORMED', 'envelope: expected base64 in every signature');
  }
  return ok({ payloadType, payload: body, signatures: whole });
}

/**
 * Did at least `threshold` of these keys sign? Each key counts once, however often it signed and under however many
 * key ids it is listed (protocol.md, "Multi-signature Verification"). Signatures of nobody known are passed over.
 *
 * @param keys as `registerPublicKey` answers them
 * @returns the ids of the keys that signed; SIGNATURE_INVALID when they are too few
 * @throws RangeError for a threshold that is no whole number from 1
 */
export function verifyThreshold(
  envelope: Envelope,
  keys: readonly KeyObject[],
  threshold: number,
): Result<readonly string[], ConcordatError> {
  if (!Number.isSafeInteger(threshold) || threshold < 1) {
    throw new RangeError(`expected a threshold from 1, came ${String(threshold)}`);
  }
  const message = pae(envelope.payloadType, envelope.payload);
  const distinct = new Map(keys.map((key) => [bytesKey(rawPublicKey(key)), key]));
  const signers = [...distinct.values()]
    .filter((key) => envelope.signatures.some((one) => isSignedBy(key, message, one)))
    .map((key) => keyIdOf(rawPublicKey(key)));
  if (signers.length >= threshold) return ok(signers);
  const [came, wanted] = [String(signers.length), String(threshold)];
  return refuse('SIGNATURE_INVALID', `envelope: expected ${wanted} distinct signers, came ${came}`);
}

function fieldsOf(value: Json): { readonly [key: string]: Json } {
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
  return isObject ? (value as { readonly [key: string]: Json }) : {};
}

/** @returns undefined for what is not text, and for text that is not the one way to write its bytes in its alphabet */
function fromBase64(text: Json | undefined): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64');
  const spellings = [
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
  ];
  return spellings.includes(text) ? Uint8Array.from(bytes) : undefined;
}

function refuse(code: ConcordatError['code'], message: string): Result<never, ConcordatError> {
  return err(new ConcordatError(code, message));
}
