import { describe, expect, test } from '@jest/globals';
import { measured, median, percentile } from './stats.js';

describe('the median', () => {
  test.each<[number[], number]>([
    [[7], 7],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100, 1, 8], 9],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('a percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

  test.each<[number, number]>([
    [0.01, 1],
    [0.5, 50],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
  ])('%d of 1 to 100 is %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  test('of few values is the largest, never one in between', () => {
    expect(percentile([1, 2, 50], 0.99)).toBe(50);
  });

  test.each([0, -1, 1.5, Number.NaN])('%d is refused', (share) => {
    expect(() => percentile(hundred, share)).toThrow(RangeError);
  });

  test('of nothing is refused', () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

test('a measured figure keeps every run in its order', () => {
  expect(measured([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, runs: [5, 1, 3] });
});
