import { expect, test } from '@jest/globals';
import { explanationOf } from './why-withheld.js';

test('a reason is explained with what would change it', () => {
  expect(explanationOf('NO_RULE')?.because).toMatch(/no rule/);
  expect(explanationOf('NO_RULE')?.change).toMatch(/add a rule/);
});

test.each(['', 'RELEASED', 'toString', '__proto__'])('%j is no reason to withhold', (reason) => {
  expect(explanationOf(reason)).toBeUndefined();
});
