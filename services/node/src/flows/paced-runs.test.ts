import { describe, expect, test } from '@jest/globals';
import type { MonotonicMs } from '@concordat/common/domain/ids.js';
import { PacedRuns } from './paced-runs.js';

/** Time that passes only while somebody sleeps. */
function clockFrom(startMs: number) {
  const slept: number[] = [];
  let nowMs = startMs;
  return {
    slept,
    clock: {
      monotonicMs: () => nowMs as MonotonicMs,
      sleep: async (ms: number) => {
        slept.push(ms);
        nowMs += ms;
        await Promise.resolve();
      },
    },
    pass: (ms: number) => (nowMs += ms),
  };
}

describe('paced runs', () => {
  test('serve at once who comes after a rest, and together who comes soon after', async () => {
    const { clock, slept, pass } = clockFrom(1_000);
    let runs = 0;
    const paced = new PacedRuns(clock, 40, () => void (runs += 1));
    await paced.join();
    expect([runs, slept]).toEqual([1, []]);
    pass(15);
    await Promise.all([paced.join(), paced.join(), paced.join()]);
    expect([runs, slept]).toEqual([2, [25]]);
    pass(40);
    await paced.join();
    expect([runs, slept]).toEqual([3, [25]]);
  });

  test('never overlap, and who comes during one is served by the next', async () => {
    const { clock } = clockFrom(0);
    const order: string[] = [];
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let runs = 0;
    const paced = new PacedRuns(clock, 20, async () => {
      runs += 1;
      const run = runs;
      order.push(`begins ${run}`);
      if (run === 1) await ended;
      order.push(`ends ${run}`);
    });
    const first = paced.join();
    while (runs === 0) await new Promise((resolve) => setImmediate(resolve));
    const second = paced.join().then(() => order.push('second is served'));
    await new Promise((resolve) => setImmediate(resolve));
    end();
    await Promise.all([first, second, paced.close()]);
    expect(order).toEqual(['begins 1', 'ends 1', 'begins 2', 'ends 2', 'second is served']);
  });

  test('reject for those that a failed run was for, and go on', async () => {
    const { clock } = clockFrom(0);
    let runs = 0;
    const paced = new PacedRuns(clock, 20, () => {
      runs += 1;
      if (runs === 1) throw new Error('the disk is full');
    });
    const both = await Promise.allSettled([paced.join(), paced.join()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(paced.join()).resolves.toBeUndefined();
    expect(runs).toBe(2);
  });
});
