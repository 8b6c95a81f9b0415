import { describe, expect, test } from '@jest/globals';
import { readBlock } from '@concordat/common/domain/block.js';
import { utf8 } from '@concordat/common/domain/bytes.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Audience, Envelope } from '@concordat/common/domain/records.js';
import { commit } from '@concordat/common/domain/sealing.js';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { NOW, TestOrigin, eventId, sealEvent } from '../../../../test/support/origin.js';
import { ReleaseRules } from '@concordat/common/domain/release-rules.js';
import { decideBlock, openAudience } from './decide-block.js';

const [un, de, fr] = [memberOf('un'), memberOf('de'), memberOf('fr')];
const federation = testFederation([un, de, fr]);
const origin = new TestOrigin(un, federation.signer(un, 'node'));
const always = { fromMs: asUnixMs(0), untilMs: asUnixMs(NOW * 2) };
const policy = {
  agreements: [
    {
      id: 'a1',
      version: 1,
      parties: [un, de, fr],
      ...always,
      rules: [
        {
          id: 'p1',
          effect: 'permit' as const,
          recipients: [de, fr],
          categories: ['**'],
          sections: ['*'],
          purposes: ['screening'],
          retentionMs: NOW,
          ...always,
          custody: 'held' as const,
          onward: false,
        },
      ],
    },
  ],
  consents: [{ id: 'c1', agreementId: 'a1', origin: un, ...always, withdrawn: false }],
};

test('every envelope is decided on for every recipient, by its own audience', () => {
  const { value } = origin.block([
    { id: eventId(1) },
    { id: eventId(2), audience: { byAgreement: false, members: [fr] } },
    { id: eventId(3), audience: { byAgreement: false, members: [] } },
    { id: eventId(4), travels: (envelope) => ({ ...envelope, audience: null }) },
  ]);
  const block = readBlock(codec, federation.keys, value, un);
  const by = { rules: new ReleaseRules(policy), leavers: new Set<MemberId>() };
  const decided = block.ok ? decideBlock(codec, block.value, [de, fr], by, NOW) : [];
  const table = decided.map(({ envelope, decisions, problem }) => [
    envelope.header.id,
    ...decisions.map(({ recipient, decision }) =>
      [recipient, decision.outcome === 'withheld' ? decision.reason : decision.outcome].join(' '),
    ),
    problem?.code,
  ]);
  expect(table).toEqual([
    [eventId(1), 'de release', 'fr release', undefined],
    [eventId(2), 'de AUDIENCE_EXCLUDES', 'fr release', undefined],
    [eventId(3), 'de AUDIENCE_EXCLUDES', 'fr AUDIENCE_EXCLUDES', undefined],
    [eventId(4), 'de AUDIENCE_UNREADABLE', 'fr AUDIENCE_UNREADABLE', 'ENVELOPE_MALFORMED'],
  ]);
});

test('nothing goes to a member that leaves, whatever a rule says', () => {
  const { value } = origin.block([{ id: eventId(5) }]);
  const block = readBlock(codec, federation.keys, value, un);
  if (!block.ok) throw block.error;
  const by = { rules: new ReleaseRules(policy), leavers: new Set([de]) };
  const [decided] = decideBlock(codec, block.value, [de, fr], by, NOW);
  expect(decided?.decisions.map(({ decision }) => decision)).toMatchObject([
    { outcome: 'withheld', reason: 'MEMBER_LEAVES' },
    { outcome: 'release' },
  ]);
});

describe('an audience', () => {
  const encode = (byAgreement: boolean, ...members: string[]) =>
    codec.encode('Audience', { byAgreement, members: members as Audience['members'][number][] });
  const { header, envelope } = sealEvent(un, { id: eventId(9) });
  const other = sealEvent(un, { id: eventId(10) }).envelope;
  /** An opening that fits, of any value. */
  const of = (value: Uint8Array) => {
    const opening = { salt: other.audience?.salt ?? header.audience, value };
    return [{ audience: commit('audience', opening) }, opening] as const;
  };

  test('is what the header commits to', () => {
    const audience = { byAgreement: true, members: [] };
    expect(openAudience(codec, header, envelope.audience)).toEqual({ ok: true, value: audience });
  });

  test.each<
    [string, readonly [{ audience: typeof header.audience }, Envelope['audience']], string]
  >([
    ['missing', [header, null], 'ENVELOPE_MALFORMED'],
    ["another event's", [header, other.audience], 'COMMITMENT_MISMATCH'],
    ['no audience', of(utf8('everybody')), 'ENVELOPE_MALFORMED'],
    ['cut short', of(encode(false, 'de').subarray(0, -1)), 'ENVELOPE_MALFORMED'],
    ['of whom there is none', of(encode(false, 'DE')), 'ENVELOPE_MALFORMED'],
    ['by agreement and of members', of(encode(true, 'de')), 'ENVELOPE_MALFORMED'],
  ])('is refused when it is %s', (_name, [committed, opening], code) => {
    const opened = openAudience(codec, committed, opening);
    expect(opened).toMatchObject({ ok: false, error: { code } });
  });
});
