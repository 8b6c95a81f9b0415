import { ConcordatError } from './errors.js';
import { type FederationName, parseFederationName } from './identity.js';
import { type MemberId, parseMemberId } from './ids.js';
import { keyIdOf, registerPublicKey } from './keys.js';
import { type Verify, ed25519Verify } from './signature.js';
import { type Result, err, ok } from './result.js';
import { type KeyDirectory, type KnownKey, ROLES, type Role } from './statement.js';

const MEMBERS_MAX = 256;
const KEYS_MAX = 64;

export interface MemberKey {
  readonly role: Role;
  readonly keyId: string;
  /** base64url of the 32 raw bytes, without padding */
  readonly publicKey: string;
  readonly verify: Verify;
  /** a pseudonymous id of who signs with it: one person may have several keys */
  readonly person?: string;
}

/** What a verifier needs: `trust.json`. */
export interface Trust {
  readonly federation: FederationName;
  readonly members: readonly { readonly id: MemberId; readonly keys: readonly MemberKey[] }[];
}

/** `host:port` of each service that a member runs. A recipient that never publishes runs its node only. */
export interface Endpoints {
  readonly node: string;
  readonly consent?: string;
  readonly revocation?: string;
}

export interface Member {
  readonly id: MemberId;
  readonly services: Endpoints;
  readonly keys: readonly MemberKey[];
}

/** What a member's services need to find and believe the others: `federation.json`. */
export interface Federation extends Trust {
  /** PEM of the one CA that certificates of the federation come from */
  readonly ca: string;
  readonly members: readonly Member[];
}

/** Where in the file, as `members[2].keys[0].role`, and what is wrong there. */
class Misfit extends Error {
  constructor(path: string, expected: string, came: unknown) {
    super(`${path || 'the file'}: expected ${expected}, came ${describe(came)}`);
  }
}

/** The kind of a value, and of a text its beginning: both files hold public facts only. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  return value === null ? 'null' : `a value of type ${typeof value}`;
}

type Fields = Readonly<Record<string, unknown>>;

/** An object with these fields and no others; a name with `?` may be absent. */
function fields(value: unknown, path: string, names: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Misfit(path, 'an object', value);
  }
  const known = names.map((name) => name.replace('?', ''));
  for (const name of Object.keys(value)) {
    const at = path ? `${path}.${name}` : name;
    if (!known.includes(name)) throw new Misfit(at, `one of ${known.join(', ')}`, name);
  }
  const found: Fields = { ...value };
  const missing = names.find((name) => !name.endsWith('?') && found[name] === undefined);
  if (missing !== undefined) throw new Misfit(path, `a field ${missing}`, undefined);
  return found;
}

function list(value: unknown, path: string, max: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= max) return value;
  throw new Misfit(path, `a list of at most ${max}`, value);
}

function text(value: unknown, path: string, expected: string, fits: RegExp): string {
  if (typeof value === 'string' && fits.test(value)) return value;
  throw new Misfit(path, expected, value);
}

function unique(values: readonly string[], path: string, what: string): void {
  const twice = values.find((value, at) => values.indexOf(value) !== at);
  if (twice !== undefined) throw new Misfit(path, `each ${what} once`, twice);
}

function address(value: unknown, path: string): string {
  const found = text(value, path, 'host:port', /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]+\]):\d{1,5}$/i);
  const port = Number(found.slice(found.lastIndexOf(':') + 1));
  if (port < 1 || port > 65_535) throw new Misfit(path, 'a port of 1 to 65535', value);
  return found;
}

function endpoints(value: unknown, path: string): Endpoints {
  const found = fields(value, path, ['node', 'consent?', 'revocation?']);
  const optional = (['consent', 'revocation'] as const).filter((name) => found[name] !== undefined);
  return {
    node: address(found['node'], `${path}.node`),
    ...Object.fromEntries(optional.map((name) => [name, address(found[name], `${path}.${name}`)])),
  };
}

const PERSON = /^[a-z0-9][a-z0-9-]{0,63}$/;

function memberKey(value: unknown, path: string): MemberKey {
  const found = fields(value, path, ['role', 'keyId', 'publicKey', 'person?']);
  const role = ROLES.find((one) => one === found['role']);
  if (role === undefined) throw new Misfit(`${path}.role`, ROLES.join(' or '), found['role']);
  const at = `${path}.publicKey`;
  const publicKey = text(found['publicKey'], at, '43 characters of base64url', /^[\w-]{43}$/);
  const raw = new Uint8Array(Buffer.from(publicKey, 'base64url'));
  if (Buffer.from(raw).toString('base64url') !== publicKey) {
    throw new Misfit(at, 'the one base64url spelling of its bytes', publicKey);
  }
  const key = registerPublicKey(raw);
  if (!key.ok) throw new Misfit(at, `a key that can be trusted (${key.error.message})`, publicKey);
  const keyId = keyIdOf(raw);
  if (found['keyId'] !== keyId) throw new Misfit(`${path}.keyId`, keyId, found['keyId']);
  const verify = ed25519Verify(key.value);
  if (found['person'] === undefined) return { role, keyId, publicKey, verify };
  const person = text(found['person'], `${path}.person`, 'a pseudonym of a-z, 0-9, -', PERSON);
  return { role, keyId, publicKey, verify, person };
}

function memberKeys(value: unknown, path: string): readonly MemberKey[] {
  return list(value, path, KEYS_MAX).map((key, at) => memberKey(key, `${path}[${at}]`));
}

function memberId(value: unknown, path: string): MemberId {
  const id = parseMemberId(typeof value === 'string' ? value : '');
  if (!id.ok) throw new Misfit(path, 'a member id of 2 to 8 lower-case letters', value);
  return id.value;
}

function federationName(value: unknown): FederationName {
  const name = parseFederationName(typeof value === 'string' ? value : '');
  if (!name.ok) throw new Misfit('federation', 'a name of lower-case letters and digits', value);
  return name.value;
}

/** No member twice, and no key twice: a key speaks for one member in one role. */
function once<M extends Trust['members'][number]>(members: readonly M[]): readonly M[] {
  unique(
    members.map(({ id }) => id),
    'members',
    'member',
  );
  unique(
    members.flatMap(({ keys }) => keys.map(({ keyId }) => keyId)),
    'members',
    'key',
  );
  return members;
}

function attempt<T>(
  code: 'FEDERATION_INVALID' | 'TRUST_INVALID',
  parse: () => T,
): Result<T, ConcordatError> {
  try {
    return ok(parse());
  } catch (cause) {
    if (!(cause instanceof Misfit)) throw cause;
    return err(new ConcordatError(code, cause.message));
  }
}

const PEM = /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?$/;

/** @param value what JSON.parse answered. @returns FEDERATION_INVALID with the path of the first misfit */
export function parseFederation(value: unknown): Result<Federation, ConcordatError> {
  return attempt('FEDERATION_INVALID', () => {
    const file = fields(value, '', ['federation', 'ca', 'members']);
    const members = list(file['members'], 'members', MEMBERS_MAX).map((one, at): Member => {
      const path = `members[${at}]`;
      const member = fields(one, path, ['id', 'services', 'keys']);
      return {
        id: memberId(member['id'], `${path}.id`),
        services: endpoints(member['services'], `${path}.services`),
        keys: memberKeys(member['keys'], `${path}.keys`),
      };
    });
    return {
      federation: federationName(file['federation']),
      ca: text(file['ca'], 'ca', 'one certificate in PEM', PEM),
      members: once(members),
    };
  });
}

/** @param value what JSON.parse answered. @returns TRUST_INVALID with the path of the first misfit */
export function parseTrust(value: unknown): Result<Trust, ConcordatError> {
  return attempt('TRUST_INVALID', () => {
    const file = fields(value, '', ['federation', 'members']);
    const members = list(file['members'], 'members', MEMBERS_MAX).map((one, at) => {
      const path = `members[${at}]`;
      const member = fields(one, path, ['id', 'keys']);
      return {
        id: memberId(member['id'], `${path}.id`),
        keys: memberKeys(member['keys'], `${path}.keys`),
      };
    });
    return { federation: federationName(file['federation']), members: once(members) };
  });
}

/** A federation file's public keys, as `trust.json` spells them. */
export function trustJson({ federation, members }: Trust): unknown {
  const spelled = members.map(({ id, keys }) => ({
    id,
    keys: keys.map(({ verify: _, ...spelled }) => spelled),
  }));
  return { federation, members: spelled };
}

/** All keys of a federation by key id. */
export class KeyRing implements KeyDirectory {
  readonly federation: FederationName;
  readonly #keys: ReadonlyMap<string, KnownKey>;

  constructor({ federation, members }: Trust) {
    this.federation = federation;
    const known = members.flatMap(({ id, keys }) =>
      keys.map(({ publicKey: _, ...known }): KnownKey => ({ member: id, ...known })),
    );
    this.#keys = new Map(known.map((key) => [key.keyId, key]));
  }

  find(keyId: string): KnownKey | undefined {
    return this.#keys.get(keyId);
  }
}
