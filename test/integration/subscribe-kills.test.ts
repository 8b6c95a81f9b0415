import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import type { EventId, ServiceName } from '@concordat/common/domain/ids.js';
import { readFederationFile, readTlsFiles } from '@concordat/common/io/federation-file.js';
import { type ClientOf, openChannel } from '@concordat/common/io/rpc/client.js';
import { NationalService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { CrashPlan } from '../support/crash.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { DE, NodeWorld, UN } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

/** 100,000 by hand; `make test` has other things to do too. */
const EVENTS = Number(process.env['SUBSCRIBE_KILLS_EVENTS'] ?? 3_000);
const CLIENTS = 4;
const NODE_KILLS = 6;
const MESSAGE = 250;
/** Between two blows of the storm so many notices get through: else a busy machine would only ever connect again. */
const TOLD_BETWEEN = 60;
/** one of so many events is taken back again */
const WITHDRAWN_OF = 20;
const PATIENCE_MS = 60_000 + EVENTS * 30;

type Notice = concordat.node.v1.Notice;

let dir = '';
let world: NodeWorld;
let proxy: CuttingProxy;
let crash: CrashPlan | undefined;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kills-'));
  const members = [{ id: DE, services: { node: '127.0.0.1:7101' } }];
  const federation = 'test' as FederationName;
  await initFederation({ dir, federation, members, clock: systemClock, random: systemRandom });
  proxy = await CuttingProxy.start();
  world = new NodeWorld();
  world.alsoListen = async (member, services) => {
    if (member !== DE) return undefined;
    const tls = await tlsOf('node');
    const server = await startRpcServer({ address: '127.0.0.1:0', tls, services });
    proxy.target = server.port;
    return server;
  };
});
afterAll(async () => {
  crash?.revive();
  crash?.uninstall();
  await world.dispose();
  await proxy.close();
  await rm(dir, { recursive: true });
});

async function tlsOf(service: ServiceName) {
  const { ca } = await readFederationFile(federationFiles(dir).federationFile);
  const files = memberFiles(dir, DE);
  return readTlsFiles({ certFile: files.certFile(service), keyFile: files.keyFile(service), ca });
}

/** A system that is killed again and again; what it has written down, cursor and notices, survives it. */
class Listener {
  readonly told: Pick<Notice, 'kind' | 'eventId' | 'cursor'>[] = [];
  readonly events = new Set<string>();
  withdrawals = 0;
  kills = 0;
  #kill = new AbortController();

  kill(): void {
    this.#kill.abort();
  }

  async run(isOver: () => boolean): Promise<void> {
    const tls = await tlsOf('system');
    while (!isOver()) {
      this.#kill = new AbortController();
      const channel = openChannel({
        address: `127.0.0.1:${String(proxy.port)}`,
        tls,
        peer: { member: DE, service: 'node' },
      });
      try {
        await this.#listen(channel.clientOf(NationalService));
      } catch (cause) {
        // whatever the moment did to the connection; a refused cursor would be our mistake
        if (cause instanceof ConcordatError && cause.code === 'CURSOR_INVALID') throw cause;
        this.kills += 1;
        await delay(10);
      } finally {
        channel.close();
      }
    }
  }

  async #listen(national: ClientOf<typeof NationalService>): Promise<void> {
    const cursor = this.told.at(-1)?.cursor ?? '';
    const request = {
      ...{ purpose: 'screening', caseId: 'c', category: '', includeHeld: true },
      ...{ cursor, systemId: '' },
    };
    const options = { timeoutMs: PATIENCE_MS, signal: this.#kill.signal };
    for await (const notice of national.subscribe(request, options)) {
      if (this.#kill.signal.aborted) return; // killed before it was written down
      const { kind, eventId: id, cursor: after } = notice;
      this.told.push({ kind, eventId: id, cursor: after });
      this.events.add(id);
      if (kind === 'WITHDRAWN') this.withdrawals += 1;
    }
  }
}

async function publishAll(): Promise<void> {
  for (let from = 0; from < EVENTS; from += MESSAGE) {
    const count = Math.min(MESSAGE, EVENTS - from);
    const events = Array.from({ length: count }, (_, n) => world.request(from + n));
    const answer = await world.node(UN).national.publishStream([{ events }], { timeoutMs: 1 });
    if (answer.published !== count) throw new Error('expected every event to be published');
  }
}

/** The node's process dies after some commit of its own, and is started again. @returns whether it came to one */
async function killNode(): Promise<boolean> {
  crash = new CrashPlan(world.node(DE).dataDir);
  crash.arm(1 + Math.floor(Math.random() * 8));
  const died = await waitForDeath(crash);
  proxy.target = 0;
  proxy.cut(() => true);
  await world.stopNode(DE).catch(() => undefined);
  world.nodes.delete(DE);
  crash.revive();
  crash.uninstall();
  crash = undefined;
  world.deaths.length = 0;
  await world.startNode(DE);
  return died;
}

/** With nothing left to commit it never comes: then it is stopped in good order, which is a restart too. */
async function waitForDeath(plan: CrashPlan): Promise<boolean> {
  for (let waited = 0; waited < 200 && !plan.isDead; waited += 1) await delay(10);
  return plan.isDead;
}

test(
  `${String(EVENTS)} events, ${String(CLIENTS)} listeners killed at random, a node killed ${String(NODE_KILLS)} times: nothing is lost or doubled`,
  async () => {
    await world.start(UN, DE);
    let isOver = false;
    const listeners = Array.from({ length: CLIENTS }, () => new Listener());
    const [first = new Listener()] = listeners;
    const running = listeners.map((listener) => listener.run(() => isOver));
    const startedMs = performance.now();

    const stormIsOver = new AbortController();
    const toldToAll = () => listeners.reduce((sum, { told }) => sum + told.length, 0);
    const storm = (async () => {
      for (let due = TOLD_BETWEEN; !stormIsOver.signal.aborted;) {
        await delay(20 + Math.random() * 120);
        if (toldToAll() < due) continue;
        due = toldToAll() + TOLD_BETWEEN;
        if (Math.random() < 0.5) proxy.cut(() => Math.random() < 0.5);
        for (const listener of listeners) if (Math.random() < 0.3) listener.kill();
      }
    })();
    const withdrawn = new Set<EventId>();
    const withdrawing = (async () => {
      for (let at = 0; !stormIsOver.signal.aborted;) {
        const readable = first.told.slice(at).filter(({ kind }) => kind === 'READABLE');
        at = first.told.length;
        const ids = readable
          .map((notice) => notice.eventId as EventId)
          .filter((_, n) => n % WITHDRAWN_OF === 0);
        for (const id of ids) withdrawn.add(id);
        if (ids.length > 0) world.purges.purge(DE, ...ids);
        await delay(50);
      }
    })();

    const publishing = publishAll();
    let died = 0;
    for (let kills = 0; kills < NODE_KILLS; kills += 1) {
      const due = ((kills + 1) * EVENTS) / (NODE_KILLS + 1);
      await until('some are told', () => first.told.length >= due, PATIENCE_MS);
      if (await killNode()) died += 1;
    }
    await publishing;
    stormIsOver.abort();
    await Promise.all([storm, withdrawing]);

    const wanted = EVENTS + withdrawn.size;
    await until(
      'every listener has been told of everything',
      () =>
        listeners.every(
          (listener) => listener.events.size === EVENTS && listener.withdrawals === withdrawn.size,
        ),
      PATIENCE_MS,
    );
    await delay(200); // whatever were told too often would come now
    isOver = true;
    for (const listener of listeners) listener.kill();
    await Promise.all(running);

    for (const { told } of listeners) {
      const readable = told.filter(({ kind }) => kind === 'READABLE').map((one) => one.eventId);
      const gone = told.filter(({ kind }) => kind === 'WITHDRAWN').map((one) => one.eventId);
      expect(new Set(readable).size).toBe(readable.length);
      expect(new Set(gone)).toEqual(withdrawn);
      expect(gone).toHaveLength(withdrawn.size);
      const all = new Set([...readable, ...gone]);
      expect(all.size).toBe(EVENTS);
      for (let n = 0; n < EVENTS; n += 1) if (!all.has(eventId(n))) throw new Error(`lost ${n}`);
      // what is readable is never told after it was withdrawn
      const goneAt = new Map(told.map(({ kind, eventId: id }, at) => [`${kind} ${id}`, at]));
      for (const id of gone) {
        const before = goneAt.get(`READABLE ${id}`) ?? -1;
        expect(goneAt.get(`WITHDRAWN ${id}`)).toBeGreaterThan(before);
      }
      expect(new Set(told.map(({ cursor }) => cursor)).size).toBe(told.length);
    }
    const broken = listeners.reduce((sum, { kills }) => sum + kills, 0);
    expect(broken).toBeGreaterThan(CLIENTS);
    expect(proxy.cuts).toBeGreaterThan(0);
    expect(died).toBeGreaterThan(0);
    const figures =
      `${String(EVENTS)} events, ${String(withdrawn.size)} withdrawn, ${String(wanted)} notices to each of ` +
      `${String(CLIENTS)} listeners, ${String(broken)} broken streams, ${String(proxy.cuts)} sockets cut, ` +
      `${String(died)} of ${String(NODE_KILLS)} restarts of the node by a kill, ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`;
    if (process.env['SUBSCRIBE_KILLS_EVENTS'] !== undefined) process.stderr.write(figures);
  },
  300_000 + PATIENCE_MS * 3,
);
