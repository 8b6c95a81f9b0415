import { type Result, err, ok } from '@concordat/common/domain/result.js';

/** Half-open, in milliseconds since 1970; 0: open. */
export interface TimeRange {
  readonly fromMs: number;
  readonly beforeMs: number;
}

export const RANGE_EXPECTED =
  'from..before, a day or a time each as in 2026-01-31..2026-02-01T12:00Z, and one of them at least';

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/;

/** `2026-01-31..2026-02-28`: the first one is in it, the second is not; UTC. */
export function parseTimeRange(text: string): Result<TimeRange, 'RANGE_MALFORMED'> {
  const [from = '', before = '', ...more] = text.split('..');
  const range = { fromMs: timeMs(from), beforeMs: timeMs(before) };
  const isRange = text.includes('..') && more.length === 0 && from + before !== '';
  if (!isRange || Number.isNaN(range.fromMs) || Number.isNaN(range.beforeMs)) {
    return err('RANGE_MALFORMED');
  }
  return range.beforeMs !== 0 && range.fromMs >= range.beforeMs
    ? err('RANGE_MALFORMED')
    : ok(range);
}

function timeMs(text: string): number {
  if (text === '') return 0;
  return TIME.test(text) ? Date.parse(text) : NaN;
}
