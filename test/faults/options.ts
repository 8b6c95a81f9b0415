import { parseArgs } from 'node:util';
import { type CaseName, isCase } from './cases/all.js';

export interface FaultsPlan {
  readonly runs: number;
  /** of the first run; each further run has the next one */
  readonly firstSeed: number;
  /** that the publishers of one run have acknowledged; its cases publish some more */
  readonly events: number;
  /** how long faults strike in one run */
  readonly stormMs: number;
  /** these instead of those whose turn it is */
  readonly cases: readonly CaseName[] | undefined;
  readonly out: string;
}

const USAGE =
  "usage: make faults [RUNS=20] [SEED=1] [EVENTS=4300] [ARGS='--storm=SECONDS --cases=D3,D4 --out=FILE']";

function count(name: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new RangeError(`--${name}: expected a number from 1, came ${text}\n${USAGE}`);
}

function casesIn(text: string): CaseName[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !isCase(name));
  if (unknown.length > 0) throw new RangeError(`--cases: no case ${unknown.join(', ')}\n${USAGE}`);
  return names.filter(isCase);
}

/** @throws Error naming what cannot be understood */
export function readPlan(args: readonly string[]): FaultsPlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      events: { type: 'string', default: '4300' },
      storm: { type: 'string', default: '25' },
      cases: { type: 'string' },
      out: { type: 'string', default: 'out/faults.json' },
    },
  });
  return {
    runs: count('runs', values.runs),
    firstSeed: count('seed', values.seed),
    events: count('events', values.events),
    stormMs: count('storm', values.storm) * 1_000,
    cases: values.cases === undefined ? undefined : casesIn(values.cases),
    out: values.out,
  };
}
