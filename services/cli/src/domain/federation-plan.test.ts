import { expect, test } from '@jest/globals';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { parsePlannedMember, withEndpoints } from './federation-plan.js';

test.each([
  ['un:origin', { id: 'un', isOrigin: true }],
  ['de', { id: 'de', isOrigin: false }],
])('%s is a member', (text, value) => {
  expect(parsePlannedMember(text)).toEqual({ ok: true, value });
});

test.each(['', 'DE', 'de:', 'de:recipient', 'un:origin:origin', ':origin'])(
  '%j is no member',
  (text) => {
    expect(parsePlannedMember(text).ok).toBe(false);
  },
);

test('every service of every member has an address of its own', () => {
  const [un, de] = ['un', 'de'] as MemberId[] as [MemberId, MemberId];
  const members = [
    { id: un, isOrigin: true },
    { id: de, isOrigin: false },
  ];
  expect(withEndpoints(members, 7100)).toEqual([
    {
      id: un,
      services: {
        node: '127.0.0.1:7100',
        consent: '127.0.0.1:7101',
        revocation: '127.0.0.1:7102',
      },
    },
    { id: de, services: { node: '127.0.0.1:7110' } },
  ]);
});
