import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runServices } from './run-service.js';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'run-service-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function script(name: string, text: string): Promise<string> {
  const path = join(dir, `${name}.mjs`);
  await writeFile(path, text);
  return path;
}

/** Stays until SIGTERM, then says so and ends well. */
const STAYS = `
const stay = setInterval(() => {}, 1000);
process.once('SIGTERM', () => { console.error('stopping'); clearInterval(stay); });
console.error('ready');
`;
const never = new AbortController().signal;

test('a service gets its settings and nothing else, and its exit code is ours', async () => {
  const main = await script('env', 'process.exit(Object.keys(process.env).length)');
  const env = { CONCORDAT_MEMBER: 'de', KAFKA_BROKERS: 'x:1' };
  expect(await runServices([{ service: 'node', main, env }], { stop: never })).toBe(2);
});

test('the first service that ends takes the others with it', async () => {
  const stays = await script('stays', STAYS);
  const dies = await script('dies', 'setTimeout(() => process.exit(75), 300)');
  const lines: string[] = [];
  const exit = await runServices(
    [
      { service: 'node', main: stays, env: {} },
      { service: 'consent', main: dies, env: {} },
    ],
    { stop: never, onLine: (service, line) => lines.push(`${service} ${line}`) },
  );
  expect(exit).toBe(75);
  expect(lines).toEqual(['node ready', 'node stopping']);
});

test('told to stop, every service ends in its own way', async () => {
  const main = await script('stays', STAYS);
  const stop = new AbortController();
  const lines: string[] = [];
  const exit = await runServices([{ service: 'node', main, env: {} }], {
    stop: stop.signal,
    onLine: (_service, line) => {
      lines.push(line);
      if (line === 'ready') stop.abort();
    },
  });
  expect(exit).toBe(0);
  expect(lines).toEqual(['ready', 'stopping']);
});

test('a service that a signal ended has the exit code that a shell gives it', async () => {
  const main = await script('killed', "process.kill(process.pid, 'SIGKILL')");
  expect(await runServices([{ service: 'node', main, env: {} }], { stop: never })).toBe(137);
});
