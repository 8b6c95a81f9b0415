import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { ENTRY_IDS_MAX, draftEntries } from './entries.js';

const ids = (count: number): EventId[] =>
  Array.from({ length: count }, (_, index) => `event ${index}` as EventId);
const FR = 'fr' as MemberId;

test.each([
  [1, [1]],
  [ENTRY_IDS_MAX, [ENTRY_IDS_MAX]],
  [ENTRY_IDS_MAX + 1, [ENTRY_IDS_MAX, 1]],
  [2 * ENTRY_IDS_MAX, [ENTRY_IDS_MAX, ENTRY_IDS_MAX]],
])('%d events of one holder become entries of %j', (count, sizes) => {
  const drafts = draftEntries([{ recipient: FR, ids: ids(count) }]);
  expect(drafts.map((draft) => draft.ids.length)).toEqual(sizes);
  expect(drafts.map(({ part, parts }) => [part, parts])).toEqual(
    sizes.map((_, index) => [index + 1, sizes.length]),
  );
});

test('nobody held it: no entries', () => {
  expect(draftEntries([])).toEqual([]);
});

test('each holder is addressed about exactly what it holds', () => {
  const members = fc.uniqueArray(fc.constantFrom('de', 'fr', 'nl', 'it'));
  fc.assert(
    fc.property(members, fc.integer({ min: 1, max: 40 }), (recipients, count) => {
      const holders = recipients.map((id, index) => ({
        recipient: id as MemberId,
        ids: ids(count + index),
      }));
      const drafts = draftEntries(holders, 7);
      for (const { recipient, ids: held } of holders) {
        const own = drafts.filter((draft) => draft.recipient === recipient);
        expect(own.flatMap((draft) => draft.ids)).toEqual(held);
        expect(own.every((draft) => draft.ids.length > 0 && draft.ids.length <= 7)).toBe(true);
      }
      expect(new Set(drafts.map(({ recipient }) => recipient)).size).toBe(holders.length);
    }),
  );
});
