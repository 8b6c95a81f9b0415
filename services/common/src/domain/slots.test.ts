import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codec, memberOf } from '../../../../test/support/federation.js';
import { orderId } from '../../../../test/support/ledger.js';
import { BLOCK_ENVELOPES_MAX } from './block.js';
import { sha256, utf8 } from './bytes.js';
import type { Hash } from './ids.js';
import type { SealTable, SlotTable } from './records.js';
import {
  SlotTrees,
  isSlotTableOf,
  openSlot,
  openSlots,
  readSlots,
  slotRoot,
  verifySlot,
} from './slots.js';

const table: SlotTable = {
  seed: sha256(utf8('seed')),
  kind: 'RELEASE',
  recipient: memberOf('fr'),
  orderId: null,
  leaves: [
    { leaf: 1, sections: ['identity'] },
    { leaf: 4, sections: ['identity', 'remarks'] },
  ],
};
const treeSize = 6;
const statement = { treeSize, kind: table.kind, root: slotRoot(codec, table, treeSize) };
const seal: SlotTable = { ...table, kind: 'SEAL', recipient: '', orderId: orderId(1) };

describe('a slot', () => {
  test('opens to what the record says of its leaf, or to nothing', () => {
    const kinds = Array.from({ length: treeSize }, (_, leaf) => {
      const slot = verifySlot(codec, statement, openSlot(codec, table, { treeSize, leaf }), leaf);
      return slot.ok ? slot.value : slot.error.code;
    });
    expect(kinds[4]).toMatchObject({
      leaf: 4,
      kind: 'RELEASE',
      recipient: 'fr',
      sections: ['identity', 'remarks'],
      orderId: null,
    });
    expect(kinds.map((slot) => (typeof slot === 'string' ? slot : slot.kind))).toEqual([
      'EMPTY',
      'RELEASE',
      'EMPTY',
      'EMPTY',
      'RELEASE',
      'EMPTY',
    ]);
    expect(kinds[0]).toMatchObject({ recipient: '', sections: [], orderId: null });
  });

  test('of a seal names the order', () => {
    const root = slotRoot(codec, seal, treeSize);
    const opened = openSlot(codec, seal, { treeSize, leaf: 1 });
    const slot = verifySlot(codec, { treeSize, kind: 'SEAL', root }, opened, 1);
    expect(slot).toMatchObject({ value: { kind: 'SEAL', orderId: orderId(1) } });
  });

  test('opened among several is the same as opened alone', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5]), (leaves) => {
        const alone = leaves.map((leaf) => openSlot(codec, table, { treeSize, leaf }));
        expect(openSlots(codec, table, { treeSize, leaves })).toEqual(alone);
        const trees = new SlotTrees(codec);
        const root = slotRoot(codec, table, treeSize);
        // the first time and from memory
        for (const _ of [1, 2]) {
          expect(trees.open({ treeSize, root }, () => table, leaves)).toEqual(alone);
        }
      }),
    );
  });

  test('does not pass for another leaf, record or kind, nor when changed', () => {
    const opened = openSlot(codec, table, { treeSize, leaf: 4 });
    const code = (...args: [typeof statement, typeof opened, number]): string => {
      const slot = verifySlot(codec, ...args);
      return slot.ok ? 'OK' : slot.error.code;
    };
    expect(code(statement, opened, 4)).toBe('OK');
    expect(code(statement, opened, 1)).toBe('CHAIN_BROKEN');
    expect(code({ ...statement, kind: 'SEAL' }, opened, 4)).toBe('CHAIN_BROKEN');
    const root = slotRoot(codec, seal, treeSize);
    expect(code({ ...statement, root }, opened, 4)).toBe('CHAIN_BROKEN');
    for (const [at] of opened.slot.entries()) {
      const slot = opened.slot.map((byte, index) => (index === at ? byte ^ 1 : byte));
      expect(code(statement, { ...opened, slot }, 4)).not.toBe('OK');
    }
    const [first, ...rest] = opened.path;
    expect(code(statement, { ...opened, path: rest }, 4)).toBe('CHAIN_BROKEN');
    expect(code(statement, { ...opened, path: [...rest, first as Hash] }, 4)).toBe('CHAIN_BROKEN');
  });

  test('tells nothing of its neighbours: every salt is another one, and none is the seed', () => {
    const slots = openSlots(codec, table, { treeSize, leaves: [0, 2, 3, 5] }).map(({ slot }) => {
      const read = codec.decode('Slot', slot);
      if (!read.ok) throw read.error;
      return Buffer.from(read.value.salt).toString('hex');
    });
    expect(new Set(slots).size).toBe(slots.length);
    expect(slots).not.toContain(Buffer.from(table.seed).toString('hex').slice(0, 32));
  });
});

describe('a slot table', () => {
  test.each<[name: string, expected: boolean, said: Partial<typeof statement>, body: SlotTable]>([
    ['belongs to the record that signs its root', true, {}, table],
    ['of another kind does not', false, { kind: 'SEAL' }, table],
    ['for another recipient does not', false, {}, { ...table, recipient: memberOf('de') }],
    ['with another seed does not', false, {}, { ...table, seed: sha256() }],
    ['with a leaf less does not', false, {}, { ...table, leaves: table.leaves.slice(1) }],
    [
      'that names a leaf twice does not: only one of the two was signed',
      false,
      {},
      { ...table, leaves: [...table.leaves, { leaf: 4, sections: ['documents'] }] },
    ],
    [
      'that names a leaf outside of the block does not',
      false,
      {},
      { ...table, leaves: [...table.leaves, { leaf: treeSize, sections: [] }] },
    ],
    ['of another size does not', false, { treeSize: treeSize + 1 }, table],
    ['of no size does not', false, { treeSize: 0 }, { ...table, leaves: [] }],
    ['of a size that no block has does not', false, { treeSize: BLOCK_ENVELOPES_MAX + 1 }, table],
    ['of a size that no memory holds does not, at once', false, { treeSize: 2 ** 31 - 1 }, table],
  ])('%s', (_name, expected, said, body) => {
    expect(isSlotTableOf(codec, { ...statement, ...said }, body)).toBe(expected);
  });
});

describe('a seal of several orders', () => {
  const seals: SealTable = {
    seed: sha256(utf8('seed')),
    leaves: [
      { leaf: 0, orderId: orderId(1) },
      { leaf: 3, orderId: orderId(2) },
    ],
  };
  const signed = { treeSize, kind: 'SEAL' as const, root: slotRoot(codec, seals, treeSize) };

  test('names for each leaf the order that seals it', () => {
    const orders = [0, 1, 3].map((leaf) => {
      const slot = verifySlot(codec, signed, openSlot(codec, seals, { treeSize, leaf }), leaf);
      return slot.ok ? [slot.value.kind, slot.value.orderId] : slot.error.code;
    });
    expect(orders).toEqual([
      ['SEAL', orderId(1)],
      ['EMPTY', null],
      ['SEAL', orderId(2)],
    ]);
  });

  test('of one order has the slots that it had as a slot table', () => {
    const leaves = [1, 4].map((leaf) => ({ leaf, orderId: orderId(1) }));
    const alone: SealTable = { seed: seal.seed, leaves };
    const older: SlotTable = {
      ...seal,
      leaves: leaves.map(({ leaf }) => ({ leaf, sections: [] })),
    };
    expect(slotRoot(codec, alone, treeSize)).toEqual(slotRoot(codec, older, treeSize));
  });

  test.each<[name: string, expected: boolean, said: Partial<typeof signed>, body: SealTable]>([
    ['fits its statement', true, {}, seals],
    ['does not fit one of a key release', false, { kind: 'RELEASE' as 'SEAL' }, seals],
    ['fits no other tree', false, { treeSize: treeSize - 1 }, seals],
    ['fits no leaf beyond the tree', false, { treeSize: 3 }, seals],
    [
      'names no leaf twice',
      false,
      {},
      { ...seals, leaves: [{ leaf: 0, orderId: orderId(2) }, ...seals.leaves] },
    ],
    [
      'fits no other order of a leaf',
      false,
      {},
      { ...seals, leaves: seals.leaves.map(({ leaf }) => ({ leaf, orderId: orderId(3) })) },
    ],
  ])('%s', (_name, expected, said, body) => {
    expect(isSlotTableOf(codec, { ...signed, ...said }, body)).toBe(expected);
  });
});

describe('the body of a record', () => {
  const seals: SealTable = { seed: seal.seed, leaves: [{ leaf: 0, orderId: orderId(1) }] };
  const bodies = {
    release: codec.encode('SlotTable', table),
    seal: codec.encode('SealTable', seals),
    older: codec.encode('SlotTable', seal),
  };

  test.each<['RELEASE' | 'SEAL', keyof typeof bodies, unknown]>([
    ['RELEASE', 'release', { ok: true, value: table }],
    ['SEAL', 'seal', { ok: true, value: seals }],
    ['SEAL', 'older', { ok: true, value: seal }],
    ['RELEASE', 'seal', { ok: false, error: { code: 'SCHEMA_UNKNOWN' } }],
  ])('of kind %s, a %s table, is read as what it is', (kind, name, expected) => {
    expect(readSlots(codec, kind, bodies[name])).toMatchObject(expected as object);
  });

  test('of kind SEAL that is cut off is malformed, not an older one', () => {
    const read = readSlots(codec, 'SEAL', bodies.seal.subarray(0, -1));
    expect(read).toMatchObject({ ok: false, error: { code: 'RECORD_MALFORMED' } });
  });
});
