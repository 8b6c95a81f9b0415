import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

const missingFile = thrownBy(() => readFileSync('/absent'));
const wrongType = thrownBy(() => Buffer.alloc('many' as unknown as number));

test('an error of Node.js itself is an Error in a test, as it is in production', () => {
  expect(missingFile).toBeInstanceOf(Error);
  expect(wrongType).toBeInstanceOf(TypeError);
  expect(new TypeError('ours')).toBeInstanceOf(Error);
});

test('an error is an instance of no class but its own', () => {
  expect(missingFile).not.toBeInstanceOf(TypeError);
  expect(missingFile).not.toBeInstanceOf(ConcordatError);
  expect(new Error('ours')).not.toBeInstanceOf(ConcordatError);
  expect({ message: 'no error' }).not.toBeInstanceOf(Error);
});
