import { type Result, err, ok } from '@concordat/common/domain/result.js';

const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

export const DURATION_EXPECTED = 'a duration such as 500ms, 10s, 5m, 24h or 30d';

/** A duration as people write it, in milliseconds: `24h`. */
export function parseDuration(text: string): Result<number, 'DURATION_MALFORMED'> {
  const [, count = '', unit = ''] = DURATION.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS.get(unit) ?? 0);
  return ms > 0 ? ok(ms) : err('DURATION_MALFORMED');
}

/** A duration for people to read: `820 ms`, `1.9 s`, `5 min`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${String(Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${String(Math.round(ms / 60_000))} min`;
}
