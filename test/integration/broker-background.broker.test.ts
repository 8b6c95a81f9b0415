import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import { freePort } from '@concordat/cli/io/free-ports.js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const run = promisify(execFile);
const CONCORDAT = fileURLToPath(new URL('../../services/cli/bin/concordat.js', import.meta.url));

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'concordat-up-'));
});
afterEach(async () => {
  await broker('down');
  await rm(dir, { recursive: true, force: true });
});

function broker(...args: string[]) {
  return run(process.execPath, [CONCORDAT, 'broker', ...args, '--dir', dir]);
}

test('broker up starts one that stays, once, and broker down ends it', async () => {
  const port = String(await freePort());
  const address = `127.0.0.1:${port}`;
  const first = await broker('up', '--port', port);
  expect(first.stdout).toBe(`${address}\n`);
  expect(await pingBroker([address])).toBe(true);

  const again = await broker('up', '--port', port);
  expect(again.stdout).toBe(`${address}\n`);
  expect(again.stderr).not.toMatch(/starting/);

  expect((await broker('down')).stderr).toMatch(`stopped the broker at ${address}`);
  expect(await pingBroker([address])).toBe(false);
  expect((await broker('down')).stderr).toMatch(/no broker of broker up runs/);
});
