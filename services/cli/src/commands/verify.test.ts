import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, test } from '@jest/globals';
import { trustJson } from '@concordat/common/domain/federation.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { certificateFile, tellStory } from '../../../../test/support/certificate.js';
import { memberOf, testFederation } from '../../../../test/support/federation.js';
import { readSettings } from '../config.js';
import { runCommand } from './program.js';

const members = ['un', 'de', 'fr', 'nl'].map(memberOf);
const federation = testFederation(members);
const { certificate } = tellStory(federation);
const valid = certificateFile(federation, certificate);

const dir = mkdtempSync(join(tmpdir(), 'concordat-verify-'));
afterAll(() => rmSync(dir, { recursive: true }));
function put(name: string, text: string): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}
put('trust.json', JSON.stringify(trustJson(federation.federation)));

async function verify(...args: string[]) {
  const said = { out: '', err: '' };
  const exit = await runCommand(['verify', 'certificate', ...args], {
    settings: readSettings({}),
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    stdin: Readable.from([valid]),
    isTerminal: false,
    clock: systemClock,
    random: systemRandom,
    interruption: () => new AbortController().signal,
  });
  return { exit, ...said };
}

describe('a true certificate', () => {
  test.each(['certificate.json', 'certificates/certificate.json'])(
    'holds with the trust file beside it or one above: %s',
    async (name) => {
      const { exit, err } = await verify(put(name, valid));
      expect(exit).toBe(0);
      expect(err).toContain('trust.json');
    },
  );

  test('says what it proves: order, events, holders and their receipts', async () => {
    const { out } = await verify(put('c.json', valid), '--output', 'json');
    expect(JSON.parse(out)).toMatchObject({
      origin: 'un',
      events: [expect.any(String), expect.any(String), expect.any(String)],
      keysDestroyedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      holders: expect.arrayContaining([
        { member: 'de', events: 3, receipt: 'DELETED', answeredAt: expect.stringMatching(/Z$/) },
      ]),
    });
  });

  test('may come through a pipe, and may be laid out with white space', async () => {
    expect((await verify('-', '--trust', join(dir, 'trust.json'))).exit).toBe(0);
    const spaced = JSON.stringify(JSON.parse(valid), undefined, '\t');
    expect((await verify(put('spaced.json', spaced))).exit).toBe(0);
  });
});

/** Another character of the same kind, so that the shape alone does not give it away. */
function altered(text: string, at: number): string {
  const other = text[at] === 'A' ? 'B' : 'A';
  return text.slice(0, at) + other + text.slice(at + 1);
}

describe('exit code 5 for', () => {
  const SAMPLES = 12;
  const step = Math.floor(valid.length / SAMPLES);
  const places = Array.from({ length: SAMPLES }, (_, at) => at * step);

  test.each([...places, valid.length - 1])('a character changed at %i', async (at) => {
    const { exit, out } = await verify(put('altered.json', altered(valid, at)));
    expect({ exit, out }).toEqual({ exit: 5, out: '' });
  });

  test.each([
    ['nothing', ''],
    ['JSON of another kind', '{}'],
    ['an unknown field', valid.replace('{', '{"note":"",')],
    ['a text before it', `\ufeff${valid}`],
  ])('%s', async (_name, text) => {
    expect((await verify(put('other.json', text))).exit).toBe(5);
  });

  test.each([
    ['another role', 'un', 'node'],
    ['another member', 'de', 'revocation'],
  ] as const)('one that %s signed', async (_name, member, role) => {
    const text = certificateFile(federation, certificate, { member: memberOf(member), role });
    expect((await verify(put('resigned.json', text))).exit).toBe(5);
  });

  test('one whose keys the trust file does not hold', async () => {
    const others = testFederation(members.filter((id) => id !== 'un'));
    const trust = put('others.json', JSON.stringify(trustJson(others.federation)));
    const { exit, err } = await verify(put('c.json', valid), '--trust', trust);
    expect(exit).toBe(5);
    expect(err).toMatch(/^CERTIFICATE_INVALID/);
  });
});

test.each([
  ['a file that is not there', ['none.json', '--trust', 'none.json']],
  ['a trust file that is not there', ['c.json', '--trust', 'none.json']],
])('%s is wrong usage, not a failed verification', async (_name, [file = '', ...more]) => {
  put('c.json', valid);
  expect((await verify(join(dir, file), ...more)).exit).toBe(2);
});
