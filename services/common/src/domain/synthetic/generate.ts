import { seededRandom } from '../seeded-random.js';
import type { Json } from '../strict-json.js';
import { Draw, filler, jsonBytes } from './draw.js';
import { FINANCIAL_KINDS, financialIndicator } from './financial-indicator.js';
import { REPORT_KINDS, informationReport } from './information-report.js';
import { PERSON_ALERT_KINDS, personAlert } from './person-alert.js';
import { THREAT_KINDS, threatIndicator } from './threat-indicator.js';
import { TRAVEL_DOCUMENT_KINDS, travelDocumentAlert } from './travel-document-alert.js';

/** A made-up event: the full name of its category, and its content as JSON that the schema takes. */
export interface SyntheticEvent {
  readonly category: string;
  readonly content: { readonly [field: string]: Json };
}

interface Maker {
  readonly kinds: readonly string[];
  /** The field of free text that `bytes` lengthens. */
  readonly text: string;
  readonly make: (draw: Draw, kind: string) => { [field: string]: Json };
}

function maker<Kind extends string>(
  kinds: readonly Kind[],
  text: string,
  make: (draw: Draw, kind: Kind) => { [field: string]: Json },
): Maker {
  return { kinds, text, make: (draw, kind) => make(draw, kind as Kind) };
}

const MAKERS = {
  'person-alert': maker(PERSON_ALERT_KINDS, 'remarks', personAlert),
  'travel-document-alert': maker(TRAVEL_DOCUMENT_KINDS, 'remarks', travelDocumentAlert),
  'financial-indicator': maker(FINANCIAL_KINDS, 'analysis', financialIndicator),
  'threat-indicator': maker(THREAT_KINDS, 'description', threatIndicator),
  'information-report': maker(REPORT_KINDS, 'text', informationReport),
} as const satisfies Record<string, Maker>;

export type SyntheticCategory = keyof typeof MAKERS;
export const SYNTHETIC_CATEGORIES = Object.keys(MAKERS) as readonly SyntheticCategory[];

/** The full names that `generate` takes: each category, and each of its kinds. */
export const SYNTHETIC_NAMES: readonly string[] = Object.entries(MAKERS).flatMap(
  ([category, { kinds }]) => [category, ...kinds.map((kind) => `${category}.${kind}`)],
);

/**
 * The event number `index` of a seed: the same for ever, whatever was made before. Nothing in it is of anybody: names,
 * states, banks and addresses are of those that stand for nothing.
 *
 * @param name a category, then its kind is drawn too, or a category and a kind: `person-alert.missing`
 * @param options.bytes lengthens the free text until the content has so many bytes as JSON
 * @throws RangeError for a name that is none of `SYNTHETIC_NAMES`
 */
export function generate(
  name: string,
  seed: string,
  index: number,
  options: { readonly bytes?: number } = {},
): SyntheticEvent {
  if (!SYNTHETIC_NAMES.includes(name)) throw new RangeError(`nothing is made for ${name}`);
  const [category = '', wanted] = name.split('.');
  const { kinds, text, make }: Maker = MAKERS[category as SyntheticCategory];
  const draw = new Draw(seededRandom('concordat synthetic v1', seed, category, String(index)));
  const drawn = draw.pick(kinds);
  const kind = wanted ?? drawn;
  const content = make(draw, kind);
  const missing = (options.bytes ?? 0) - jsonBytes(content);
  const body = content[text];
  if (typeof body !== 'string') throw new TypeError(`${category} has no text in ${text}`);
  return {
    category: `${category}.${kind}`,
    content: missing > 0 ? { ...content, [text]: body + filler(missing) } : content,
  };
}
