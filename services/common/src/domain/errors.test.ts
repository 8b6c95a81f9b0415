import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ConcordatError, ERROR_CODES, asConcordatError, isErrorCode } from './errors.js';

const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
const sections = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [heading = '', ...body] = section.split('\n');
    return { code: heading.trim(), body: body.join('\n') };
  });

describe('docs/errors.md', () => {
  test('explains every code once, and no other', () => {
    expect(sections.map(({ code }) => code).sort()).toEqual([...ERROR_CODES].sort());
  });

  test.each(sections)('says what $code means, what to do, and whether to try again', (section) => {
    const { code, body } = section;
    expect(body).toMatch(/\S+/);
    expect(body).toContain('**Do:**');
    const { retryable } = new ConcordatError(isErrorCode(code) ? code : 'INTERNAL', '');
    expect(body.includes('_The same call may succeed later._')).toBe(retryable);
  });
});

describe('an error', () => {
  test('of ours is passed on as it is', () => {
    const error = new ConcordatError('PURGED', 'event is purged');
    expect(asConcordatError(error)).toBe(error);
  });

  test.each([
    ['an Error', new TypeError('not a function'), 'not a function'],
    ['a thrown text', 'disk full', 'disk full'],
  ])('that was %s becomes INTERNAL and keeps its cause', (_name, cause, message) => {
    expect(asConcordatError(cause)).toMatchObject({ code: 'INTERNAL', message, cause });
  });

  test.each(['toString', '__proto__', 'purged', ''])('code is never %p', (text) => {
    expect(isErrorCode(text)).toBe(false);
  });
});
