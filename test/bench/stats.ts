/** The middle value; of an even number, the mean of the middle two. @throws RangeError for none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('no values');
  return (lower + upper) / 2;
}

/**
 * The smallest value that at least this share of the values does not exceed (nearest rank): an observed one, never one between two.
 *
 * @param share above 0, up to 1: 0.99 for p99
 * @throws RangeError for no values, or another share
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.ceil(share * sorted.length) - 1];
  if (!(share > 0 && share <= 1) || found === undefined) {
    throw new RangeError(`expected values and a share above 0 up to 1, came ${share}`);
  }
  return found;
}

/** One figure measured several times: the median counts, the others show how far to believe it. */
export interface Measured {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: readonly number[];
}

/** @throws RangeError for no runs */
export function measured(runs: readonly number[]): Measured {
  return { median: median(runs), min: Math.min(...runs), max: Math.max(...runs), runs };
}
