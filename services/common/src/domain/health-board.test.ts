import { expect, test } from '@jest/globals';
import { HealthBoard } from './health-board.js';

const board = () => new HealthBoard({ 'a.Reads': ['started', 'reading'], 'a.Waits': ['started'] });
const statuses = (one: HealthBoard) =>
  ['', 'a.Reads', 'a.Waits', 'a.B'].map((s) => one.statusOf(s));

test('a service is ready when all that it needs holds, the process when everything does', () => {
  const one = board();
  expect(statuses(one)).toEqual(['NOT_SERVING', 'NOT_SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']);
  one.set('started', true);
  expect(statuses(one)).toEqual(['NOT_SERVING', 'NOT_SERVING', 'SERVING', 'SERVICE_UNKNOWN']);
  one.set('reading', true);
  expect(statuses(one)).toEqual(['NOT_SERVING', 'SERVING', 'SERVING', 'SERVICE_UNKNOWN']);
  one.set('broker', true);
  expect(one.statusOf('')).toBe('SERVING');
  one.set('broker', false);
  expect(statuses(one)).toEqual(['NOT_SERVING', 'SERVING', 'SERVING', 'SERVICE_UNKNOWN']);
});

test('one that stops is ready for nothing', () => {
  const one = board();
  one.set('started', true);
  one.stop();
  expect(one.statusOf('a.Waits')).toBe('NOT_SERVING');
});

test('listeners hear of changes only, until they stop', () => {
  const one = board();
  let heard = 0;
  const stop = one.onChange(() => (heard += 1));
  one.set('started', true);
  one.set('started', true);
  expect(heard).toBe(1);
  stop();
  one.set('started', false);
  expect(heard).toBe(1);
});
