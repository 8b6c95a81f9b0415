import { expect, test } from '@jest/globals';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { officerOrder, orderId } from '../../../../test/support/ledger.js';
import { eventId } from '../../../../test/support/origin.js';
import type { EventId } from './ids.js';
import { rememberingStatements } from './statement-memory.js';
import type { KeyDirectory } from './statement.js';

const [UN, DE] = [memberOf('un'), memberOf('de')];
const federation = testFederation([UN, DE]);

/** The keys of the federation, and how often one was looked up, as every verification does. */
function counted(): { readonly keys: KeyDirectory; readonly looks: () => number } {
  let looks = 0;
  const find = (keyId: string) => {
    looks += 1;
    return federation.keys.find(keyId);
  };
  return { keys: { federation: federation.keys.federation, find }, looks: () => looks };
}

const order = officerOrder(federation, { orderId: orderId(1), ids: [eventId(1)] });

test('a statement is verified once, and answered the same each time', () => {
  const { keys, looks } = counted();
  const statements = rememberingStatements(codec, keys);
  const first = statements('PurgeOrder', order, { signer: UN });
  expect(first).toMatchObject({ ok: true, value: { value: { ids: [eventId(1)] } } });
  expect(statements('PurgeOrder', Uint8Array.from(order), { signer: UN })).toEqual(first);
  expect(looks()).toBe(1);
});

test('what was verified as one thing does not pass as another, nor of another member', () => {
  const statements = rememberingStatements(codec, federation.keys);
  statements('PurgeOrder', order, { signer: UN });
  expect(statements('PurgeEntry', order, { signer: UN })).toMatchObject({
    error: { code: 'RECORD_MALFORMED' },
  });
  expect(statements('PurgeOrder', order, { signer: DE })).toMatchObject({
    error: { code: 'SENDER_NOT_TOPIC_OWNER' },
  });
});

test('a refusal is not remembered, and one changed byte is another statement', () => {
  const { keys, looks } = counted();
  const statements = rememberingStatements(codec, keys);
  statements('PurgeOrder', order, { signer: UN });
  const altered = Uint8Array.from(order, (byte, at) => (at === order.length - 1 ? byte ^ 1 : byte));
  for (let time = 0; time < 2; time += 1) {
    expect(statements('PurgeOrder', altered, { signer: UN })).toMatchObject({
      error: { code: 'SIGNATURE_INVALID' },
    });
  }
  expect(looks()).toBe(3);
});

test('a long statement is verified each time', () => {
  const { keys, looks } = counted();
  const statements = rememberingStatements(codec, keys);
  const ids: EventId[] = Array.from({ length: 300 }, (_, at) => eventId(1 + at));
  const long = officerOrder(federation, { orderId: orderId(2), ids });
  for (let time = 0; time < 2; time += 1) {
    expect(statements('PurgeOrder', long, { signer: UN })).toMatchObject({ ok: true });
  }
  expect(looks()).toBe(2);
});
