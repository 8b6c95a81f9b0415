import { expect, test } from '@jest/globals';
import { BoundedMap } from './bounded-map.js';

test('the oldest entry is forgotten, and one that is set again is the newest', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([3, undefined, 4]);
  map.delete('a');
  expect(map.get('a')).toBeUndefined();
});

test('whatever comes and goes, the newest are kept, and no more than there is room for', () => {
  const [max, seed] = [7, 11];
  const map = new BoundedMap<number, number>(max);
  let expected: number[] = [];
  for (let step = 1; step <= 2_000; step += 1) {
    const key = (step * seed * ((step >> 5) + 1)) % 23;
    expected = expected.filter((one) => one !== key);
    // for a while some are deleted, so that there is room again
    if (step % 64 > 48) map.delete(key);
    else {
      map.set(key, step);
      expected = [...expected, key].slice(-max);
    }
    const kept = [...Array(23).keys()].filter((one) => map.get(one) !== undefined);
    expect(kept).toEqual(expected.toSorted((a, b) => a - b));
  }
});
