import { type KeyObject, createHash, createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Federation, KeyRing, parseFederation } from '@concordat/common/domain/federation.js';
import { type MemberId, parseMemberId } from '@concordat/common/domain/ids.js';
import { keyIdOf, rawPublicKey } from '@concordat/common/domain/keys.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import { ed25519Sign } from '@concordat/common/domain/signature.js';
import { ROLES, type Role, type Signer } from '@concordat/common/domain/statement.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { REPOSITORY } from './repository.js';

/** The DER of an Ed25519 PKCS #8 key up to the 32 bytes of its seed (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Fits the shape of a certificate only: nothing here speaks TLS. */
const NO_CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

export const schemasDir = join(REPOSITORY, 'schemas');
export const codec: RecordCodec = openRecordCodec(schemasDir);

/** Bytes that are the same in every run, and others for every text. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(text).digest());
}

export function memberOf(text: string): MemberId {
  const id = parseMemberId(text);
  if (!id.ok) throw new Error(`${text} is no member id`);
  return id.value;
}

/** Keys of purge officers of every member, with the person who holds each: the third is the first person's second key. */
const OFFICERS = { 1: 'officer-1', 2: 'officer-2', 3: 'officer-1', 4: undefined } as const;
export type Officer = keyof typeof OFFICERS;
const FURTHER_OFFICERS = [2, 3, 4] as const;

interface TestSigner extends Signer {
  readonly privateKey: KeyObject;
}

/** Real keys for every role of every member, the same in every run. */
export interface TestFederation {
  readonly federation: Federation;
  readonly keys: KeyRing;
  /** @param officer which of a member's purge officers' keys, see `OFFICERS`; the first unless told otherwise */
  signer(member: MemberId, role: Role, officer?: Officer): Signer;
  /** Writes what a service reads at its start. @returns the settings that name the files */
  write(
    dir: string,
    member: MemberId,
    role: Role,
  ): {
    readonly federationFile: string;
    readonly signingKeyFile: string;
    readonly tls: { readonly certFile: string; readonly keyFile: string };
  };
}

export function testFederation(members: readonly MemberId[]): TestFederation {
  const made = new Map<string, TestSigner>();
  const signer = (member: MemberId, role: Role, officer: Officer = 1): TestSigner => {
    const name = officer === 1 ? role : `${role} ${String(officer)}`;
    const known = made.get(`${member} ${name}`);
    if (known) return known;
    const key = Buffer.concat([PKCS8_HEAD, bytesOf(`${member} ${name}`)]);
    const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    const signs = {
      keyId: keyIdOf(rawPublicKey(privateKey)),
      ...{ sign: ed25519Sign(privateKey), privateKey },
    };
    made.set(`${member} ${name}`, signs);
    return signs;
  };
  const publicKeyOf = (member: MemberId, role: Role, officer: Officer = 1) => {
    const { keyId, privateKey } = signer(member, role, officer);
    const publicKey = Buffer.from(rawPublicKey(privateKey)).toString('base64url');
    const person = role === 'purge-officer' ? OFFICERS[officer] : undefined;
    return { role, keyId, publicKey, ...(person !== undefined && { person }) };
  };
  const file = {
    federation: 'test',
    ca: NO_CERTIFICATE,
    members: members.map((id, i) => ({
      id,
      services: { node: `127.0.0.1:${String(7000 + i)}` },
      keys: [
        ...ROLES.map((role) => publicKeyOf(id, role)),
        ...FURTHER_OFFICERS.map((officer) => publicKeyOf(id, 'purge-officer', officer)),
      ],
    })),
  };
  const parsed = parseFederation(file);
  if (!parsed.ok) throw parsed.error;
  return {
    federation: parsed.value,
    keys: new KeyRing(parsed.value),
    signer,
    write: (dir, member, role) => {
      mkdirSync(dir, { recursive: true });
      const put = (name: string, text: string): string => {
        writeFileSync(join(dir, name), text);
        return join(dir, name);
      };
      const pem = signer(member, role).privateKey.export({ format: 'pem', type: 'pkcs8' });
      return {
        federationFile: put('federation.json', JSON.stringify(file)),
        signingKeyFile: put(`${member}-${role}.pem`, pem.toString()),
        tls: { certFile: put('tls.crt', NO_CERTIFICATE), keyFile: put('tls.key', 'no key') },
      };
    },
  };
}
