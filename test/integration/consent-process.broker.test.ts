import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import { freePort } from '@concordat/cli/io/free-ports.js';
import { readFeedBlock } from '@concordat/common/domain/block.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import { type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { type RpcChannel, openChannel } from '@concordat/common/io/rpc/client.js';
import { ConsentService } from '@concordat/common/io/rpc/definitions.js';
import { systemClock as clock, systemRandom as random } from '@concordat/common/io/system-ports.js';
import { sharedBrokers } from '../support/broker.js';
import { codec, memberOf, schemasDir } from '../support/federation.js';
import { TestOrigin, eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const require = createRequire(import.meta.url);
/** Jest finds sources; a process runs what was built. */
const MAIN = require
  .resolve('@concordat/consent/main.js')
  .replace(/src\/main\.ts$/, 'dist/main.js');
const FEDERATION = 'process-test' as FederationName;

/** Topics are named after members, so their names are fresh. */
function freshMember(): MemberId {
  const letters = Array.from(randomBytes(7), (byte) =>
    'abcdefghijklmnopqrstuvwxyz'.charAt(byte % 26),
  );
  return memberOf(`t${letters.join('')}`);
}

const [origin, recipient] = [freshMember(), freshMember()];
const dir = mkdtempSync(join(tmpdir(), 'consent-process-'));
const files = memberFiles(dir, origin);
const { federationFile } = federationFiles(dir);
const span = { from: '2015-01-01T00:00:00Z', until: '2065-01-01T00:00:00Z' };
const policy = {
  agreements: [
    {
      ...{ id: 'a1', version: 1, parties: [origin, recipient], ...span },
      rules: [
        {
          ...{ id: 'r1', effect: 'permit', recipients: [recipient], categories: ['**'] },
          ...{ sections: ['identity'], purposes: ['screening'], retention: { days: 36_525 } },
        },
      ],
    },
  ],
  consents: [{ id: 'c1', agreementId: 'a1', origin, ...span }],
};

let log: LogClient;
let settings: Record<string, string>;
let address: string;
let channel: RpcChannel | undefined;
let child: ChildProcess | undefined;
let said = '';

beforeAll(async () => {
  const kafka = { brokers: sharedBrokers(), clientId: 'consent-process', clock, random };
  log = kafkaLogClient(kafka);
  address = `127.0.0.1:${String(await freePort())}`;
  const members = [origin, recipient].map((id) => ({ id, services: { node: address } }));
  await initFederation({ dir, federation: FEDERATION, members, clock, random });
  const admin = await openTopicAdmin(kafka);
  await admin.apply({ members: [origin, recipient], origins: [origin] }, 'demo');
  await admin.close();
  const agreementsFile = join(dir, 'agreements.json');
  writeFileSync(agreementsFile, JSON.stringify(policy));
  settings = {
    CONCORDAT_MEMBER: origin,
    CONCORDAT_PROFILE: 'demo',
    CONCORDAT_FEDERATION_FILE: federationFile,
    CONCORDAT_AGREEMENTS_FILE: agreementsFile,
    CONCORDAT_DATA_DIR: join(dir, 'data'),
    CONCORDAT_GRPC__LISTEN: address,
    CONCORDAT_TLS__CERT_FILE: files.certFile('consent'),
    CONCORDAT_TLS__KEY_FILE: files.keyFile('consent'),
    CONCORDAT_SIGNING_KEY_FILE: files.signingKeyFile('consent'),
    CONCORDAT_SCHEMAS_DIR: schemasDir,
    KAFKA_BROKERS: sharedBrokers().join(','),
  };
});
afterEach(() => {
  channel?.close();
  child?.kill('SIGKILL');
});
afterAll(async () => {
  await log.close();
  rmSync(dir, { recursive: true });
});

function run(change: Record<string, string> = {}): ChildProcess {
  said = '';
  child = spawn(process.execPath, [MAIN], { env: { ...settings, ...change } });
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  return child;
}

const ready = () => until('the service is ready', () => said.includes('"msg":"ready"'));

async function exitOf(running: ChildProcess): Promise<unknown> {
  const [code] = (await once(running, 'exit')) as [number | null];
  return code;
}

test('a process decides, feeds, answers its operator, resumes after SIGKILL, ends on SIGTERM', async () => {
  const federation = await readFederationFile(federationFile);
  const node = await readSigningKey(files.signingKeyFile('node'));
  const publisher = new TestOrigin(origin, node, FEDERATION);
  const publish = async (n: number) => {
    const collectedAtMs = clock.nowMs();
    const retainUntilMs = asUnixMs(collectedAtMs + 86_400_000);
    const { value } = publisher.block([
      { id: eventId(n), header: { collectedAtMs, retainUntilMs } },
    ]);
    await log.send(`events.${origin}`, 0, [{ value }]);
  };
  /** Distinct: a kill between acknowledgement and commit makes the same bytes come twice. */
  const fed = async () => {
    const found = new Set<string>();
    await log.scan(`feed.${origin}.${recipient}`, 0, 0n, ({ value }) => {
      const read = readFeedBlock(codec, new KeyRing(federation), value, { origin, recipient });
      if (!read.ok) throw read.error;
      for (const { header, sections } of read.value.releases) {
        found.add([header.id, ...sections.map(({ name }) => name)].join(' '));
      }
    });
    return [...found];
  };

  const first = run();
  await ready();
  await publish(1);
  await until('the first event is fed', async () => (await fed()).length === 1);
  first.kill('SIGKILL');
  await exitOf(first);
  await publish(2);

  const second = run();
  await ready();
  await until('the second event is fed', async () => (await fed()).length === 2);
  expect(await fed()).toEqual([`${eventId(1)} identity`, `${eventId(2)} identity`]);

  const tls = await readTlsFiles({
    certFile: files.certFile('operator'),
    keyFile: files.keyFile('operator'),
    ca: federation.ca,
  });
  channel = openChannel({ address, tls, peer: { member: origin, service: 'consent' } });
  const client = channel.clientOf(ConsentService);
  expect(await client.status({}, { timeoutMs: 5_000 })).toMatchObject({
    member: origin,
    decided: 2,
    recipients: [{ recipient, released: 2, withheld: {} }],
  });
  const request = { eventId: eventId(1), recipient };
  expect(await client.explain(request, { timeoutMs: 5_000 })).toMatchObject({
    outcome: 'RELEASED',
    ruleId: 'r1',
    sections: ['identity'],
  });

  second.kill('SIGTERM');
  expect(await exitOf(second)).toBe(0);
});

test('bad settings end a process with 2, all of them named', async () => {
  const code = await exitOf(run({ CONCORDAT_MEMBER: 'X', CONCORDAT_DATA_DIR: '' }));
  expect(code).toBe(2);
  expect(said).toMatch(/^CONFIG_INVALID: 2 of the settings cannot be used:\n/);
  expect(said).toContain('CONCORDAT_MEMBER');
  expect(said).toContain('CONCORDAT_DATA_DIR');
});

test('a file that cannot be used ends a process with 2 and a code', async () => {
  const code = await exitOf(run({ CONCORDAT_AGREEMENTS_FILE: federationFile }));
  expect(code).toBe(2);
  expect(said).toContain('"code":"CONFIG_INVALID"');
});
