import { describe, expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Place, StreamResults } from './stream-results.js';

const at = (number: number, leaf: number, change: Partial<Place> = {}): Place => ({
  ...{ lane: 0, epoch: 1, number, leaf, repeated: false },
  ...change,
});
const refused = (message: string) => new ConcordatError('EVENT_INVALID', message);

function summaryOf(...results: readonly (Place | ConcordatError)[]) {
  const all = new StreamResults();
  for (const result of results) all.set(all.next(), result);
  return all.summary();
}

describe('the results of a stream', () => {
  test('of events that stand side by side in one block are one run', () => {
    expect(summaryOf(at(7, 3), at(7, 4), at(7, 5))).toEqual({
      ...{ published: 3, repeated: 0, refused: 0, refusals: [] },
      runs: [{ first: 0, count: 3, ...at(7, 3) }],
    });
  });

  test.each<[string, Place]>([
    ['another block', at(8, 4)],
    ['another lane', at(7, 4, { lane: 1 })],
    ['another epoch', at(7, 4, { epoch: 2 })],
    ['a leaf further on', at(7, 5)],
    ['an earlier result', at(7, 4, { repeated: true })],
  ])('begin another run at %s', (_name, second) => {
    const { runs } = summaryOf(at(7, 3), second);
    expect(runs.map(({ first, count }) => [first, count])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  test('say of each position once what became of it, whatever was told first', () => {
    const all = new StreamResults();
    for (let n = 0; n < 4; n += 1) all.next();
    all.set(3, at(1, 2));
    all.set(1, refused('identity.fullName: expected text, got a number'));
    all.set(2, at(1, 1, { repeated: true }));
    all.set(0, at(1, 0));
    const { runs, ...rest } = all.summary();
    expect(runs.map(({ first }) => first)).toEqual([0, 2, 3]);
    expect(rest).toEqual({
      ...{ published: 2, repeated: 1, refused: 1 },
      refusals: [
        {
          position: 1,
          code: 'EVENT_INVALID',
          field: 'identity.fullName',
          message: 'identity.fullName: expected text, got a number',
        },
      ],
    });
  });

  test('name no field when the refusal is about none', () => {
    const { refusals } = summaryOf(new ConcordatError('PEER_UNAVAILABLE', 'stopped: try again'));
    expect(refusals).toMatchObject([{ code: 'PEER_UNAVAILABLE', field: '' }]);
  });

  test('keep every code when the texts become too long for one answer', () => {
    const long = `${'p'.repeat(200)}: ${'w'.repeat(500)}`;
    const { refusals } = summaryOf(...Array.from({ length: 20_000 }, () => refused(long)));
    expect(refusals).toHaveLength(20_000);
    expect(refusals.every(({ code }) => code === 'EVENT_INVALID')).toBe(true);
    expect(refusals.at(0)?.message).toBe(long);
    expect(refusals.at(-1)?.message).toBe('');
  });

  test('are not summed up while one is missing', () => {
    const all = new StreamResults();
    all.next();
    expect(() => all.summary()).toThrow(TypeError);
  });
});
