import { expect, test } from '@jest/globals';
import { type EventId, idBytes } from '../../domain/ids.js';
import { fromSortable, packIds, packNumbers, sortable } from './packed.js';

const NUMBERS = [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 1_764_000_000_000, 2 ** 53 - 1];

test('numbers side by side are read back, and their bytes sort as they do', () => {
  const packed = packNumbers(NUMBERS);
  const parts = NUMBERS.map((_, at) => packed.slice(at * 8, at * 8 + 8));
  expect(parts.map(fromSortable)).toEqual(NUMBERS);
  expect(parts).toEqual(NUMBERS.map(sortable));
  expect(parts.toSorted((a, b) => Buffer.compare(a, b))).toEqual(parts);
});

test.each([-1, 0.5, 2 ** 53, Number.NaN])('%d is no number to be packed', (value) => {
  expect(() => packNumbers([1, value])).toThrow('not a whole number from 0');
});

test('ids side by side are their bytes, and zeros where there is none', () => {
  const ids = [
    '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
    'ffffffff-ffff-7fff-bfff-ffffffffffff',
  ] as EventId[];
  const packed = packIds([...ids, null]);
  expect(packed).toEqual(
    new Uint8Array([...ids.flatMap((id) => [...idBytes(id)]), ...Array(16).fill(0)]),
  );
});
