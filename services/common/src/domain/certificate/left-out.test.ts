import { describe, expect, test } from '@jest/globals';
import { certified } from '../../../../../test/support/certificate.js';
import {
  A,
  C,
  D,
  DE,
  FR,
  UN,
  federation,
  fileOf,
} from '../../../../../test/support/certificates/told.js';
import { codec } from '../../../../../test/support/federation.js';
import { TestLedger, officerOrder, orderId } from '../../../../../test/support/ledger.js';
import { verifyDsse } from '../dsse-json.js';
import type { PurgeOrder } from '../records.js';
import { checkKeyRecord } from './left-out.js';
import { verifyCertificate } from './verify-certificate.js';

/** What un's node wrote, and the certificate that it led to; `fr` may not be told of in it. */
function history({ isFrGiven, cover = {} }: { isFrGiven: boolean; cover?: Partial<PurgeOrder> }) {
  const records: Uint8Array[] = [];
  const ledger = new TestLedger(federation, UN, (record) => records.push(record));
  ledger.publish({ id: A }, { id: C }, { id: D });
  ledger.release(DE, A);
  if (isFrGiven) ledger.releaseSections(FR, ['identity'], A);
  ledger.release(DE, D);
  const order = officerOrder(federation, { orderId: orderId(1), ids: [A, C], ...cover });
  const { certificate } = certified(federation, records, order, ledger.seal(order));
  const signed = verifyDsse(codec, federation.keys, 'Certificate', fileOf(certificate));
  const purge = signed.ok ? verifyCertificate(codec, federation.keys, signed.value.value) : signed;
  if (!purge.ok) throw purge.error;
  const [, forDe, forFr] = records;
  const seal = records.at(-1);
  if (!forDe || !forFr || !seal) throw new Error('a publication, keys and a seal');
  return { about: { certificate, purge: purge.value }, forDe, forFr, seal };
}

const check = (about: ReturnType<typeof history>['about'], record: Uint8Array) =>
  checkKeyRecord(codec, federation.keys, about, record);

const told = history({ isFrGiven: true });
const untold = history({ isFrGiven: false });

describe('who was given keys can tell whether a certificate names it', () => {
  test('it does', () => {
    expect(check(told.about, told.forDe)).toEqual({ ok: true, value: 'named' });
    expect(check(told.about, told.forFr)).toEqual({ ok: true, value: 'named' });
  });

  test('it leaves it out: the origin has signed two histories, and this is refused', () => {
    expect(check(untold.about, told.forFr)).toMatchObject({
      ok: false,
      error: { code: 'CERTIFICATE_INVALID', message: expect.stringContaining('fr is left out') },
    });
  });

  test('the keys were of other events, or of nothing that the order takes', () => {
    const elsewhere = { ok: true, value: 'elsewhere' };
    expect(check(untold.about, untold.forFr)).toEqual(elsewhere);
    const ofDe = history({ isFrGiven: false, cover: { recipients: [DE] } });
    expect(check(ofDe.about, told.forFr)).toEqual(elsewhere);
  });

  test.each([
    ['no record', () => Uint8Array.of(1, 2, 3), 'RECORD_MALFORMED'],
    ['the record of a seal', () => told.seal, 'SCHEMA_UNKNOWN'],
    ['a record with a changed signature', () => changed(told.forFr), ''],
  ])('%s shows nothing', (_what, record, code) => {
    const checked = check(untold.about, record());
    expect(checked.ok ? 'ok' : checked.error.code).toMatch(code === '' ? /^(?!ok|CERT)/ : code);
  });

  /** Another bit in the middle of the signature, which ends the statement. */
  function changed(record: Uint8Array): Uint8Array {
    const read = codec.decode('LedgerRecord', record);
    if (!read.ok) throw read.error;
    const statement = Uint8Array.from(read.value.statement);
    const at = statement.length - 32;
    statement[at] = (statement[at] ?? 0) ^ 1;
    return codec.encode('LedgerRecord', { ...read.value, statement });
  }
});
