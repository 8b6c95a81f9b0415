import {
  type ConcordatError,
  type FieldProblem,
  partsOfMessage,
} from '@concordat/common/domain/errors.js';
import { terminalText } from './terminal-text.js';

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
  const { what, parts } = saidOf(said, error.details.fields ?? []);
  return [
    `${error.code}  ${terminalText(what)}`,
    ...parts,
    ...(method === undefined ? [] : [labelled('at', `${place ?? ''} ${method}`)]),
    ...(advice === undefined ? [] : [labelled('do', advice)]),
    labelled('more', `docs/errors.md#${error.code.toLowerCase()}`),
  ];
}

/** What happened, and the lines below that tell it in parts: several fields, expected and came, or as it was written. */
function saidOf(
  said: string,
  fields: readonly FieldProblem[],
): { readonly what: string; readonly parts: readonly string[] } {
  const [first = '', ...rest] = said.split('\n');
  if (fields.length > 1) {
    return {
      what: `${String(fields.length)} fields are not as they should be`,
      parts: fields.map(({ field, problem }) => labelled('field', `${field}: ${problem}`)),
    };
  }
  const parts = rest.length === 0 ? partsOfMessage(first) : undefined;
  if (parts) {
    const { where = 'what was given does not fit', expected, got } = parts;
    return { what: where, parts: [labelled('expected', expected), labelled('came', got)] };
  }
  return { what: first, parts: rest.map((line) => `  ${terminalText(line.trimStart())}`) };
}

const DO = /^\*\*Do:\*\* ([^]*?)(?=\n\n|\n#|$(?![^]))/m;

/** The advice for `code` in the text of `docs/errors.md`, on one line. */
export function adviceIn(errorsDocument: string, code: string): string | undefined {
  const [, section] = errorsDocument.split(new RegExp(`^### ${code}$`, 'm'));
  const [, advice] = DO.exec(section ?? '') ?? [];
  return advice?.replaceAll(/\s+/g, ' ').trim();
}
