import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import { HealthBoard } from '@concordat/common/domain/health-board.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import type { Profile } from '@concordat/common/domain/topics.js';
import { readFederationFile, readTlsFiles } from '@concordat/common/io/federation-file.js';
import { FreshnessService } from '@concordat/common/io/rpc/definitions.js';
import { healthService } from '@concordat/common/io/rpc/health-service.js';
import { reflected } from '@concordat/common/io/rpc/reflection-service.js';
import { type RpcServer, serve, startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { memberOf } from '../support/federation.js';
import { runPython } from '../support/python.js';

const DE = memberOf('de');
let dir = '';
let server: RpcServer | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'reflection-'));
  const members = [{ id: DE, services: { node: '127.0.0.1:7101' } }];
  const federation = 'test' as FederationName;
  await initFederation({ dir, federation, members, clock: systemClock, random: systemRandom });
});
afterEach(async () => {
  await server?.close(100);
  await rm(dir, { recursive: true });
});

async function reflectIn(profile: Profile): Promise<unknown> {
  const { ca } = await readFederationFile(federationFiles(dir).federationFile);
  await writeFile(join(dir, 'ca.pem'), ca);
  const files = memberFiles(dir, DE);
  const [certFile, keyFile] = [files.certFile('revocation'), files.keyFile('revocation')];
  const board = new HealthBoard({ [FreshnessService.name]: ['started'] });
  board.set('started', true);
  const freshness = async () => ({ answer: new Uint8Array() });
  server = await startRpcServer({
    address: '127.0.0.1:0',
    tls: await readTlsFiles({ certFile, keyFile, ca }),
    services: reflected(profile, [healthService(board), serve(FreshnessService, { freshness })]),
  });
  const address = `127.0.0.1:${String(server.port)}`;
  const own = ['--cert', files.certFile('operator'), '--key', files.keyFile('operator')];
  const args = ['--address', address, '--ca', join(dir, 'ca.pem'), ...own, FreshnessService.name];
  return JSON.parse(await runPython('reflect.py', args, ''));
}

test('in profile demo a tool without files learns what is served, of which messages, and whether it is ready', async () => {
  expect(await reflectIn('demo')).toEqual({
    services: [
      'concordat.revocation.v1.FreshnessService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ],
    methods: {
      Freshness: [
        'concordat.revocation.v1.FreshnessRequest',
        'concordat.revocation.v1.FreshnessResponse',
      ],
    },
    fields: ['nonce'],
    health: 'SERVING',
  });
});

test('in profile production nothing is told', async () => {
  expect(await reflectIn('production')).toEqual({ refused: 'UNIMPLEMENTED' });
});
