import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HealthService } from '@concordat/common/io/rpc/definitions.js';
import { DE, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { until } from '../support/until.js';

const SERVING = 1;
const NOT_SERVING = 2;
const NATIONAL = 'concordat.node.v1.NationalService';
const KEYS = 'concordat.node.v1.KeyService';

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };
const check = async (service: string): Promise<number> =>
  (await world.node(UN).health.check({ service }, soon)).status;

test('a node that has recovered, reads and reaches the broker is ready', async () => {
  await world.startNode(UN);
  await until('the broker was asked', async () => (await check('')) === SERVING);
  for (const name of world.servedBy(UN)) {
    expect([name, await check(name)]).toEqual([name, SERVING]);
  }
});

test('without the broker a node still takes events, and says that it releases no key', async () => {
  await world.startNode(UN);
  await until('the broker was asked', async () => (await check('')) === SERVING);
  const told: number[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    const items = world.node(UN).health.watch({ service: KEYS }, { ...soon, signal: stop.signal });
    for await (const { status } of items) told.push(status);
  })();
  await until('the watcher is told what is', () => told.length === 1);
  world.log.setReachable(false);
  await until('the watcher is told that the broker is away', () => told.length === 2);
  expect([await check(''), await check(KEYS), await check(NATIONAL)]).toEqual([
    NOT_SERVING,
    NOT_SERVING,
    SERVING,
  ]);
  await world.publish(1);
  world.log.setReachable(true);
  await until('the watcher is told that it is back', () => told.length === 3);
  expect(told).toEqual([SERVING, NOT_SERVING, SERVING]);
  stop.abort();
  await watching;
});

test('a watcher is told that a node stops', async () => {
  const { running, health } = await world.startNode(DE);
  const told: number[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    const items = health.watch({ service: NATIONAL }, { ...soon, signal: stop.signal });
    for await (const { status } of items) told.push(status);
  })();
  await until('the watcher is told what is', () => told.length === 1);
  await running.close();
  world.nodes.delete(DE);
  await until('the watcher is told of the end', () => told.length === 2);
  expect(told).toEqual([SERVING, NOT_SERVING]);
  stop.abort();
  await watching;
});

test('Check of a service that is not served is SERVICE_UNKNOWN, Watch of one says so', async () => {
  await world.startNode(UN);
  expect(await refusalOf(check('concordat.node.v1.Other'))).toMatchObject({
    code: 'SERVICE_UNKNOWN',
    details: { fields: [{ field: 'service' }] },
  });
  for await (const { status } of world.node(UN).health.watch({ service: 'x.Y' }, soon)) {
    expect(status).toBe(3);
    break;
  }
});

test('anybody of the own member may ask, and nobody else', () => {
  const { access } = HealthService.methods.check;
  expect(access.member).toBe('own');
  expect(HealthService.methods.watch.access).toBe(access);
});
