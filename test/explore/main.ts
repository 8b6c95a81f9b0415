import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { CASTS } from './moves.js';
import { MUTANTS } from './mutants.js';
import { type Rules, shippedRules } from './rules.js';
import { type Explored, type Found, explore } from './search.js';
import type { Cast } from './state.js';
import { entryVerdicts } from './verdicts.js';

const ROOT = new URL('../../../', import.meta.url);
const OUT = new URL('out/explore.json', ROOT);

interface Timed extends Explored {
  readonly seconds: number;
}

function timed(rules: Rules, cast: Cast): Timed {
  const startMs = performance.now();
  const explored = explore(rules, cast);
  return { ...explored, seconds: Math.round((performance.now() - startMs) / 10) / 100 };
}

function tell({ invariant, what, depth, trace }: Found): void {
  console.log(`    ${invariant}: ${what}, after ${depth} steps:`);
  for (const [at, step] of trace.entries()) console.log(`    ${at + 1}. ${step}`);
}

const shipped = shippedRules(
  entryVerdicts(openRecordCodec(fileURLToPath(new URL('schemas', ROOT)))),
);
const explored = CASTS.map((cast) => {
  const one = timed(shipped, cast);
  const { states, depth, transitions, seconds, violation } = one;
  console.log(`${cast.name}: ${states} states, depth ${depth}, ${transitions} steps, ${seconds} s`);
  if (violation) tell(violation);
  return one;
});
const mutants = MUTANTS.map(({ name, caughtBy, cast, change }) => {
  const { states, seconds, violation } = timed({ ...shipped, ...change(shipped) }, cast);
  const isCaught = violation?.invariant === caughtBy;
  const { invariant = 'nothing', depth = 0, what = '', trace = [] } = violation ?? {};
  const said = violation ? `${invariant} at depth ${depth}` : `nothing in ${states} states`;
  console.log(`  ${isCaught ? 'caught' : 'MISSED'}  ${name}: ${said}, ${seconds} s`);
  if (violation && !isCaught) tell(violation);
  return { name, isCaught, invariant, depth, states, seconds, what, trace };
});
const violations = explored.filter(({ violation }) => violation !== undefined).length;
const missed = mutants.filter(({ isCaught }) => !isCaught).length;
console.log(
  `${violations} violations, ${mutants.length - missed} of ${mutants.length} mutants caught`,
);
await mkdir(new URL('.', OUT), { recursive: true });
await writeFile(OUT, `${JSON.stringify({ violations, explored, mutants }, null, 2)}\n`);
process.exitCode = violations + missed === 0 ? 0 : 1;
