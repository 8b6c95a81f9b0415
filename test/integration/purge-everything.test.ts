import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyNotice } from '@concordat/common/domain/default-notice.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type MemberId, type OrderId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { codec, memberOf } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { NodeWorld, UN, refusalOf, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

/** By hand `PURGED_EVENTS=100000`, with `NODE_OPTIONS=--max-old-space-size=8192`. */
const EVENTS = Number(process.env['PURGED_EVENTS'] ?? 5_000);
/** As the command line makes them for ten holders. */
const ORDER_IDS_MAX = 1_000;
const MESSAGE = 250;
const LOOK_EVERY_MS = 50 + EVENTS / 50;
const DAY_MS = 86_400_000;
const ANSWERED_MS_MAX = 60_000;
/** For what a machine does in its own time. */
const PATIENCE_MS = 60_000 + EVENTS * 20;
const RECIPIENTS = Array.from({ length: 10 }, (_, n) => memberOf(`m${'abcdefghij'.charAt(n)}`));
const [CUT = UN, ...CONNECTED] = RECIPIENTS;

/** The wire of one member: while it is down nothing goes in or out. */
class Wire {
  #up: Promise<void> = Promise.resolve();
  #mend: (() => void) | undefined;

  cut(): void {
    this.#up = new Promise((resolve) => (this.#mend = resolve));
  }

  mend(): void {
    this.#mend?.();
    this.#mend = undefined;
  }

  demandUp(): void {
    if (this.#mend) throw new ConcordatError('PEER_UNAVAILABLE', 'the wire is cut');
  }

  around(log: LogClient): LogClient {
    return {
      ...log,
      read: (options) =>
        log.read({
          ...options,
          handle: async (batch, ...rest) => {
            await this.#up;
            return options.handle(batch, ...rest);
          },
        }),
      send: async (...args) => {
        if (this.#mend) throw new ConcordatError('BROKER_UNAVAILABLE', 'the wire is cut');
        return log.send(...args);
      },
    };
  }
}

const wire = new Wire();
let world: NodeWorld;
beforeEach(() => {
  const rules = RECIPIENTS.map((member) => rule(`r-${member}`, member, ['**'], ['*']));
  world = new NodeWorld(rules, RECIPIENTS);
  world.aroundLog = (log, member) => (member === CUT ? wire.around(log) : log);
});
afterEach(async () => {
  wire.mend();
  await world.dispose();
});

async function everybodyHolds(count: number): Promise<void> {
  // one person may order it all: who must approve is another test's subject
  const alone = { approvalsAbove: count };
  await world.startConsent();
  await world.startNode(UN, alone);
  await world.startRevocation(alone);
  await world.start(...RECIPIENTS);
  const { answerNonce, fetchLedger } = world;
  const throughWire = (member: MemberId): void => {
    if (member === CUT) wire.demandUp();
  };
  world.answerNonce = (member, nonce) => {
    throughWire(member);
    return answerNonce(member, nonce);
  };
  world.fetchLedger = (member, wanted) => {
    throughWire(member);
    return fetchLedger(member, wanted);
  };
  for (let from = 0; from < count; from += MESSAGE) {
    const events = Array.from({ length: Math.min(MESSAGE, count - from) }, (_, n) =>
      world.request(from + n, {}, { firstName: `Canary ${String(from + n)}` }),
    );
    const answer = await world.node(UN).national.publishStream([{ events }], { timeoutMs: 1 });
    expect(answer.published).toBe(events.length);
  }
  const holds = async (member: MemberId): Promise<boolean> =>
    (await world.partner(member)).readable === count;
  for (const member of RECIPIENTS) {
    await until(`${member} holds everything`, () => holds(member), PATIENCE_MS);
  }
}

async function orderEverything(): Promise<OrderId[]> {
  const orders: OrderId[] = [];
  const nowMs = world.clock.nowMs();
  for (let from = 0; from < EVENTS; from += ORDER_IDS_MAX) {
    const count = Math.min(ORDER_IDS_MAX, EVENTS - from);
    const ids = Array.from({ length: count }, (_, n) => eventId(from + n));
    const id = orderId(orders.length + 1);
    const times = { issuedAtMs: nowMs, deadlineMs: asUnixMs(nowMs + DAY_MS) };
    const order = officerOrder(world.members, { orderId: id, ids, ...times });
    await world.purgeService.order({ order }, { timeoutMs: 1 });
    orders.push(id);
  }
  return orders;
}

const statusOf = (id: OrderId) => world.purgeService.status({ orderId: id }, { timeoutMs: 1 });

/** How a holder stands with each of these orders; the list names no events, which many do not bear to be asked for often. */
async function states(orders: readonly OrderId[], member: MemberId): Promise<string[]> {
  const { orders: all } = await world.purgeService.list({}, { timeoutMs: 1 });
  return orders.map((id) => {
    const found = all.find((one) => one.orderId === id);
    return found?.holders.find((one) => one.member === member)?.state ?? 'none';
  });
}

async function allAre(state: string, orders: readonly OrderId[], ...members: MemberId[]) {
  for (const member of members) {
    await until(
      `${member} is ${state}`,
      async () => {
        if ((await states(orders, member)).every((one) => one === state)) return true;
        await delay(LOOK_EVERY_MS); // to be told of many orders is work for who carries them out
        return false;
      },
      PATIENCE_MS,
    );
  }
}

/** Bytes of the largest certificate so far, and how many were verified. */
const certificates = { bytesMax: 0, verified: 0 };

/** What the certificate of an order proves to a stranger. */
async function certified(id: OrderId) {
  const asked = { orderId: id, evenIncomplete: true };
  const { dsseJson } = await world.purgeService.certificate(asked, { timeoutMs: 1 });
  const signed = verifyDsse(codec, world.members.keys, 'Certificate', dsseJson);
  if (!signed.ok) throw signed.error;
  const purge = verifyCertificate(codec, world.members.keys, signed.value.value);
  if (!purge.ok) throw purge.error;
  certificates.verified += 1;
  certificates.bytesMax = Math.max(certificates.bytesMax, dsseJson.length);
  return purge.value;
}

const startMs = performance.now();
function tell(what: string): void {
  if (process.env['PURGED_EVENTS'] === undefined) return;
  const [seconds, cpu] = [performance.now() - startMs, process.cpuUsage().user / 1e3].map((ms) =>
    (ms / 1e3).toFixed(1),
  );
  const mebibytes = (process.memoryUsage.rss() / 2 ** 20).toFixed(0);
  process.stderr.write(`${seconds} s, cpu ${cpu} s, ${mebibytes} MiB: ${what}\n`);
}

const refused = async (member: MemberId, n: number): Promise<string> =>
  (await refusalOf(world.open(member, eventId(n)))).code;

test('of ten holders one is cut off: nine answer, its silence is signed, and back it reads nothing before it has caught up', async () => {
  await everybodyHolds(EVENTS);
  tell('everybody holds everything');
  wire.cut();
  const orders = await orderEverything();
  await allAre('DELETED', orders, ...CONNECTED);
  tell('nine have answered');
  expect(await states(orders, CUT)).toEqual(orders.map(() => 'APPENDED'));
  for (const member of CONNECTED) {
    expect(await refused(member, EVENTS - 1)).toBe('PURGED');
    expect(await world.partner(member)).toMatchObject({ tombstones: EVENTS, readable: 0 });
  }

  const silentMs = 3 * DAY_MS;
  world.ahead.wallMs = silentMs;
  world.ahead.monotonicMs = silentMs;
  await allAre('DEFAULTED', orders, CUT);
  for (const [at, id] of orders.entries()) {
    const { receipts } = await world.purgeService.receipts({ orderId: id }, { timeoutMs: 1 });
    expect(receipts.map(({ member, stage }) => [member, stage])).toEqual(
      CONNECTED.map((member) => [member, 'DELETED']),
    );
    const { notices } = await world.purgeService.notices({ orderId: id }, { timeoutMs: 1 });
    expect(notices.map(({ member }) => member)).toEqual([CUT]);
    const notice = verifyNotice(codec, world.members.keys, notices[0]?.dsseJson ?? '');
    expect(notice).toMatchObject({ ok: true, value: { recipient: CUT, orderId: id } });
    if (at > 0) continue; // one shows how it looks; that they all hold is shown at the end
    const { missing, holders } = await certified(id);
    expect(missing).toEqual([{ recipient: CUT, entry: 1, why: 'silent' }]);
    expect(holders.map(({ recipient }) => recipient)).toEqual(RECIPIENTS);
  }
  tell('one is called silent');
  // it still has every key, and may use none
  expect(await world.partner(CUT)).toMatchObject({ readable: EVENTS, tombstones: 0 });
  expect(await refused(CUT, 0)).toBe('NOT_FRESH');

  const backMs = performance.now();
  wire.mend();
  const read = new Set<string>();
  await until(
    'it has caught up',
    async () => {
      read.add(await refused(CUT, EVENTS - 1));
      const { freshness, purgeApplied } = await world.partner(CUT);
      return freshness === 'FRESH' && purgeApplied === orders.length;
    },
    ANSWERED_MS_MAX,
  );
  for (const code of read) expect(['NOT_FRESH', 'BEHIND', 'PURGED']).toContain(code);
  await allAre('DELETED', orders, CUT);
  const tookMs = performance.now() - backMs;
  tell(`back, and answered within ${tookMs.toFixed(0)} ms`);
  expect(tookMs).toBeLessThan(ANSWERED_MS_MAX);
  expect(await refused(CUT, 0)).toBe('PURGED');
  expect(await world.partner(CUT)).toMatchObject({ readable: 0, tombstones: EVENTS, gaps: [] });

  let proven = 0;
  for (const id of orders) {
    await until('it is closed', async () => (await statusOf(id)).state === 'CLOSED', PATIENCE_MS);
    const { missing, holders } = await certified(id);
    expect(missing).toEqual([]);
    expect(holders.map(({ recipient }) => recipient)).toEqual(RECIPIENTS);
    proven += holders[0]?.ids.length ?? 0;
  }
  expect(proven).toBe(EVENTS);
  tell(`${JSON.stringify(certificates)}, all complete`);
}, 7_200_000);
