import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import type { MemberId, ServiceName } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { readFederationFile, readTlsFiles } from '@concordat/common/io/federation-file.js';
import { type RpcChannel, openChannel } from '@concordat/common/io/rpc/client.js';
import { MemberChannels } from '@concordat/common/io/rpc/member-channels.js';
import {
  FreshnessService,
  LedgerService,
  KeyService,
  PurgeService,
} from '@concordat/common/io/rpc/definitions.js';
import { type RpcServer, serve, startRpcServer } from '@concordat/common/io/rpc/server.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { nodeClient } from '@concordat/revocation/io/node-client.js';
import { codec } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { eventId } from '../support/origin.js';
import { DE, RevocationWorld, UN, codeOf } from '../support/revocation.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

const inTime = { timeoutMs: 5_000 };
const loopback = '127.0.0.1:0';

let dir = '';
let federation: Federation;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'revocation-rpc-'));
  await initFederation({
    dir,
    federation: 'test' as FederationName,
    members: [UN, DE].map((id) => ({ id, services: { node: '127.0.0.1:7101' } })),
    clock: systemClock,
    random: systemRandom,
  });
  federation = await readFederationFile(federationFiles(dir).federationFile);
});
afterAll(() => rmSync(dir, { recursive: true }));

function tlsOf(member: MemberId, service: ServiceName): Promise<TlsFiles> {
  const files = memberFiles(dir, member);
  const { ca } = federation;
  return readTlsFiles({ certFile: files.certFile(service), keyFile: files.keyFile(service), ca });
}

let world: RevocationWorld;
let node: RpcServer;
let port = 0;
const opened: { close(): void }[] = [];

/** The service with real sockets and certificates, and a node that answers DestroyKeys on one. */
beforeEach(async () => {
  world = new RevocationWorld();
  node = await startRpcServer({
    address: loopback,
    tls: await tlsOf(UN, 'node'),
    services: [
      serve(KeyService, {
        keyRelease: () => Promise.reject(new ConcordatError('RELEASE_UNKNOWN', 'not here')),
        destroyKeys: async ({ order }) => world.ledger.seal(Uint8Array.from(order)),
      }),
    ],
  });
  const address = `127.0.0.1:${String(node.port)}`;
  const here: Federation = {
    ...federation,
    members: [{ id: UN, services: { node: address }, keys: [] }],
  };
  const tls = await tlsOf(UN, 'revocation');
  const channels = new MemberChannels(here, tls);
  opened.push(channels);
  const listen = (services: Parameters<typeof startRpcServer>[0]['services']) =>
    startRpcServer({ address: loopback, tls, services });
  ({ port } = await world.start({ node: nodeClient(channels.to(UN, 'node')), listen }));
});
afterEach(async () => {
  for (const each of opened.splice(0)) each.close();
  await world.dispose();
  await node.close(0);
});

async function channelAs(member: MemberId, service: ServiceName): Promise<RpcChannel> {
  const channel = openChannel({
    address: `127.0.0.1:${String(port)}`,
    tls: await tlsOf(member, service),
    peer: { member: UN, service: 'revocation' },
  });
  opened.push(channel);
  return channel;
}

const nonce = new Uint8Array(16).fill(1);

describe('over mutual TLS', () => {
  test('an operator orders, the node seals, a holder learns of its entry, the certificate comes back', async () => {
    const [A] = [eventId(1)];
    world.ledger.publish({ id: A });
    world.ledger.release(DE, A);
    await world.published(1);
    const purge = (await channelAs(UN, 'operator')).clientOf(PurgeService);
    const order = officerOrder(world.federation, { orderId: orderId(1), ids: [A] });
    const taken = await purge.order({ order }, inTime);
    expect(taken).toEqual({ orderId: orderId(1) });

    await until('the entry is sent', () => world.entriesFor(DE).length === 1);
    const freshness = (await channelAs(DE, 'node')).clientOf(FreshnessService);
    const { answer } = await freshness.freshness({ nonce }, inTime);
    const { keys } = world.federation;
    const read = verifyStatement(codec, keys, 'FreshnessAnswer', answer, { signer: UN });
    expect(read).toMatchObject({ value: { value: { recipient: DE, head: 1 } } });
    const ledger = (await channelAs(DE, 'node')).clientOf(LedgerService);
    const { entries } = await ledger.fetchLedger({ epoch: 1, fromNumber: 1 }, inTime);
    expect(entries.map((entry) => Buffer.from(entry))).toEqual(
      world.entriesFor(DE).map((entry) => Buffer.from(entry)),
    );

    expect(await codeOf(purge.certificate({ ...taken, evenIncomplete: false }, inTime))).toBe(
      'CERTIFICATE_NOT_READY',
    );
    world.answer(DE);
    await until('it is closed', async () => (await purge.status(taken, inTime)).state === 'CLOSED');
    const { dsseJson } = await purge.certificate({ ...taken, evenIncomplete: false }, inTime);
    expect(world.verify(dsseJson)).toEqual({ de: [A] });
    const list = await purge.list({}, inTime);
    expect(list).toMatchObject({ publications: 1, gaps: [], orders: [{ state: 'CLOSED' }] });
  });

  test.each<[member: MemberId, service: ServiceName]>([
    [DE, 'operator'],
    [DE, 'node'],
    [UN, 'node'],
    [UN, 'consent'],
    [UN, 'system'],
  ])('%s %s may not order', async (member, service) => {
    const purge = (await channelAs(member, service)).clientOf(PurgeService);
    const order = officerOrder(world.federation, { orderId: orderId(1), ids: [eventId(1)] });
    expect(await codeOf(purge.order({ order }, inTime))).toBe('CALLER_NOT_ALLOWED');
    expect(await codeOf(purge.list({}, inTime))).toBe('CALLER_NOT_ALLOWED');
  });

  test.each<[member: MemberId, service: ServiceName]>([
    [UN, 'node'],
    [DE, 'consent'],
    [DE, 'operator'],
  ])('%s %s may not ask for freshness or entries', async (member, service) => {
    const freshness = (await channelAs(member, service)).clientOf(FreshnessService);
    expect(await codeOf(freshness.freshness({ nonce }, inTime))).toBe('CALLER_NOT_ALLOWED');
    const ledger = (await channelAs(member, service)).clientOf(LedgerService);
    const entries = ledger.fetchLedger({ epoch: 1, fromNumber: 1 }, inTime);
    expect(await codeOf(entries)).toBe('CALLER_NOT_ALLOWED');
  });
});
