import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { EPOCH_BYTES, cursorAfter, parseCursor } from './cursor.js';

const epoch = new Uint8Array(EPOCH_BYTES).fill(7);
const other = new Uint8Array(EPOCH_BYTES).fill(8);
const place = { epoch, newest: 1_000 };

describe('a cursor', () => {
  test('is read back as the number that it stands after', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), (number) => {
        const read = parseCursor(cursorAfter(number, epoch), { epoch, newest: number });
        expect(read).toEqual({ ok: true, value: number });
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['some text', 'not a cursor'],
    ['a number', '12'],
    ['a space behind it', `${cursorAfter(5, epoch)} `],
    ['one that was cut', cursorAfter(5, epoch).slice(0, -1)],
    ['one of another node', cursorAfter(5, other)],
    ['one beyond the newest notice', cursorAfter(1_001, epoch)],
  ])('that is %s is refused, saying what to do', (_name, text) => {
    const read = parseCursor(text, place);
    expect(read).toMatchObject({
      ok: false,
      error: {
        code: 'CURSOR_INVALID',
        message: expect.stringContaining('subscribe with an empty cursor'),
        details: { fields: [{ field: 'cursor' }] },
      },
    });
  });

  test('with any character changed is refused', () => {
    const whole = cursorAfter(513, epoch);
    for (let at = 0; at < whole.length; at += 1) {
      const changed = whole.slice(0, at) + (whole[at] === 'A' ? 'B' : 'A') + whole.slice(at + 1);
      expect(parseCursor(changed, place).ok).toBe(false);
    }
  });
});
