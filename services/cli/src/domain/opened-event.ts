import { parseStrictJson, type Json } from '@concordat/common/domain/strict-json.js';
import { alignedLines } from './terminal-text.js';
import { timeText } from './time-text.js';

/** TLP, Europol's code, and the grades of source and information, as the node answers them. */
interface WireHandling {
  readonly tlp: string;
  readonly europol: string;
  readonly source: string;
  readonly information: number;
}

/** `TLP:AMBER H1 B2` */
export function handlingText(handling: WireHandling | null | undefined): string {
  if (!handling) return '';
  return `TLP:${handling.tlp} ${handling.europol} ${handling.source}${handling.information}`;
}

/** What the node answers to a reader. */
interface ReadAnswer {
  readonly origin: string;
  readonly eventId: string;
  readonly category: string;
  readonly sections: readonly { readonly name: string; readonly contentJson: Uint8Array }[];
  readonly deleteByMs: number;
  readonly handling?: WireHandling | null | undefined;
  readonly warnings: readonly string[];
}

export interface OpenedView {
  readonly origin: string;
  readonly eventId: string;
  readonly category: string;
  readonly deleteBy: string;
  readonly handling: WireHandling | null;
  readonly warnings: readonly string[];
  readonly sections: Readonly<Record<string, Json>>;
}

const SECTION_BYTES_MAX = 1 << 20;

export function openedView({ deleteByMs, handling, sections, ...rest }: ReadAnswer): OpenedView {
  const contents = sections.map(({ name, contentJson }): readonly [string, Json] => {
    const content = parseStrictJson(contentJson, SECTION_BYTES_MAX);
    if (!content.ok) throw content.error;
    return [name, content.value];
  });
  return {
    ...rest,
    deleteBy: timeText(deleteByMs),
    handling: handling ?? null,
    sections: Object.fromEntries(contents),
  };
}

/** The event section by section; fields that say nothing are left out. */
export function openedLines(view: OpenedView): readonly string[] {
  const facts = alignedLines([
    ['event', `${view.eventId} of ${view.origin}`],
    ['category', view.category],
    ['handling', handlingText(view.handling)],
    ['delete by', view.deleteBy],
  ]);
  return [
    ...facts,
    ...Object.entries(view.sections).flatMap(([name, content]) => ['', name, ...indented(content)]),
  ];
}

function indented(content: Json): readonly string[] {
  const fields = typeof content === 'object' && content !== null ? Object.entries(content) : [];
  const rows = fields.flatMap(([name, value]) => {
    const items: readonly Json[] = Array.isArray(value) ? (value as readonly Json[]) : [value];
    return items
      .map(asText)
      .filter((text) => text !== '')
      .map((text, at) => [at === 0 ? name : '', text]);
  });
  if (rows.length === 0) return ['  (empty)'];
  return alignedLines(rows).map((line) => `  ${line}`);
}

function asText(value: Json | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  const said = Object.entries(value).filter(([, field]) => field !== null);
  return said.map(([name, field]) => `${name}: ${asText(field)}`).join('; ');
}
