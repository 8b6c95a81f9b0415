import { expect, test } from '@jest/globals';
import { differencesBetween } from './differences.js';

test.each([
  ['nothing', { a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, []],
  [
    'an inner figure',
    { members: { de: { readable: 56 } } },
    { members: { de: { readable: 57 } } },
    [{ field: 'members.de.readable', expected: 56, came: 57 }],
  ],
  ['a list, as a whole', { a: [1, 2] }, { a: [2, 1] }, [['a', [1, 2], [2, 1]]]],
  ['what is missing', { a: 1 }, {}, [['a', 1, undefined]]],
  ['what is there too much', {}, { a: { b: 1 } }, [['a', undefined, { b: 1 }]]],
])('names %s', (_what, expected, came, found) => {
  const wanted = found.map((one) =>
    Array.isArray(one) ? { field: one[0], expected: one[1], came: one[2] } : one,
  );
  expect(differencesBetween(expected, came)).toEqual(wanted);
});
