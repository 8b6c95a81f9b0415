import { Option } from 'commander';

/** How an event may be handled, and how good it is; each without a default. */
export const HANDLING = {
  tlp: () => choice('--tlp <label>', 'TLP 2.0', ['CLEAR', 'GREEN', 'AMBER', 'AMBER_STRICT', 'RED']),
  europol: () => choice('--europol <code>', 'handling code', ['H0', 'H1', 'H2', 'H3']),
  source: () => choice('--source <grade>', 'how reliable the source is', ['A', 'B', 'C', 'X']),
  information: () => choice('--information <grade>', 'how certain it is', ['1', '2', '3', '4']),
} as const;

function choice(flags: string, about: string, values: readonly string[]): Option {
  return new Option(flags, about).choices(values);
}
