import { expect, test } from '@jest/globals';
import { countLosses, scopeText } from './scope-counts.js';

test('losses are counted over pages, for each member and its sections', () => {
  const first = countLosses(
    [],
    [
      { recipient: 'fr', sections: ['remarks'], eventIds: ['c'] },
      { recipient: 'fr', sections: [], eventIds: ['a', 'b'] },
    ],
  );
  const both = countLosses(first, [
    { recipient: 'de', sections: [], eventIds: ['a'] },
    { recipient: 'fr', sections: [], eventIds: ['d'] },
  ]);
  expect(both).toEqual([
    { recipient: 'de', sections: [], events: 1 },
    { recipient: 'fr', sections: [], events: 3 },
    { recipient: 'fr', sections: ['remarks'], events: 1 },
  ]);
  expect(scopeText(both)).toBe('events, counted for each member: 5, members: 2');
  expect(scopeText([])).toMatch(/^nothing left scope/);
});
