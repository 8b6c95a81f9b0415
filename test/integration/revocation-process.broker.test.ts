import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import { freePort } from '@concordat/cli/io/free-ports.js';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import { type MemberId, type ServiceName, asUnixMs } from '@concordat/common/domain/ids.js';
import { ROLES, type Signer } from '@concordat/common/domain/statement.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { type RpcChannel, openChannel } from '@concordat/common/io/rpc/client.js';
import { KeyService, PurgeService } from '@concordat/common/io/rpc/definitions.js';
import { type RpcServer, serve, startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock as clock, systemRandom as random } from '@concordat/common/io/system-ports.js';
import { sharedBrokers } from '../support/broker.js';
import { type TestFederation, codec, memberOf, schemasDir } from '../support/federation.js';
import { TestHolder } from '../support/holder.js';
import { TestLedger, officerOrder, orderId } from '../support/ledger.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const require = createRequire(import.meta.url);
/** Jest finds sources; a process runs what was built. */
const MAIN = require
  .resolve('@concordat/revocation/main.js')
  .replace(/src\/main\.ts$/, 'dist/main.js');

/** Topics are named after members, so their names are fresh. */
function freshMember(): MemberId {
  const letters = Array.from(randomBytes(7), (byte) =>
    'abcdefghijklmnopqrstuvwxyz'.charAt(byte % 26),
  );
  return memberOf(`t${letters.join('')}`);
}

const [origin, recipient] = [freshMember(), freshMember()];
const dir = mkdtempSync(join(tmpdir(), 'revocation-process-'));
const { federationFile } = federationFiles(dir);
const [A, B] = [eventId(1), eventId(2)];

let federation: TestFederation;
let ledger: TestLedger;
let log: LogClient;
let node: RpcServer;
let channel: RpcChannel;
let settings: Record<string, string>;
let child: ChildProcess | undefined;
let said = '';
let isNodeUp = true;
let unsent: Uint8Array[] = [];

async function tlsOf(service: ServiceName) {
  const files = memberFiles(dir, origin);
  const { ca } = await readFederationFile(federationFile);
  return readTlsFiles({ certFile: files.certFile(service), keyFile: files.keyFile(service), ca });
}

/** The keys of the files that the process reads. */
async function keysOfFiles(): Promise<TestFederation> {
  const signers = new Map<string, Signer>();
  for (const member of [origin, recipient]) {
    for (const role of ROLES) {
      const file = memberFiles(dir, member).signingKeyFile(role);
      signers.set(`${member} ${role}`, await readSigningKey(file));
    }
  }
  const read = await readFederationFile(federationFile);
  return {
    federation: read,
    keys: new KeyRing(read),
    signer: (member, role) => {
      const signer = signers.get(`${member} ${role}`);
      if (!signer) throw new Error(`no key of ${member} ${role}`);
      return signer;
    },
    write: () => {
      throw new Error('the files are there');
    },
  };
}

beforeAll(async () => {
  const kafka = { brokers: sharedBrokers(), clientId: 'revocation-process', clock, random };
  log = kafkaLogClient(kafka);
  const [nodePort, port] = [await freePort(), await freePort()];
  const services = {
    node: `127.0.0.1:${String(nodePort)}`,
    revocation: `127.0.0.1:${String(port)}`,
  };
  const members = [origin, recipient].map((id) => ({ id, services }));
  await initFederation({ dir, federation: 'test' as FederationName, members, clock, random });
  const admin = await openTopicAdmin(kafka);
  await admin.apply({ members: [origin, recipient], origins: [origin] }, 'demo');
  await admin.close();

  federation = await keysOfFiles();
  ledger = new TestLedger(federation, origin, (record) => unsent.push(record));
  node = await startRpcServer({
    address: services.node,
    tls: await tlsOf('node'),
    services: [
      serve(KeyService, {
        keyRelease: () => Promise.reject(new ConcordatError('RELEASE_UNKNOWN', 'not here')),
        destroyKeys: async ({ order }) => {
          if (!isNodeUp) throw new ConcordatError('PEER_UNAVAILABLE', 'the node is down');
          const answer = ledger.seal(Uint8Array.from(order));
          await sendLedger();
          return answer;
        },
      }),
    ],
  });
  channel = openChannel({
    address: services.revocation,
    tls: await tlsOf('operator'),
    peer: { member: origin, service: 'revocation' },
  });
  const files = memberFiles(dir, origin);
  settings = {
    CONCORDAT_MEMBER: origin,
    CONCORDAT_PROFILE: 'demo',
    CONCORDAT_FEDERATION_FILE: federationFile,
    CONCORDAT_DATA_DIR: join(dir, 'data'),
    CONCORDAT_GRPC__LISTEN: services.revocation,
    CONCORDAT_TLS__CERT_FILE: files.certFile('revocation'),
    CONCORDAT_TLS__KEY_FILE: files.keyFile('revocation'),
    CONCORDAT_SIGNING_KEY_FILE: files.signingKeyFile('revocation'),
    CONCORDAT_SCHEMAS_DIR: schemasDir,
    KAFKA_BROKERS: sharedBrokers().join(','),
  };
});
afterEach(() => {
  child?.kill('SIGKILL');
});
afterAll(async () => {
  channel.close();
  await node.close(0);
  await log.close();
  rmSync(dir, { recursive: true });
});

async function sendLedger(): Promise<void> {
  const records = unsent.map((value) => ({ value }));
  unsent = [];
  if (records.length > 0) await log.send(`ledger.${origin}`, 0, records);
}

async function run(change: Record<string, string> = {}): Promise<ChildProcess> {
  said = '';
  child = spawn(process.execPath, [MAIN], { env: { ...settings, ...change } });
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  return child;
}

async function start(): Promise<ChildProcess> {
  const process = await run();
  await until('the service is ready', () => said.includes('"msg":"ready"'), 60_000);
  return process;
}

async function exitOf(running: ChildProcess): Promise<unknown> {
  const [code] = (await once(running, 'exit')) as [number | null];
  return code;
}

test('a process takes an order through two SIGKILLs to its certificate, and ends on SIGTERM', async () => {
  const purge = channel.clientOf(PurgeService);
  const inTime = { timeoutMs: 20_000, waitForReady: true };
  const retainUntilMs = asUnixMs(clock.nowMs() + 86_400_000); // the process has a real clock
  ledger.publish({ id: A, retainUntilMs }, { id: B, retainUntilMs });
  ledger.release(recipient, A);
  await sendLedger();
  let process = await start();
  await until('the ledger is read', async () => (await purge.list({}, inTime)).publications === 2);

  isNodeUp = false;
  const officer = { member: origin, role: 'purge-officer' } as const;
  const order = officerOrder(federation, { orderId: orderId(1), ids: [A], origin }, officer);
  const taken = await purge.order({ order }, inTime);
  await until('the node was asked', async () => {
    return (await purge.status(taken, inTime)).lastError.startsWith('PEER_UNAVAILABLE');
  });
  process.kill('SIGKILL');
  await exitOf(process);
  isNodeUp = true;
  process = await start();

  const entries: Uint8Array[] = [];
  await until('the entry is sent', async () => {
    const tails = await log.tails(`purge.${origin}.${recipient}`);
    entries.push(...tails.map(({ value }) => value));
    return entries.length > 0;
  });
  process.kill('SIGKILL');
  await exitOf(process);
  const [entry = new Uint8Array()] = entries;
  const receipt = new TestHolder(federation, recipient).answer(entry);
  const topic = `receipts.${recipient}.${origin}`;
  await log.send(topic, 0, [{ value: receipt }, { value: receipt }]);
  process = await start();
  await until('it is closed', async () => (await purge.status(taken, inTime)).state === 'CLOSED');

  const { dsseJson } = await purge.certificate({ ...taken, evenIncomplete: false }, inTime);
  const signed = verifyDsse(codec, federation.keys, 'Certificate', dsseJson);
  if (!signed.ok) throw signed.error;
  const verified = verifyCertificate(codec, federation.keys, signed.value.value);
  expect(verified).toMatchObject({ value: { holders: [{ recipient, ids: [A] }] } });

  process.kill('SIGTERM');
  expect(await exitOf(process)).toBe(0);
});

test('settings that cannot be used are all named, and the process ends at once', async () => {
  const process = await run({ CONCORDAT_RETENTION_CHECK_MS: 'soon', CONCORDAT_MEMBR: 'x' });
  expect(await exitOf(process)).toBe(2);
  expect(said).toContain('CONCORDAT_RETENTION_CHECK_MS');
  expect(said).toContain('CONCORDAT_MEMBR');
});

test('a key that the federation file does not list for revocation is refused', async () => {
  const file = memberFiles(dir, origin).signingKeyFile('node');
  const process = await run({ CONCORDAT_SIGNING_KEY_FILE: file });
  expect(await exitOf(process)).toBe(2);
  expect(said).toContain('CONFIG_INVALID');
});
