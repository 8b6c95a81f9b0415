import { expect, test } from '@jest/globals';
import { untilComplete } from './until-complete.js';

test('asks until all is there', async () => {
  const answers = [0, 3, 7, 10];
  await untilComplete('things', 10, async () => answers.shift() ?? Number.NaN);
  expect(answers).toEqual([]);
});

test('more than wanted is no success', async () => {
  await expect(untilComplete('things', 10, async () => 11)).rejects.toThrow(
    'things: expected 10, came 11: something was counted twice',
  );
});

test('what never completes is told with its counts', async () => {
  await expect(untilComplete('things', 10, async () => 9, { stillMsMax: 20 })).rejects.toThrow(
    'things: expected 10, came 9, and no more for',
  );
});
