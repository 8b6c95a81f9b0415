import type { Change } from './mutant.js';

/** One token of a pattern: an escape, a class, a group's head, a quantifier or a single character. */
const TOKEN =
  /\\(?:u\{[^}]*\}|u[0-9a-f]{4}|x[0-9a-f]{2}|p\{[^}]*\}|.)|\[(?:\\.|[^\]\\])*\]|\(\?(?:[:=!]|<[=!]|<\w+>)|\{\d+(?:,\d*)?\}\??|[*+?]\??|./giu;

/** What may stand instead of a regular expression: an anchor or a quantifier less, a class the other way round. */
export function regexChanges(literal: string): Change[] {
  const end = literal.lastIndexOf('/');
  const flags = literal.slice(end);
  const tokens: readonly string[] = literal.slice(1, end).match(TOKEN) ?? [];
  return tokens
    .flatMap((token, at) => tokenChanges(token).map((to) => tokens.with(at, to).join('')))
    .map((pattern) => `/${pattern || '(?:)'}${flags}`)
    .filter(isPattern)
    .map((to) => ({ operator: 'regex', to }));
}

function tokenChanges(token: string): string[] {
  if (token === '*') return ['', '+'];
  if (token === '^' || token === '$' || token === '?') return [''];
  if (/^(?:\+|\{\d+(?:,\d*)?\})\??$/.test(token)) return [''];
  if (token.startsWith('[^')) return [`[${token.slice(2)}`];
  if (token.startsWith('[')) return [`[^${token.slice(1)}`];
  if (/^\\[dwsDWSpP]/.test(token)) {
    const letter = token.charAt(1);
    const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    return [`\\${other}${token.slice(2)}`];
  }
  if (token === '(?=') return ['(?!'];
  if (token === '(?!') return ['(?='];
  return [];
}

function isPattern(literal: string): boolean {
  const end = literal.lastIndexOf('/');
  try {
    return new RegExp(literal.slice(1, end), literal.slice(end + 1)) instanceof RegExp;
  } catch (cause) {
    if (cause instanceof SyntaxError) return false;
    throw cause;
  }
}
