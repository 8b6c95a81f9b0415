import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, test } from '@jest/globals';
import { EMPTY_HEAD } from '@concordat/common/domain/chain.js';
import { toDsseJson } from '@concordat/common/domain/dsse-json.js';
import { trustJson } from '@concordat/common/domain/federation.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { certificateFile, tellStory } from '../../../../test/support/certificate.js';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { orderId, signAs } from '../../../../test/support/ledger.js';
import { NOW } from '../../../../test/support/origin.js';
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

const verify = (...args: string[]) => verifyProof('certificate', ...args);

async function verifyProof(kind: 'certificate' | 'notice', ...args: string[]) {
  const said = { out: '', err: '' };
  const exit = await runCommand(['verify', kind, ...args], {
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

describe('a default notice', () => {
  const deadlineMs = asUnixMs(NOW - 1);
  const { bytes } = signAs(
    federation,
    { member: memberOf('un'), role: 'revocation' },
    'DefaultNotice',
    {
      ...{ suite: SUITE, federation: 'test', origin: memberOf('un'), keyId: '' },
      ...{ recipient: memberOf('de'), timeMs: NOW, orderId: orderId(1), entryEpoch: 1 },
      ...{ entryNumber: 7, entryHash: EMPTY_HEAD.hash, entryTimeMs: deadlineMs, deadlineMs },
    },
  );
  const signed = codec.decode('Signed', bytes);
  const notice = signed.ok ? toDsseJson(signed.value) : '';

  test('holds, and says who was silent about what', async () => {
    const file = put('notice.json', notice);
    const { exit, out, err } = await verifyProof('notice', file, '--output', 'json');
    expect(exit).toBe(0);
    expect(err).toContain('un has signed that de was silent');
    expect(JSON.parse(out)).toMatchObject({ origin: 'un', silent: 'de', entry: 7 });
  });

  test('is no certificate, a certificate is no notice, and neither may be changed', async () => {
    const file = put('notice.json', notice);
    expect((await verify(file)).exit).toBe(5);
    const other = await verifyProof('notice', put('c.json', valid));
    expect(other).toMatchObject({ exit: 5, out: '' });
    expect(other.err).toMatch(/^NOTICE_INVALID/);
    const changed = put('changed.json', altered(notice, notice.length / 2 - 1));
    expect((await verifyProof('notice', changed)).exit).toBe(5);
  });
});
