import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FederationName } from '@concordat/common/domain/identity.js';
import { type MemberId, SERVICE_NAMES } from '@concordat/common/domain/ids.js';
import { ROLES } from '@concordat/common/domain/statement.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
  readTrustFile,
} from '@concordat/common/io/federation-file.js';
import { ownIdentity } from '@concordat/common/io/rpc/tls.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { federationFiles, initFederation, memberFiles } from './federation-init.js';

let dir = '';
const id = 'de' as MemberId;
const federation = 'eu-ct' as FederationName;
const plan = () => ({
  dir,
  federation,
  members: [{ id, services: { node: '127.0.0.1:7101', consent: '127.0.0.1:7102' } }],
  clock: systemClock,
  random: systemRandom,
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'federation-'));
  await initFederation(plan());
});
afterAll(() => rm(dir, { recursive: true }));

test('the federation and trust files are read back with the same keys', async () => {
  const { federationFile, trustFile } = federationFiles(dir);
  const [read, trust] = await Promise.all([
    readFederationFile(federationFile),
    readTrustFile(trustFile),
  ]);
  expect(read).toMatchObject({
    federation,
    members: [{ id, services: { node: '127.0.0.1:7101' } }],
  });
  expect(trust.members[0]?.keys.map(({ keyId }) => keyId)).toEqual(
    read.members[0]?.keys.map(({ keyId }) => keyId),
  );
});

test('each role has a private key that fits its public one', async () => {
  const { members } = await readFederationFile(federationFiles(dir).federationFile);
  const files = memberFiles(dir, id);
  const idOf = async (name: Parameters<typeof files.signingKeyFile>[0]) =>
    (await readSigningKey(files.signingKeyFile(name))).keyId;
  const ids = await Promise.all(ROLES.map(async (role) => [role, await idOf(role)]));
  const second = ['purge-officer', await idOf('purge-officer-2')];
  expect(members[0]?.keys.map(({ role, keyId }) => [role, keyId])).toEqual([...ids, second]);
});

test('the two purge officers are two people, also for who reads the trust file only', async () => {
  const { members } = await readTrustFile(federationFiles(dir).trustFile);
  const officers = members[0]?.keys.filter(({ role }) => role === 'purge-officer') ?? [];
  expect(officers.map(({ person }) => person)).toEqual(['officer-1', 'officer-2']);
});

test('each service has a certificate of the CA that names it, for 30 days, as client and server', async () => {
  const { ca } = await readFederationFile(federationFiles(dir).federationFile);
  const files = memberFiles(dir, id);
  for (const service of SERVICE_NAMES) {
    const paths = { certFile: files.certFile(service), keyFile: files.keyFile(service) };
    const tls = await readTlsFiles({ ...paths, ca });
    const certificate = new X509Certificate(tls.cert);
    const authority = new X509Certificate(ca);
    expect(ownIdentity(tls)).toEqual({ federation, member: id, service });
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(tls.key))).toBe(true);
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.ca).toBe(false);
    expect(authority.ca).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThanOrEqual(30);
  }
});

test('nobody but the owner can read any of the files', async () => {
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const modes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).mode & 0o777),
  );
  expect(files).toHaveLength(2 + 2 * SERVICE_NAMES.length + ROLES.length + 1);
  expect(new Set(modes)).toEqual(new Set([0o600]));
});

test('a directory that holds a federation is left as it is', async () => {
  const path = memberFiles(dir, id).signingKeyFile('node');
  const before = await readFile(path, 'utf8');
  await expect(initFederation(plan())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await readFile(path, 'utf8')).toBe(before);
});
