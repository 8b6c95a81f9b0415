import { expect, test } from '@jest/globals';
import { durationText, parseDuration } from './duration.js';

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['30d', 2_592_000_000],
])('%s is %i milliseconds', (text, ms) => {
  expect(parseDuration(text)).toEqual({ ok: true, value: ms });
});

test.each(['', '0s', '-1s', '1.5h', '10', 's', '10 s', '1w', '1e3s', '9999999999s'])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text).ok).toBe(false);
  },
);

test.each([
  [820, '820 ms'],
  [1_900, '1.9 s'],
  [300_000, '5 min'],
])('%i milliseconds read %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
