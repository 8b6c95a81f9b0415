import { describe, expect, test } from '@jest/globals';
import { codec } from '../support/federation.js';
import { CASTS } from './moves.js';
import { MUTANTS } from './mutants.js';
import { packingOf } from './packing.js';
import { shippedRules } from './rules.js';
import { explore } from './search.js';
import { entryVerdicts } from './verdicts.js';

const shipped = shippedRules(entryVerdicts(codec));

/** One holder is small enough for every run of the unit tests; all casts, whole, are `make explore`. */
const ONE_HOLDER = CASTS.map((cast) => ({ ...cast, copies: cast.copies.slice(0, 1) }));

test('no state that one holder of an event can come to breaks an invariant', () => {
  for (const cast of ONE_HOLDER) {
    const { violation, states, atRest } = explore(shipped, cast);
    expect({ violation, isLarge: states > 500, isAtRest: atRest > 0 }).toEqual({
      ...{ violation: undefined, isLarge: true, isAtRest: true },
    });
  }
});

describe('a mistake made on purpose is found:', () => {
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', (_name, mutant) => {
    const rules = { ...shipped, ...mutant.change(shipped) };
    const { violation } = explore(rules, mutant.cast);
    expect(violation?.invariant).toBe(mutant.caughtBy);
    expect(violation?.trace).toHaveLength(violation?.depth ?? 0);
  });
});

test('no purge entry is believed but one that the revocation service of the origin signed', () => {
  expect(shipped.accepts).toEqual({
    ...{ true: true, 'by a stranger': false, 'by another role': false },
    'changed on the way': false,
  });
});

test('what is packed is unpacked as it was', () => {
  const packing = packingOf({ a: 2, b: 5, c: 3 });
  const all = Array.from({ length: packing.size }, (_, packed) => packing.unpack(packed));
  expect(all.map(packing.pack)).toEqual([...all.keys()]);
  expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(30);
});

test('what does not fit is not packed', () => {
  expect(() => packingOf({ a: 2 }).pack({ a: 2 })).toThrow('a: 2, below 2');
});
