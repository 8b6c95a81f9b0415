import { expect, test } from '@jest/globals';
import { ConcordatError, ERROR_CODES } from '@concordat/common/domain/errors.js';
import { EXIT, exitCodeOf } from './exit-code.js';

test.each(ERROR_CODES)('%s has an exit code of its own kind, never "done"', (code) => {
  const failures = Object.values(EXIT).filter((exit) => exit !== EXIT.done);
  expect(failures).toContain(exitCodeOf(code));
});

test('only what a later call can outlive says "try again"', () => {
  const again = ERROR_CODES.filter((code) => exitCodeOf(code) === EXIT.tryAgain);
  expect(again.filter((code) => !new ConcordatError(code, '').retryable)).toEqual([]);
});

test('the numbers are the documented ones', () => {
  expect(Object.values(EXIT)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 75]);
});
