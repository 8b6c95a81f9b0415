import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '@concordat/cli/io/free-ports.js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const CONCORDAT = fileURLToPath(new URL('../../services/cli/bin/concordat.js', import.meta.url));
/** Far more than a probe of 2 s and a start of the program on a busy machine; far less than a pull. */
const PATIENCE_MS = 30_000;

/** The only directory in PATH: what is not put here is not on this machine. */
let bin = '';
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'concordat-ways-'));
  await symlink('/bin/sh', join(bin, 'sh'));
});
afterEach(() => rm(bin, { recursive: true, force: true }));

async function command(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

async function startBroker(settings: Readonly<Record<string, string>> = {}) {
  const startMs = performance.now();
  const args = ['broker', 'start', '--dir', join(bin, 'home'), '--port', String(await freePort())];
  const child = spawn(process.execPath, [CONCORDAT, ...args], {
    env: { PATH: bin, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exit: await exit, out, err, ms: performance.now() - startMs };
}

const ENGINE = `case "$1 $2" in
  'info --format') echo '28.0.0;Debian;[]' ;;
  'context inspect') echo unix:///var/run/docker.sock ;;
  'compose version') echo 2.30.0 ;;`;

test('without any broker, one error names the three ways and why each is closed', async () => {
  const { exit, out, err } = await startBroker();
  expect({ exit, out }).toEqual({ exit: 75, out: '' });
  expect(err).toMatch(/^BROKER_UNAVAILABLE/m);
  expect(err).toMatch(/set KAFKA_BROKERS=host:port/);
  expect(err).toMatch(/start a Docker engine with Compose.*\(no "docker" command\)/);
  expect(err).toMatch(/install Java 17 or later and Maven.*\(no Java: /);
});

test('an engine that never answers is given up soon', async () => {
  await command('docker', 'kill -STOP $$');
  const { exit, err, ms } = await startBroker();
  expect(exit).toBe(75);
  expect(err).toMatch(/\(no answer in time\)/);
  expect(ms).toBeLessThan(PATIENCE_MS);
});

test('an engine without Compose is no way', async () => {
  await command('docker', `${ENGINE.replace('echo 2.30.0', 'exit 1')}\nesac`);
  expect((await startBroker()).err).toMatch(/Docker has no Compose/);
});

test('an image that is neither here nor to be had is no way', async () => {
  await command(
    'docker',
    `${ENGINE}\n  pull*) echo 'no route to host' >&2; exit 1 ;;\n *) exit 1 ;;\nesac`,
  );
  const { exit, err } = await startBroker();
  expect(exit).toBe(75);
  expect(err).toMatch(/pulling apache\/kafka:/);
  expect(err).toMatch(/is not here and was not pulled: no route to host/);
});

test('a container that does not start leaves the way to Java, and says so', async () => {
  const run = `compose*) echo 'cannot start' >&2; exit 1 ;;\n  rm*) exit 0 ;;\n  image*) exit 0 ;;`;
  await command('docker', `${ENGINE}\n  ${run}\nesac`);
  const { err } = await startBroker();
  expect(err).toMatch(/did not start in a container.*cannot start.*trying Java/);
  expect(err).toMatch(/install Java 17 or later and Maven.*\(no Java: /);
});

test('BROKER=docker tries nothing else', async () => {
  const { exit, err } = await startBroker({ BROKER: 'docker' });
  expect(exit).toBe(75);
  expect(err).toMatch(
    /BROKER=docker is set, and there is no broker by Docker: no "docker" command/,
  );
  expect(err).not.toMatch(/no Java/);
});

test('BROKER=java asks no engine', async () => {
  await command('docker', `echo "$@" >>${bin}/asked`);
  const { err } = await startBroker({ BROKER: 'java' });
  expect(err).toMatch(/\(no Java: /);
  expect(await readdir(bin)).not.toContain('asked');
});

test('another BROKER is wrong configuration', async () => {
  const { exit, err } = await startBroker({ BROKER: 'podman' });
  expect(exit).toBe(2);
  expect(err).toMatch(/BROKER[^]*expected +docker or java/);
});
