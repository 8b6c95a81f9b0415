import { createColors } from 'picocolors';
import { alignedLines, terminalText } from '../domain/terminal-text.js';

export interface Output {
  /** data */
  readonly out: (text: string) => void;
  /** progress and errors */
  readonly err: (text: string) => void;
}

export interface PrintOptions {
  readonly output: 'table' | 'json';
  readonly quiet: boolean;
  readonly color: boolean;
}

export interface Printer {
  /** One answer: as JSON, or as the lines of `table`. */
  readonly answer: (value: unknown, table: () => readonly string[]) => void;
  /** A list: as a JSON array, or a row each under `columns`. */
  readonly list: <T extends object>(items: readonly T[], columns: Columns<T>) => void;
  /** One thing: as a JSON object, or a line for each field that says something. */
  readonly facts: (value: object) => void;
  /** A line of JSON, or of text, while it goes on. */
  readonly line: (value: unknown, text: string) => void;
  /** Data as it is, for pipes. */
  readonly raw: (text: string) => void;
  /** What happens meanwhile, for people. */
  readonly progress: (text: string) => void;
}

/** Heading to cell. */
export type Columns<T> = Readonly<Record<string, (item: T) => string | number>>;

export function openPrinter({ out, err }: Output, options: PrintOptions): Printer {
  const colors = createColors(options.color);
  const lines = (all: readonly string[]): void => {
    for (const line of all) out(`${line}\n`);
  };
  const json = (value: unknown): void => out(`${JSON.stringify(value, undefined, 2)}\n`);
  const answer: Printer['answer'] = (value, table) => {
    if (options.output === 'json') json(value);
    else lines(table());
  };
  return {
    answer,
    list: (items, columns) =>
      answer(items, () => {
        const cells = Object.values(columns);
        const rows = items.map((item) => cells.map((cell) => String(cell(item))));
        const [heading = '', ...rest] = alignedLines([Object.keys(columns), ...rows]);
        return [colors.dim(heading), ...rest];
      }),
    facts: (value) => answer(value, () => factLines(value)),
    line: (value, text) => {
      if (options.output === 'json') out(`${JSON.stringify(value)}\n`);
      else out(`${terminalText(text)}\n`);
    },
    raw: out,
    progress: (text) => {
      if (!options.quiet) err(`${colors.dim(terminalText(text))}\n`);
    },
  };
}

/** A field a line; what is empty is left out. */
export function factLines(value: object): readonly string[] {
  const said = Object.entries(value).map(([name, field]): [string, string] => [
    name,
    asText(field),
  ]);
  return alignedLines(said.filter(([, text]) => text !== ''));
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  if (value.some((item) => typeof item === 'object')) return JSON.stringify(value);
  return value.join(', ');
}
