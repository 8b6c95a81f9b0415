import { expect, test } from '@jest/globals';
import { parseTimeRange } from './selection.js';

const day = (text: string) => Date.parse(text);

test.each([
  ['2026-01-31..2026-02-01', day('2026-01-31'), day('2026-02-01')],
  ['2026-01-31T12:00Z..', day('2026-01-31T12:00Z'), 0],
  ['..2026-02-01T00:00:00.5Z', 0, day('2026-02-01T00:00:00.5Z')],
])('%s is a range', (text, fromMs, beforeMs) => {
  expect(parseTimeRange(text)).toEqual({ ok: true, value: { fromMs, beforeMs } });
});

test.each([
  ...['', '..', '2026-01-31', '2026-02-01..2026-02-01', '2026-02-01..2026-01-31'],
  ...['yesterday..', '2026-13-01..', '1..2..3', '2026-01-31T12:00..', '2026-02-30T99:00Z..'],
])('%j is none', (text) => {
  expect(parseTimeRange(text)).toEqual({ ok: false, error: 'RANGE_MALFORMED' });
});
