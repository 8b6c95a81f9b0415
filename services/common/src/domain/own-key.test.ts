import { expect, test } from '@jest/globals';
import { memberOf, testFederation } from '../../../../test/support/federation.js';
import { requireOwnKey } from './own-key.js';

const [un, de] = [memberOf('un'), memberOf('de')];
const members = testFederation([un, de]);
const own = { member: un, role: 'node' } as const;

test('a key that is listed for the service itself is taken', () => {
  expect(() => requireOwnKey(members.keys, members.signer(un, 'node'), own)).not.toThrow();
});

test.each([
  ['of another role', members.signer(un, 'consent')],
  ['of another member', members.signer(de, 'node')],
  ['that nobody lists', { ...members.signer(un, 'node'), keyId: 'unknown' }],
])('a key %s is refused as a mistake of configuration', (_name, signer) => {
  expect(() => requireOwnKey(members.keys, signer, own)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`node of un, came ${signer.keyId}`),
    }),
  );
});
