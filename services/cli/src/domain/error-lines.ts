import type { ConcordatError } from '@concordat/common/domain/errors.js';
import { terminalText } from './terminal-text.js';

/** Our messages say where, what was expected and what came; on one line this is where each begins. */
const PARTS = /^(?:(.+): )?expected (.+), (?:came|got) (.+)$/;

/** A call that failed says first which one it was, and where. */
const CALL = /^\/(\S+) at (\S+): ([^]*)$/;

const LABEL_WIDTH = 10;

function labelled(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${terminalText(text)}`;
}

/** What an unexpected error may say: nothing of its own message, which may quote what it stumbled over. */
function message({ code, message: own, cause }: ConcordatError): string {
  if (code !== 'INTERNAL' || cause === undefined) return own;
  const kind = cause instanceof Error ? cause.name : typeof cause;
  return `something failed that no rule foresaw (${kind})`;
}

/**
 * An error for a terminal: code and what happened, then what was expected and what came where the message tells, what to
 * do, and where to read more.
 *
 * @param advice what `docs/errors.md` says to do
 */
export function errorLines(error: ConcordatError, advice: string | undefined): readonly string[] {
  const all = message(error);
  const [, method, place, said = all] = CALL.exec(all) ?? [];
  const [first = '', ...rest] = said.split('\n');
  const [, where, expected, came] = rest.length === 0 ? (PARTS.exec(first) ?? []) : [];
  const parts =
    expected === undefined || came === undefined
      ? rest.map((line) => `  ${terminalText(line.trimStart())}`)
      : [labelled('expected', expected), labelled('came', came)];
  const what = expected === undefined ? first : (where ?? 'what was given does not fit');
  return [
    `${error.code}  ${terminalText(what)}`,
    ...parts,
    ...(method === undefined ? [] : [labelled('at', `${place ?? ''} ${method}`)]),
    ...(advice === undefined ? [] : [labelled('do', advice)]),
    labelled('more', `docs/errors.md#${error.code.toLowerCase()}`),
  ];
}

const DO = /^\*\*Do:\*\* ([^]*?)(?=\n\n|\n#|$(?![^]))/m;

/** The advice for `code` in the text of `docs/errors.md`, on one line. */
export function adviceIn(errorsDocument: string, code: string): string | undefined {
  const [, section] = errorsDocument.split(new RegExp(`^### ${code}$`, 'm'));
  const [, advice] = DO.exec(section ?? '') ?? [];
  return advice?.replaceAll(/\s+/g, ' ').trim();
}
