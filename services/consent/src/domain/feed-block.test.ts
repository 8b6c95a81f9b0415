import { expect, test } from '@jest/globals';
import { type ReadBlock, readBlock, readFeedBlock } from '@concordat/common/domain/block.js';
import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import type { Terms } from '@concordat/common/domain/decide-release.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import fc from 'fast-check';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { NOW, TestOrigin, eventId } from '../../../../test/support/origin.js';
import { type Released, feedPart, sourceBlock } from './feed-block.js';

const [un, de] = [memberOf('un'), memberOf('de')];
const federation = testFederation([un, de]);
const SECTIONS = ['identity', 'documents', 'remarks'];
const terms = (sections: readonly string[]): Terms => ({
  ruleId: 'p1',
  agreementId: 'a1',
  agreementVersion: 7,
  consentId: 'c1',
  sections,
  purposes: ['screening'],
  deleteByMs: asUnixMs(NOW + 1),
  onward: false,
  custody: 'held',
});

function blockOf(size: number): ReadBlock {
  const origin = new TestOrigin(un, federation.signer(un, 'node'));
  const events = Array.from({ length: size }, (_, n) => ({
    id: eventId(n),
    sections: Object.fromEntries(SECTIONS.map((name) => [name, `${name} of ${String(n)}`])),
  }));
  const read = readBlock(codec, federation.keys, origin.block(events).value, un);
  if (!read.ok) throw read.error;
  return read.value;
}
const blocks = [1, 2, 3, 7, 8].map(blockOf);

function feedOf(block: ReadBlock, released: readonly Released[]): Uint8Array {
  const { releases, partial } = feedPart(sourceBlock(block), released);
  const signer = federation.signer(un, 'consent');
  const { bytes } = signStatement(codec, signer, 'FeedStatement', {
    ...{ suite: SUITE, federation: 'test', origin: un, keyId: signer.keyId },
    ...{ recipient: de, lane: 0, ...nextLink(EMPTY_HEAD), timeMs: NOW, releases },
  });
  return codec.encode('FeedBlock', { statement: bytes, blocks: [partial] });
}

test('a recipient can verify any choice of events and sections, and holds nothing else', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...blocks),
      fc.infiniteStream(fc.subarray(SECTIONS)),
      (block, choice) => {
        const released = block.envelopes.flatMap((envelope): Released[] => {
          const sections = choice.next().value ?? [];
          return sections.length > 0 ? [{ envelope, terms: terms(sections) }] : [];
        });
        fc.pre(released.length > 0);
        const value = feedOf(block, released);
        const read = readFeedBlock(codec, federation.keys, value, { origin: un, recipient: de });
        expect(
          read.ok &&
            read.value.releases.map(({ header, release, sections }) => ({
              id: header.id,
              terms: [release.agreementId, release.agreementVersion, release.consentId],
              sections: sections.map(({ name }) => name),
            })),
        ).toEqual(
          released.map(({ envelope, terms: given }) => ({
            id: envelope.header.id,
            terms: ['a1', 7, 'c1'],
            sections: given.sections,
          })),
        );
        for (const { header, envelope } of block.envelopes) {
          const given = released.find((one) => one.envelope.header.id === header.id);
          const has = (bytes: Uint8Array) => Buffer.from(value).includes(Buffer.from(bytes));
          expect(has(envelope.header)).toBe(given !== undefined);
          for (const { name, sealed } of envelope.sections) {
            expect(has(sealed)).toBe(given?.terms.sections.includes(name) ?? false);
          }
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('the audience of an event does not travel to recipients', () => {
  const [block] = blocks;
  const [envelope] = block?.envelopes ?? [];
  if (!block || !envelope?.envelope.audience) throw new Error('expected an audience');
  const value = Buffer.from(feedOf(block, [{ envelope, terms: terms(['identity']) }]));
  expect(value.includes(Buffer.from(envelope.envelope.audience.salt))).toBe(false);
});

test('a release of a leaf that the block does not have is a mistake of ours', () => {
  const [one, , three] = blocks;
  const envelope = three?.envelopes[2];
  if (!one || !envelope) throw new Error('expected three envelopes');
  expect(() => feedPart(sourceBlock(one), [{ envelope, terms: terms(['identity']) }])).toThrow(
    RangeError,
  );
});
