// @peculiar/x509 finds its parts through reflect-metadata, so that comes first.
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Endpoints, parseFederation, trustJson } from '@concordat/common/domain/federation.js';
import { type FederationName, identityUri } from '@concordat/common/domain/identity.js';
import { type MemberId, SERVICE_NAMES, type ServiceName } from '@concordat/common/domain/ids.js';
import { keyIdOf, rawPublicKey } from '@concordat/common/domain/keys.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import { ROLES, type Role } from '@concordat/common/domain/statement.js';
import * as x509 from '@peculiar/x509';

const VALID_MS = 30 * 24 * 3_600_000;
/** Machines of one federation may differ by this much. */
const CLOCK_SKEW_MS = 5 * 60_000;
const SERIAL_BYTES = 16;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** The DER of an Ed25519 PKCS #8 key up to the 32 bytes of its seed (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface FederationPlan {
  /** made if missing; must not hold a federation yet */
  readonly dir: string;
  readonly federation: FederationName;
  readonly members: readonly { readonly id: MemberId; readonly services: Endpoints }[];
  readonly clock: Clock;
  readonly random: Random;
}

/** Two people order what one may not: each purge officer has a key, and the federation file says whose it is. */
const OFFICERS = { 'purge-officer': 'officer-1', 'purge-officer-2': 'officer-2' } as const;
export type OfficerKey = keyof typeof OFFICERS;

/** Where `initFederation` puts what a service of a member reads at its start. */
export function memberFiles(dir: string, member: MemberId) {
  const own = join(dir, 'members', member);
  return {
    certFile: (service: ServiceName) => join(own, `${service}.crt`),
    keyFile: (service: ServiceName) => join(own, `${service}.key`),
    signingKeysDir: own,
    signingKeyFile: (name: Role | OfficerKey) => join(own, `${name}.ed25519.pem`),
  };
}

export function federationFiles(dir: string) {
  return { federationFile: join(dir, 'federation.json'), trustFile: join(dir, 'trust.json') };
}

interface Authority {
  readonly name: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}
type CryptoKeyPair = webcrypto.CryptoKeyPair;

const crypto = webcrypto;

async function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** A positive number without leading zeros, as RFC 5280 §4.1.2.2 asks. */
function serialNumber(random: Random): string {
  const bytes = random.bytes(SERIAL_BYTES);
  return `4${Buffer.from(bytes).toString('hex').slice(1)}`;
}

function validity({ clock }: FederationPlan) {
  const nowMs = clock.nowMs();
  return { notBefore: new Date(nowMs - CLOCK_SKEW_MS), notAfter: new Date(nowMs + VALID_MS) };
}

async function newAuthority(plan: FederationPlan): Promise<Authority> {
  const keys = await newKeys();
  const name = `CN=${plan.federation} CA`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name,
      keys,
      serialNumber: serialNumber(plan.random),
      signingAlgorithm: ALGORITHM,
      ...validity(plan),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  return { name, certificate, keys };
}

async function issue(
  plan: FederationPlan,
  authority: Authority,
  member: MemberId,
  service: ServiceName,
): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await newKeys();
  const uri = identityUri({ federation: plan.federation, member, service });
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${service}.${member}`,
      issuer: authority.name,
      publicKey: keys.publicKey,
      signingKey: authority.keys.privateKey,
      serialNumber: serialNumber(plan.random),
      signingAlgorithm: ALGORITHM,
      ...validity(plan),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: uri },
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  return { cert: pem(certificate), key: key.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

function newSigningKey(random: Random) {
  const key = Buffer.concat([PKCS8_HEAD, random.bytes(32)]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const raw = rawPublicKey(privateKey);
  return {
    text: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    keyId: keyIdOf(raw),
    publicKey: Buffer.from(raw).toString('base64url'),
  };
}

/** Never over an existing file: what is signed and encrypted under it would be lost. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new ConcordatError(
      'CONFIG_INVALID',
      `${path}: expected to make a new file; choose a directory without a federation`,
      { cause },
    );
  }
}

async function initMember(
  plan: FederationPlan,
  authority: Authority,
  { id, services }: FederationPlan['members'][number],
) {
  const files = memberFiles(plan.dir, id);
  await mkdir(join(plan.dir, 'members', id), { recursive: true, mode: 0o700 });
  for (const service of SERVICE_NAMES) {
    const { cert, key } = await issue(plan, authority, id, service);
    await writeNew(files.certFile(service), cert);
    await writeNew(files.keyFile(service), key);
  }
  const keys = [];
  for (const role of ROLES.filter((one) => one !== 'purge-officer')) {
    const { text, keyId, publicKey } = newSigningKey(plan.random);
    await writeNew(files.signingKeyFile(role), text);
    keys.push({ role, keyId, publicKey });
  }
  for (const [name, person] of Object.entries(OFFICERS)) {
    const { text, keyId, publicKey } = newSigningKey(plan.random);
    await writeNew(files.signingKeyFile(name as OfficerKey), text);
    keys.push({ role: 'purge-officer', keyId, publicKey, person });
  }
  return { id, services, keys };
}

/**
 * Makes all that a federation needs for one run: its CA, whose private key is then forgotten, a certificate for each
 * member and service, Ed25519 keys by role, `federation.json` and `trust.json`. Certificates last 30 days.
 *
 * @throws ConcordatError CONFIG_INVALID when the directory holds a federation, FEDERATION_INVALID for an impossible plan
 */
export async function initFederation(plan: FederationPlan): Promise<void> {
  await mkdir(plan.dir, { recursive: true, mode: 0o700 });
  const authority = await newAuthority(plan);
  const members = [];
  for (const member of plan.members) members.push(await initMember(plan, authority, member));
  const file = { federation: plan.federation, ca: pem(authority.certificate), members };
  const parsed = parseFederation(JSON.parse(JSON.stringify(file)));
  if (!parsed.ok) throw parsed.error;
  const { federationFile, trustFile } = federationFiles(plan.dir);
  await writeNew(federationFile, `${JSON.stringify(file, undefined, 2)}\n`);
  await writeNew(trustFile, `${JSON.stringify(trustJson(parsed.value), undefined, 2)}\n`);
}
