import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { openLoop } from './open-loop.js';
import { machineMs } from './proc.js';

test('a slow answer holds up no later send, and nothing is due later for it', async () => {
  const startedMs: number[] = [];
  const dueMs = await openLoop([0, 1, 2, 3], 100, async () => {
    startedMs.push(machineMs());
    await delay(200);
  });
  const gaps = dueMs.slice(1).map((ms, at) => ms - (dueMs[at] ?? 0));
  for (const gap of gaps) expect(gap).toBeCloseTo(10, 6);
  expect((startedMs[3] ?? 0) - (startedMs[0] ?? 0)).toBeLessThan(200);
});

test('all are due at once at no rate at all', async () => {
  const dueMs = await openLoop([1, 2, 3], Infinity, async () => undefined);
  expect(new Set(dueMs).size).toBe(1);
});

test('a send that fails fails the loop', async () => {
  const failing = openLoop([1, 2], 1_000, () => Promise.reject(new Error('refused')));
  await expect(failing).rejects.toThrow('refused');
});
