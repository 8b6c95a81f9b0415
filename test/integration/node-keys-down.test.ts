import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import { readFeedBlock } from '@concordat/common/domain/block.js';
import { freePorts } from '@concordat/cli/io/free-ports.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import type { MemberId, ServiceName } from '@concordat/common/domain/ids.js';
import { readFederationFile, readTlsFiles } from '@concordat/common/io/federation-file.js';
import { type RpcServer, startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { type Peers, rpcPeers } from '@concordat/node/io/peers.js';
import { codec } from '../support/federation.js';
import { DE, FR, LANES, NodeWorld, UN } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

const CLOSES_WITHIN_MS = 10_000;

let world: NodeWorld;
let dir: string;
let address: string;
let peers: Peers;
let server: RpcServer | undefined;

beforeEach(async () => {
  world = new NodeWorld();
  dir = await mkdtemp(join(tmpdir(), 'keys-down-'));
  const [port = 0] = await freePorts(1);
  address = `127.0.0.1:${String(port)}`;
  await initFederation({
    ...{ dir, federation: 'eu-ct' as FederationName },
    members: [UN, DE].map((id) => ({ id, services: { node: address } })),
    ...{ clock: systemClock, random: systemRandom },
  });
  const { federationFile } = federationFiles(dir);
  peers = rpcPeers(await readFederationFile(federationFile), await tlsOf(DE, 'node'));
  const ask = peers.askForKeys(UN);
  world.aroundKeys = (direct, recipient) => (recipient === DE ? ask : direct);
});
afterEach(async () => {
  await world.dispose();
  await stopKeys();
  peers.close();
  await rm(dir, { recursive: true });
});

async function tlsOf(member: MemberId, service: ServiceName) {
  const { ca } = await readFederationFile(federationFiles(dir).federationFile);
  const files = memberFiles(dir, member);
  return readTlsFiles({ certFile: files.certFile(service), keyFile: files.keyFile(service), ca });
}

/** The origin's KeyService on a real port. */
async function serveKeys(): Promise<void> {
  const services = world
    .serving(UN)
    .filter(({ endpoints }) => endpoints.some(({ path }) => path.includes('KeyService')));
  server = await startRpcServer({ address, tls: await tlsOf(UN, 'node'), services });
}

async function stopKeys(): Promise<void> {
  await server?.close(0);
  server = undefined;
}

/** The events of a lane in the order of the feed. */
function fedOn(lane: number): string[] {
  return world.records(`feed.un.${DE}`, lane).flatMap(({ value }) => {
    const parties = { origin: UN, recipient: DE };
    const block = readFeedBlock(codec, world.members.keys, value, parties);
    if (!block.ok) throw block.error;
    return block.value.releases.map(({ header }) => header.id);
  });
}

const breakerIsOpen = () =>
  world.said.some(({ fields }) => /not asked for a while/.test(fields.reason ?? ''));

test('D12: while an origin’s KeyRelease is down events wait, in order and counted; 10 s after it is back the breaker is closed', async () => {
  await world.start(UN, DE, FR);
  const told: string[] = [];
  const stop = new AbortController();
  const listening = (async () => {
    const request = {
      purpose: 'screening',
      caseId: 'case-1',
      category: '',
      includeHeld: true,
      cursor: '',
      systemId: '',
    };
    const notices = world
      .node(DE)
      .national.subscribe(request, { timeoutMs: 1, signal: stop.signal });
    for await (const { eventId: id } of notices) told.push(id);
  })();

  const lanes = new Map<string, number>();
  const publish = async (n: number) => lanes.set(eventId(n), (await world.publish(n)).lane);
  // six events whose keys are asked for at once, and fail at once
  await Promise.all([0, 1, 2, 3, 4, 5].map(publish));
  await until('the breaker is open', breakerIsOpen);
  expect(await world.partner(DE)).toMatchObject({ waiting: 6, readable: 0 });
  expect(world.deaths).toEqual([]);
  // nobody else waits: the origin publishes, others read
  for (let n = 6; n < 12; n += 1) await publish(n);
  await world.readable(FR, 12);
  await until('all wait', async () => (await world.partner(DE)).waiting === 12);

  await serveKeys();
  const upMs = performance.now();
  await world.readable(DE, 12);
  expect(performance.now() - upMs).toBeLessThan(CLOSES_WITHIN_MS);
  expect(await world.partner(DE)).toMatchObject({ waiting: 0 });
  await until('all are told', () => told.length === 12);
  for (let lane = 0; lane < LANES; lane += 1) {
    const ofLane = told.filter((id) => lanes.get(id) === lane);
    expect(ofLane).toEqual(fedOn(lane));
  }
  await publish(12);
  await world.readable(DE, 13);
  stop.abort();
  await listening;
});
