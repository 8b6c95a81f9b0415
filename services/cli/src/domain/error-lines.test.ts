import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  ConcordatError,
  ERROR_CODES,
  asConcordatError,
  fieldsError,
} from '@concordat/common/domain/errors.js';
import { adviceIn, errorLines } from './error-lines.js';

const document = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');

test('a message that tells what was expected and what came is set out line by line', () => {
  const error = new ConcordatError('REQUEST_INVALID', '--to: expected a member, came nobody');
  expect(errorLines(error, 'correct it')).toEqual([
    'REQUEST_INVALID  --to',
    '  expected  a member',
    '  came      nobody',
    '  do        correct it',
    '  more      docs/errors.md#request_invalid',
  ]);
});

test('several fields that are not as they should be get a line each', () => {
  const fields = [
    { field: 'handling.tlp', problem: 'expected CLEAR or RED' },
    { field: '$.remarks', problem: 'expected array' },
  ] as const;
  const { message } = fieldsError('EVENT_INVALID', fields);
  const error = new ConcordatError(
    'EVENT_INVALID',
    `/a.B/Publish at concordat://eu/fr/node: ${message}`,
    {
      details: { fields },
    },
  );
  expect(errorLines(error, undefined)).toEqual([
    'EVENT_INVALID  2 fields are not as they should be',
    '  field     handling.tlp: expected CLEAR or RED',
    '  field     $.remarks: expected array',
    '  at        concordat://eu/fr/node a.B/Publish',
    '  more      docs/errors.md#event_invalid',
  ]);
});

test('a call that failed is named below what happened', () => {
  const error = new ConcordatError(
    'EVENT_UNKNOWN',
    '/concordat.node.v1.NationalService/Read at concordat://eu/fr/node: no such event is held here',
  );
  expect(errorLines(error, undefined)).toEqual([
    'EVENT_UNKNOWN  no such event is held here',
    '  at        concordat://eu/fr/node concordat.node.v1.NationalService/Read',
    '  more      docs/errors.md#event_unknown',
  ]);
});

test('a message of several lines stays as it is', () => {
  const error = new ConcordatError('CONFIG_INVALID', '2 settings:\n  A: missing\n  B: missing');
  expect(errorLines(error, undefined)).toEqual([
    'CONFIG_INVALID  2 settings:',
    '  A: missing',
    '  B: missing',
    '  more      docs/errors.md#config_invalid',
  ]);
});

test('of an unexpected error only its kind is shown', () => {
  const [line] = errorLines(asConcordatError(new RangeError('canary 4711')), undefined);
  expect(line).toBe('INTERNAL  something failed that no rule foresaw (RangeError)');
});

test.each(ERROR_CODES)('docs/errors.md says what to do about %s', (code) => {
  expect(adviceIn(document, code)).toMatch(/^\S.{10,}[^*#]$/);
});

test('the advice of one code ends before the next', () => {
  expect(adviceIn('### A_ONE\n\n**Do:** this\nand that.\n\n### A_TWO\n\n**Do:** no', 'A_ONE')).toBe(
    'this and that.',
  );
});
