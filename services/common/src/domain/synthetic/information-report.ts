import type { Json } from '../strict-json.js';
import type { Draw } from './draw.js';

export const REPORT_KINDS = ['sighting', 'assessment', 'request', 'reply'] as const;
type ReportKind = (typeof REPORT_KINDS)[number];

export function informationReport(draw: Draw, kind: ReportKind): { [field: string]: Json } {
  return {
    reference: draw.perhaps(70, () => `SYN-${draw.digits(6)}`),
    title: `Synthetic ${kind} ${draw.digits(4)}`,
    observedAt: draw.perhaps(80, () => draw.time(2025, 2025)),
    places: draw.list(0, 2, () => `Sampleton ${draw.digits(2)}`),
    text: 'An invented report, made from a seed.',
  };
}
