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
import {
  DE,
  deletedAfter,
  heldBy,
  holdersSaying,
  noticeOf,
  tell,
  tellTree,
  withSilence,
} from '../../../../test/support/certificates/told.js';
import { TestLedger, officerOrder, orderId, signAs } from '../../../../test/support/ledger.js';
import { NOW, eventId } from '../../../../test/support/origin.js';
import { TestPurgeLedger } from '../../../../test/support/purge-ledger.js';
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

async function verifyProof(
  kind: 'certificate' | 'notice' | 'receipt' | 'ledger',
  ...args: string[]
) {
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
        {
          member: 'de',
          events: 3,
          receipt: 'DELETED',
          answeredAt: expect.stringMatching(/Z$/),
          children: [],
        },
      ]),
    });
  });

  test('is refused to who was given keys and is not named in it', async () => {
    const records: Uint8Array[] = [];
    const ledger = new TestLedger(federation, memberOf('un'), (record) => records.push(record));
    ledger.publish(
      { id: eventId(11) },
      { id: eventId(12) },
      { id: eventId(13) },
      { id: eventId(14) },
    );
    ledger.release(memberOf('nl'), eventId(11));
    const record = put('record.txt', Buffer.from(records[1] ?? []).toString('base64'));
    const { exit, err } = await verify(put('c.json', valid), '--key-record', record);
    expect(exit).toBe(5);
    expect(err).toMatch(/^CERTIFICATE_INVALID +nl is left out/);
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

describe('a certificate of which something is not shown', () => {
  const silent = withSilence((entry) => [noticeOf(entry, DE)]).certificate;

  test('has an exit code of its own, and names who has not answered, and why', async () => {
    const file = put('incomplete.json', certificateFile(federation, silent));
    const { exit, out, err } = await verify(file, '--output', 'json');
    expect(exit).toBe(8);
    expect(err).toContain('valid, incomplete');
    expect(JSON.parse(out)).toMatchObject({
      outcome: 'incomplete',
      missing: [{ recipient: 'de', entry: 1, why: 'silent' }],
      holders: [
        { member: 'de', receipt: 'SILENT' },
        { member: 'fr', receipt: 'DELETED' },
      ],
    });
    expect((await verify(file)).out).toContain('de silent (entry 1)');
  });

  test('shows derived events with their own certificates', async () => {
    const file = put('tree.json', certificateFile(federation, tellTree().certificate));
    const { exit, out } = await verify(file, '--output', 'json');
    expect(exit).toBe(0);
    const { holders } = JSON.parse(out) as { holders: { children: { origin: string }[] }[] };
    expect(holders[0]?.children).toMatchObject([
      {
        origin: 'de',
        outcome: 'complete',
        holders: [{ member: 'fr', children: [{ origin: 'fr' }] }],
      },
    ]);
  });
});

describe('a receipt', () => {
  const dsse = (bytes: Uint8Array): string => {
    const signed = codec.decode('Signed', bytes);
    if (!signed.ok) throw signed.error;
    return toDsseJson(signed.value);
  };
  const [de] = tell({
    holders: (seal) => holdersSaying(seal, { de: [heldBy, deletedAfter] }),
  }).certificate.holders;
  const [open = '', final = ''] = de?.receipts.map(dsse) ?? [];
  const [entry = ''] = de?.entries.map(dsse) ?? [];
  const other = dsse(withSilence(() => []).certificate.holders[1]?.entries[0] ?? new Uint8Array());

  test('holds by itself, and beside the entry that it answers', async () => {
    const file = put('receipt.json', final);
    expect((await verifyProof('receipt', file)).exit).toBe(0);
    const beside = ['--entry', put('entry.json', entry), '--output', 'json'];
    const { exit, out } = await verifyProof('receipt', file, ...beside);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      holder: 'de',
      origin: 'un',
      entry: 1,
      stage: 'DELETED',
    });
  });

  test('that is open holds too, and says on what ground', async () => {
    const { exit, out } = await verifyProof('receipt', put('open.json', open));
    expect(exit).toBe(8);
    expect(out).toContain('Amtsgericht Musterstadt: criminal proceedings');
  });

  test.each([
    ['for another entry', () => [put('receipt.json', final), '--entry', put('e.json', other)]],
    ['that was changed', () => [put('changed.json', altered(final, final.length - 20))]],
    ['that is a certificate', () => [put('c.json', valid)]],
  ])('%s is refused', async (_name, args) => {
    const { exit, err } = await verifyProof('receipt', ...args());
    expect(exit).toBe(5);
    expect(err).toMatch(/^RECEIPT_INVALID/);
  });
});

describe('a ledger', () => {
  const records: string[] = [];
  const ledger = new TestLedger(federation, memberOf('un'), (record) =>
    records.push(Buffer.from(record).toString('base64')),
  );
  const [a, b] = [eventId(1), eventId(2)];
  ledger.publish({ id: a }, { id: b });
  ledger.release(DE, a, b);
  ledger.publish({ id: eventId(3) });
  ledger.release(memberOf('fr'), a);
  ledger.seal(officerOrder(federation, { orderId: orderId(1), ids: [a] }));
  const last = String(records.length);

  const check = (lines: readonly string[], until = last) =>
    verifyProof('ledger', put('ledger.txt', `${lines.join('\n')}\n`), '--until', until);
  const without = (at: number) => records.filter((_, index) => index !== at);

  test('is whole to the number that it should reach', async () => {
    const { exit, err } = await check(records);
    expect({ exit, err }).toMatchObject({
      exit: 0,
      err: expect.stringContaining('valid to number 5'),
    });
  });

  test.each(records.map((_, at) => at))('without record %i is incomplete', async (at) => {
    const { exit, out } = await check(without(at));
    expect(exit).toBe(8);
    expect(out).toContain(`missing`);
    expect(out).toContain(`${at + 1} to ${at + 1}`);
  });

  test('of one recipient’s purges is checked in the same way', async () => {
    const purges = new TestPurgeLedger(federation, memberOf('un'), () => undefined);
    const entries = [a, b].map((id) => Buffer.from(purges.next(DE, [id])).toString('base64'));
    expect((await check(entries, '2')).exit).toBe(0);
    expect((await check(entries, '3')).exit).toBe(8);
    expect((await check(entries.slice(1), '2')).exit).toBe(8);
  });

  test.each<[name: string, lines: () => readonly string[], code: string]>([
    ['in another order', () => [...records].reverse(), 'CHAIN_BROKEN'],
    ['with a changed record', () => records.map((line) => altered(line, 400)), ''],
    ['with a line that is no record', () => [...records, 'AAAA'], 'RECORD_MALFORMED'],
    ['with a line that is no base64', () => [...records, '?'], 'RECORD_MALFORMED'],
    ['with a body that was swapped', () => [withBodyOf(records[3], records[1])], 'CHAIN_BROKEN'],
    ['of nobody', () => [], 'RECORD_MALFORMED'],
  ])('%s is refused', async (_name, lines, code) => {
    const { exit, err } = await check(lines());
    expect(exit).toBe(5);
    expect(err).toContain(code);
  });

  function withBodyOf(record = '', other = ''): string {
    const [one, two] = [record, other].map((text) => {
      const read = codec.decode('LedgerRecord', Buffer.from(text, 'base64'));
      if (!read.ok) throw read.error;
      return read.value;
    });
    if (!one || !two) throw new Error('two records in, two out');
    const forged = codec.encode('LedgerRecord', { statement: one.statement, body: two.body });
    return Buffer.from(forged).toString('base64');
  }
});
