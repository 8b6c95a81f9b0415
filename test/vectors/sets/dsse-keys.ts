import { type JsonWebKey, createPublicKey } from 'node:crypto';
import { rawPublicKey } from '@concordat/common/domain/keys.js';
import { type Json, type JsonObject, isList, isObject } from '../vector-set.js';

/** A trusted key as a vector lists it. */
export interface ListedKey {
  readonly id: string | undefined;
  /** 32 bytes of an Ed25519 key; undefined for every other kind, which our profile does not have */
  readonly raw: Uint8Array | undefined;
}

/** The names under which files keep the key itself, and its id. Compared by `plainName`. */
const MATERIAL = [
  'public',
  'publickey',
  'key',
  'raw',
  'hex',
  'base64',
  'pem',
  'der',
  'spki',
  'value',
  'x',
  'keyval',
  'jwk',
];
const ID = ['keyid', 'kid', 'id', 'name'];

/** `public_key`, `publicKey` and `public-key` are one name. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** The first of `names` that `object` has, whatever its spelling. */
export function named(object: JsonObject, names: readonly string[]): Json | undefined {
  const fields = new Map(Object.entries(object).map(([name, value]) => [plainName(name), value]));
  const found = names.find((name) => fields.has(name));
  return found === undefined ? undefined : fields.get(found);
}

/** One key, a list of keys, or an object from key id to key. */
export function listedKeys(value: Json): readonly ListedKey[] {
  if (isList(value)) return value.map((one) => listedKey(one));
  if (!isObject(value) || isKey(value)) return [listedKey(value)];
  return Object.entries(value).map(([id, one]) => ({ id, raw: listedKey(one).raw }));
}

function isKey(value: JsonObject): boolean {
  return typeof value['kty'] === 'string' || named(value, MATERIAL) !== undefined;
}

function listedKey(value: Json): ListedKey {
  if (typeof value === 'string') return { id: value, raw: rawOf(value) };
  if (!isObject(value)) return { id: undefined, raw: undefined };
  const id = named(value, ID);
  return { id: typeof id === 'string' ? id : undefined, raw: rawOf(value) };
}

/** Raw in hex or base64, SubjectPublicKeyInfo in PEM or DER, a JWK, or any of them further inside. */
function rawOf(value: Json | undefined): Uint8Array | undefined {
  if (isObject(value)) {
    if (value['kty'] !== undefined)
      return fromKeyObject({ key: value as JsonWebKey, format: 'jwk' });
    return isOtherKind(value) ? undefined : rawOf(named(value, MATERIAL));
  }
  if (typeof value !== 'string') return undefined;
  if (value.includes('-----BEGIN')) return fromKeyObject({ key: value, format: 'pem' });
  const isHex = /^(?:[0-9a-f]{2})+$/i.test(value);
  const bytes = Buffer.from(value, isHex ? 'hex' : 'base64');
  if (bytes.length === 32) return Uint8Array.from(bytes);
  return fromKeyObject({ key: bytes, format: 'der', type: 'spki' });
}

/** 32 bytes under the name of another algorithm are not an Ed25519 key. */
function isOtherKind(key: JsonObject): boolean {
  const kind = named(key, ['keytype', 'type', 'algorithm', 'alg', 'crv', 'curve']);
  return (
    typeof kind === 'string' && !/^(?:ed-?25519|eddsa|okp|edwards25519|publickey)$/i.test(kind)
  );
}

function fromKeyObject(input: Parameters<typeof createPublicKey>[0]): Uint8Array | undefined {
  try {
    return rawPublicKey(createPublicKey(input));
  } catch {
    // not a public key at all, or one of another kind: neither is ours
    return undefined;
  }
}
