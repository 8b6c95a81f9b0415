import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '@concordat/cli/io/free-ports.js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'concordat-walk-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** What a newcomer types: the shell blocks of the page, in order. */
function commandsOf(page: string): string {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^```sh\n([^]*?)^```$/gm);
  return [...blocks].map(([, block = '']) => block).join('');
}

/** As in a shell of its own, without settings of the tests; whatever it started ends with it. */
async function inShell(commands: string) {
  const settings = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('CONCORDAT_') && name !== 'KAFKA_BROKERS',
  );
  const script = `trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n${commands}`;
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
    // some terminals of build machines ask for colours
    env: { ...Object.fromEntries(settings), NO_COLOR: '1', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => shell.once('exit', resolve));
  const [out, err] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
  return { exit: await exit, out, err };
}

test('config check names every problem of a home at once, and whose it is', async () => {
  const dir = join(home, 'broken');
  const { exit, err } = await inShell(`
    concordat() { node services/cli/bin/concordat.js "$@"; }
    concordat federation init --quiet --dir ${dir} --name broken --member un:origin --member de
    cp ${dir}/members/un/node.crt ${dir}/members/un/consent.crt
    rm ${dir}/members/de/node.ed25519.pem
    echo '{}' > ${dir}/agreements.json
    CONCORDAT_LOG__LEVLE=debug concordat config check --home ${dir}`);
  expect(exit).toBe(2);
  expect(err).toMatch(/un-node, un-consent, un-revocation, de-node: CONCORDAT_LOG__LEVLE: .*LEVEL/);
  expect(err).toMatch(/un-node, un-consent, de-node: .*agreements.json/);
  expect(err).toMatch(/un-consent: .*consent.crt: expected a certificate of concordat:.*consent/);
  expect(err).toMatch(/de-node: .*node.ed25519.pem: expected a readable file, came ENOENT/);
});

test('the walkthrough, typed as it stands, does what it says', async () => {
  const commands = commandsOf('docs/walkthrough.md')
    .replaceAll('9092', String(await freePort()))
    .replaceAll('7100', String(await freePort()).replace(/..$/, '00'))
    .replaceAll('out/by-hand', home);
  const { exit, out, err } = await inShell(commands);
  expect({ exit, err }).toMatchObject({ exit: 0 });
  expect(out).toMatch(/firstName +SAMPLE/);
  expect(out.match(/reference +SYN-PA-/g)).toHaveLength(3);
  expect(out).not.toMatch(/remarks +An invented person, made from a seed/);
  expect(out).toMatch(/firstName +EXEMPLAR/);
  expect(out).toMatch(/supersededBy +[0-9a-f-]{36}/);
  expect(out).toMatch(/border-control +EX-1 +READ /);
  expect(out).toMatch(/reason +NO_RULE/);
  expect(out.match(/exit code 4/g)).toHaveLength(2);
  expect(out.match(/exit code 2/g)).toHaveLength(1);
  expect(err).toMatch(/^REQUEST_INVALID .*was replaced by [0-9a-f-]{36}: amend that one/m);
  expect(out.match(/^de +DELETED/gm)).toHaveLength(2);
  expect(out).toMatch(/holders +de DELETED/);
  expect(err).toMatch(/^EVENT_UNKNOWN/m);
  expect(err).toMatch(/^PURGED/m);
  expect(err).toMatch(/^valid, complete: /m);
});
