import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { readSettings } from '../config.js';
import { runCommand } from './program.js';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'concordat-cli-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function concordat(args: string, env: Readonly<Record<string, string>> = {}) {
  const said = { out: '', err: '' };
  const exit = await runCommand(args.split(' '), {
    settings: readSettings(env),
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    stdin: Readable.from(['{}']),
    isTerminal: false,
    clock: systemClock,
    random: systemRandom,
    interruption: () => new AbortController().signal,
  });
  return { exit, ...said };
}

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';

const COMMANDS = [
  'federation init',
  'broker start',
  'broker up',
  'broker down',
  'topic plan',
  'topic apply',
  'node start',
  'node backup',
  'node restore',
  'node erase-media',
  'consent start',
  'revocation start',
  'member start',
  'member leave',
  'member status',
  'event publish',
  'event generate',
  'event amend',
  'event retract',
  'event show',
  'event open',
  'event holders',
  'event request-onward',
  'event onward-requests',
  'purge preview',
  'purge order',
  'purge approve',
  'purge receipts',
  'purge status',
  'purge certificate',
  'purge notice',
  'purge hold',
  'purge release',
  'purge holds',
  'purge scope',
  'stream tail',
  'stream explain',
  'feed void',
  'quarantine list',
  'quarantine show',
  'quarantine replay',
  'reading list',
  'status',
  'config check',
  'config reload',
  'verify certificate',
  'verify ledger',
  'verify notice',
  'verify receipt',
  'version',
];

test.each(COMMANDS)('%s is listed with what it does, and explains itself', async (command) => {
  const parent = command.split(' ').slice(0, -1).join(' ');
  const verb = command.split(' ').at(-1) ?? '';
  const list = await concordat(`${parent} --help`.trim());
  const own = await concordat(`${command} --help`);
  expect([list.exit, own.exit]).toEqual([0, 0]);
  expect(list.out).toMatch(new RegExp(`^  ${verb} .*[a-z]{3}`, 'm'));
  expect(own.out).toMatch(/^Usage: concordat .+/);
  expect(own.out).toContain('--output <format>');
});

test('no command is left out of the tree above', async () => {
  const names = (help: string): string[] =>
    [...help.matchAll(/^ {2}([a-z][a-z-]*) .*/gm)].map(([, name = '']) => name);
  const nouns = names((await concordat('--help')).out).filter((noun) => noun !== 'demo');
  const found: string[] = [];
  for (const noun of nouns) {
    const { out } = await concordat(`${noun} --help`);
    const verbs = names(out.split('Commands:')[1] ?? '');
    found.push(...(verbs.length === 0 ? [noun] : verbs.map((verb) => `${noun} ${verb}`)));
  }
  expect(found.sort()).toEqual([...COMMANDS].sort());
});

test.each([
  ['an unknown command', 'evnt', /unknown command 'evnt'/],
  ['an unknown option', 'version --colour', /unknown option '--colour'/],
  ['no verb', 'event', /Usage: concordat event/],
  ['no member', `event holders ${ID}`, /--member <id>/],
  ['a malformed member', `event holders ${ID} --member DE`, /2 to 8 lower-case letters/],
  ['a malformed event id', 'event holders 7 --member de', /UUID of version 7/],
  ['a malformed duration', `event holders ${ID} --member de --timeout 5`, /500ms, 10s/],
  ['no reason', `purge order ${ID} --member un`, /--reason/],
  ['a reason of rules', `purge order ${ID} --member un --reason retention`, /Allowed choices/],
  ['an unknown format', 'version --output xml', /Allowed choices are table, json/],
  ['no holder', `purge notice ${ID} --member un`, /--holder <id>/],
  ['a leave without a reason', 'member leave de --member un', /--reason/],
  ['a leave for an event', 'member leave de --member un --reason error', /Allowed choices/],
  ['a watch of nobody', 'member status --watch --member un', /REQUEST_INVALID {2}--watch/],
  ['a watch of nothing', 'purge status --watch --member un', /REQUEST_INVALID {2}--watch/],
  [
    'no audience',
    'event publish - --member un --schema listing --purpose p --legal-basis x',
    /came +neither/,
  ],
  [
    'two audiences',
    'event publish - --member un --schema listing --purpose p --legal-basis x --to de --by-agreement',
    /came +both/,
  ],
  [
    'lines that replace one event',
    `event publish - --member un --schema listing --purpose p --legal-basis x --to de --lines --id ${ID}`,
    /--lines: expected no --id/,
  ],
  [
    'content of a kind that is not',
    'event generate --category person-alert.x',
    /person-alert.missing/,
  ],
  ['no number of events', 'event generate --category person-alert --count 0', /from 1 to 1000000/],
])('%s is wrong usage: exit code 2, nothing on stdout', async (_name, args, text) => {
  const { exit, out, err } = await concordat(args);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(err).toMatch(text);
});

test('made-up content comes a line each, the same for a seed, of the length asked for', async () => {
  const make = (more: string) =>
    concordat(`event generate --category threat-indicator --seed a --bytes 1500 ${more}`);
  const { exit, out } = await make('--count 3');
  expect(exit).toBe(0);
  const lines = out.trimEnd().split('\n');
  expect(lines.map((line) => Buffer.byteLength(line))).toEqual([1500, 1500, 1500]);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ patternVersion: '2.1' });
  expect((await make('--first 2')).out).toBe(`${lines[2] ?? ''}\n`);
});

test('a schema version that is not there is named', async () => {
  const { exit, err } = await concordat(
    'event publish - --member un --category threat-indicator.file --schema-version 9 ' +
      '--purpose p --legal-basis x --to de',
  );
  expect(exit).not.toBe(0);
  expect(err).toMatch(/^SCHEMA_UNKNOWN {2}--schema-version: .*threat-indicator\.v9\.avsc/);
});

test('what an event is derived from is named by member and id', async () => {
  const { exit, err } = await concordat(
    'event publish - --purpose x --legal-basis y --derived-from 01890000-0000-7000-8000-000000000001',
  );
  expect(exit).toBe(2);
  expect(err).toMatch(/Expected MEMBER\/ID/);
});

test('a directory without a federation is named, with what to do', async () => {
  const { exit, err } = await concordat(`status --member un --home ${dir}/none`);
  expect(exit).toBe(2);
  expect(err).toMatch(/^FEDERATION_INVALID {2}.*none/);
  expect(err).toMatch(/^ {2}more {6}docs\/errors.md#federation_invalid$/m);
});

test('an answer for programs is JSON on stdout', async () => {
  const { exit, out } = await concordat('version --output json');
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toEqual({
    concordat: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    node: process.version,
  });
});

describe('a new federation', () => {
  const init = (place: string, more = '') =>
    concordat(
      `federation init --dir ${dir}/${place} --name test --member un:origin --member de${more}`,
    );

  test('has addresses, keys, and agreements that say that they are an example', async () => {
    const { exit, out } = await init('fed', ' --port-base 8100 --output json');
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toEqual([
      {
        member: 'un',
        node: '127.0.0.1:8100',
        consent: '127.0.0.1:8101',
        revocation: '127.0.0.1:8102',
      },
      { member: 'de', node: '127.0.0.1:8110' },
    ]);
    const { agreements, consents } = readPolicyFile(`${dir}/fed/agreements.json`);
    expect(agreements.map(({ parties }) => parties)).toEqual([['un', 'de']]);
    expect(consents.map(({ origin }) => origin)).toEqual(['un' as MemberId]);
    const ids = [...agreements.flatMap(({ id, rules }) => [id, ...rules.map((rule) => rule.id)])];
    expect(ids.filter((id) => !id.startsWith('example'))).toEqual([]);
  });

  test('is not made over another one', async () => {
    await init('twice');
    const before = await readFile(`${dir}/twice/federation.json`, 'utf8');
    const { exit, err } = await init('twice');
    expect(exit).toBe(2);
    expect(err).toContain('CONFIG_INVALID');
    expect(await readFile(`${dir}/twice/federation.json`, 'utf8')).toBe(before);
  });

  test('is not made with agreements that cannot be read', async () => {
    await writeFile(`${dir}/bad.json`, '{"agreements": [], "consents": [{}]}');
    const { exit } = await init('bad', ` --agreement ${dir}/bad.json`);
    expect(exit).toBe(2);
    await expect(readFile(`${dir}/bad/federation.json`)).rejects.toThrow('ENOENT');
  });

  test('whose services are down answers "try again later"', async () => {
    await init('down', ' --port-base 61000');
    const { exit, out, err } = await concordat(`event holders ${ID}`, {
      CONCORDAT_HOME: `${dir}/down`,
      CONCORDAT_MEMBER: 'un',
    });
    expect({ exit, out }).toEqual({ exit: 75, out: '' });
    expect(err).toMatch(/^PEER_UNAVAILABLE/);
  });

  test('has members that publish nothing, of which nothing is asked in vain', async () => {
    await init('quiet');
    const args = `purge status --member de --home ${dir}/quiet`;
    const { exit, err } = await concordat(args);
    expect(exit).toBe(2);
    expect(err).toMatch(/expected {2}a member with a revocation service/);
  });
});
