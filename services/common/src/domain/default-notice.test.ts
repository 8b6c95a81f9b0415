import { expect, test } from '@jest/globals';
import { memberOf, codec, testFederation } from '../../../../test/support/federation.js';
import { orderId, signAs } from '../../../../test/support/ledger.js';
import { NOW } from '../../../../test/support/origin.js';
import { EMPTY_HEAD } from './chain.js';
import { verifyNotice } from './default-notice.js';
import { toDsseJson } from './dsse-json.js';
import { asUnixMs } from './ids.js';
import type { DefaultNotice } from './records.js';
import { SUITE } from './statement.js';

const [UN, DE] = [memberOf('un'), memberOf('de')];
const federation = testFederation([UN, DE]);
const notice: DefaultNotice = {
  ...{ suite: SUITE, federation: 'test', origin: UN, keyId: '', recipient: DE },
  ...{ timeMs: NOW, orderId: orderId(1), entryEpoch: 1, entryNumber: 1 },
  ...{ entryHash: EMPTY_HEAD.hash, entryTimeMs: asUnixMs(NOW - 9), deadlineMs: asUnixMs(NOW - 1) },
};
type Who = Parameters<typeof signAs>[1];
const revocation: Who = { member: UN, role: 'revocation' };

function fileOf(change: Partial<DefaultNotice> = {}, who = revocation): string {
  const { bytes } = signAs(federation, who, 'DefaultNotice', { ...notice, ...change });
  const signed = codec.decode('Signed', bytes);
  if (!signed.ok) throw signed.error;
  return toDsseJson(signed.value);
}

test('a notice that the origin signed holds, and says who was silent about what', () => {
  const verified = verifyNotice(codec, federation.keys, fileOf());
  expect(verified).toMatchObject({
    ok: true,
    value: { origin: UN, recipient: DE, entryNumber: 1 },
  });
});

test.each<[name: string, file: () => string]>([
  ['signed by the node', () => fileOf({}, { member: UN, role: 'node' })],
  ['signed by another member', () => fileOf({}, { member: DE, role: 'revocation' })],
  ['made at the deadline', () => fileOf({ timeMs: notice.deadlineMs })],
  ['about the origin itself', () => fileOf({ recipient: UN })],
  ['of another federation', () => fileOf({ federation: 'other' })],
  ['with a changed character', () => fileOf().replace(/"payload":"(.{40})./, '"payload":"$1_')],
  ['that is none', () => '{}'],
])('a notice %s is refused', (_name, file) => {
  const verified = verifyNotice(codec, federation.keys, file());
  expect(verified).toMatchObject({ ok: false, error: { code: 'NOTICE_INVALID' } });
});
