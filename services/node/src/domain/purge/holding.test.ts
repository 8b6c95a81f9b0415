import { expect, test } from '@jest/globals';
import { type Cause, type Holding, holdingOf, outcomeOf } from './holding.js';

// prettier-ignore
const TABLE: Record<Cause | 'nobody', Record<'held' | 'notHeld', [Holding, ReturnType<typeof outcomeOf>]>> = {
  //           a row or key is here       neither is
  nobody:    { held: ['held', 'DELETED'],    notHeld: ['unseen', 'NOT_HELD'] },
  retention: { held: ['ended', 'DELETED'],   notHeld: ['ended', 'DELETED'] },
  order:     { held: ['purged', 'NOT_HELD'], notHeld: ['purged', 'NOT_HELD'] },
};

test.each(
  (['nobody', 'retention', 'order'] as const).flatMap((cause) =>
    (['held', 'notHeld'] as const).map((row) => [cause, row, ...TABLE[cause][row]] as const),
  ),
)('buried by %s, %s: %s, and an entry is answered %s', (cause, row, holding, outcome) => {
  const found = holdingOf(cause === 'nobody' ? undefined : cause, row === 'held');
  expect(found).toBe(holding);
  expect(outcomeOf(found)).toBe(outcome);
});
