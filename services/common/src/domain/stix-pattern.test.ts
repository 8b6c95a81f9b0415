import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stixPatternProblem } from './stix-pattern.js';

const START = "START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z'";

// prettier-ignore
describe('well-formed', () => {
  test.each([
    "[ipv4-addr:value = '198.51.100.7']",
    "[file:hashes.'SHA-256' = 'ab' AND file:size >= 1280]",
    "[a:b[*].c[3].'d-e' NOT IN (1, -2.5, 'x', true, b'QQ==', h'ff', t'2026-01-15T12:30:45.1Z')]",
    "[a:b == 'x' OR (a:c <> false AND EXISTS a:d)]",
    "[a:b LIKE 'x%' AND a:c MATCHES '^\\\\d+$' AND a:d ISSUBSET '192.0.2.0/24' AND a:e ISSUPERSET 'y']",
    "[a:b = 'it\\'s'] /* a remark */ // and one more",
    `([a:b = 1] FOLLOWEDBY ([a:c = 2] OR [a:d = 3])) WITHIN 5.5 SECONDS REPEATS 2 TIMES ${START}`,
    '[a:b=1]AND[a:c=.5]',
    "([a:b = 1] WITHIN 2 SECONDS) WITHIN 3 SECONDS",
    `${'('.repeat(32)}[a:b = 1]${')'.repeat(32)}`,
  ])('%s', (pattern) => {
    expect(stixPatternProblem(pattern)).toBeUndefined();
  });
});

// prettier-ignore
describe('refused, naming the place', () => {
  test.each<[pattern: string, problem: string]>([
    ['', 'expected [ or ( at character 1'],
    ['a:b = 1', 'expected [ or ( at character 1'],
    ['[a:b = ]', 'expected a literal at character 8'],
    ['[a:b = x]', 'expected a literal at character 8'],
    ['[a.b = 1]', 'expected : at character 3'],
    ['[a:b-c = 1]', 'expected a property without a hyphen, or in quotes at character 4'],
    ['[a:b[-1] = 1]', 'expected an index or * at character 6'],
    ['[a:b 1]', 'expected a comparison operator at character 6'],
    ['[a:b > true]', 'expected a literal that has an order at character 8'],
    ['[a:b LIKE 1]', 'expected a string at character 11'],
    ['[a:b IN ()]', 'expected a literal at character 10'],
    ['[a:b = 1', 'expected AND, OR or ] at character 9'],
    ['[a:b = 1] within 2 seconds', 'expected AND, OR, FOLLOWEDBY, a qualifier or the end at character 11'],
    ['[a:b = 1] WITHIN -5 SECONDS', 'expected a positive number at character 18'],
    ['[a:b = 1] REPEATS 1.5 TIMES', 'expected a positive whole number at character 19'],
    ['[a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES', 'expected each qualifier at most once at character 27'],
    [`[a:b = 1] ${START} ${START}`, 'expected each qualifier at most once at character 72'],
    ["[a:b = 1] START t'2026-01-02T00:00:00Z' STOP t'2026-01-01T00:00:00Z'", 'expected a STOP after its START at character 46'],
    ["[a:b = t'2026-13-01T00:00:00Z']", 'expected a literal at character 8'],
    ["[a:b = b'=']", 'expected a literal at character 8'],
    ["[a:b = h'f']", 'expected a literal at character 8'],
    ["[a:b = 'x]", 'expected a word, a literal or an operator at character 8'],
    ["[a:b = 'a\\d']", 'expected a word, a literal or an operator at character 8'],
    ['[a:b MATCHES /x/]', 'expected a word, a literal or an operator at character 14'],
    [`${'('.repeat(33)}[a:b = 1]${')'.repeat(33)}`, 'expected at most 32 open parentheses at character 34'],
    [`[a:b = '${'x'.repeat(16_384)}']`, 'expected at most 16384 characters'],
  ])('%s', (pattern, problem) => {
    expect(stixPatternProblem(pattern)).toBe(problem);
  });
});

test('any text has an answer, and a refusal quotes none of it', () => {
  const pieces = ['[', ']', '(', ')', "'", '\\', ':', '.', 'a', 'AND', ' ', '=', '1', '/*', "t'"];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((some) => some.join(''));
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (pattern) => {
      expect(stixPatternProblem(`${pattern}~secret`)).toMatch(/^expected [^~]*$/);
    }),
  );
});

test.each([
  ['parentheses', '('],
  ['quotes', "'"],
  ['comments that do not end', '/*'],
  ['path steps', '.a'],
  ['digits', '7'],
  ['escapes', "\\'"],
])(
  '16,000 characters of %s are refused at once',
  (_name, piece) => {
    const pattern = `[a:b${piece.repeat(16_000 / piece.length)}`;
    expect(stixPatternProblem(pattern)).toMatch(/^expected /);
  },
  1_000,
);
