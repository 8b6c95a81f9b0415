import { expect, test } from '@jest/globals';
import { alignedLines, terminalText } from './terminal-text.js';

test.each([
  ['an escape sequence', 'a\u001b[2Jb', 'a\ufffd[2Jb'],
  ['a carriage return', 'a\rb', 'a\ufffdb'],
  ['an override of direction', 'a\u202eb', 'a\ufffdb'],
  ['nothing of a name in Arabic script', '\u0639\u0644\u06cc', '\u0639\u0644\u06cc'],
])('%s cannot reach the terminal', (_name, given, shown) => {
  expect(terminalText(given)).toBe(shown);
});

test('columns stand under each other, without spaces at the end', () => {
  expect(
    alignedLines([
      ['member', 'state'],
      ['de', 'DELETED'],
      ['fr', ''],
    ]),
  ).toEqual(['member  state', 'de      DELETED', 'fr']);
});
