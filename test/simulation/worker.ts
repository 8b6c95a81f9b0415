import { PLAN } from './run/plan.js';
import { fillStartFiles, runSeed } from './run/seed.js';
import type { Told } from './run/workers.js';
import { EVERYBODY } from './story/story.js';
import { makeTemplate } from './world/template.js';

/** Of a seed that violated something. */
const TRACE_LINES = 150;

const template = makeTemplate();
await fillStartFiles(template);
const plan = process.argv.includes('--everybody') ? { ...PLAN, actors: EVERYBODY } : PLAN;
const isTraced = process.argv.includes('--trace');

function tell(result: Told['result']): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ result, cpuSeconds: (user + system) / 1e6 } satisfies Told);
}

process.on('message', (seed: number | 'end') => {
  if (seed === 'end') {
    template.disks.dispose();
    process.disconnect();
    return;
  }
  void runSeed(template, seed, plan).then((result) => {
    const isShort = !isTraced && result.violations.length > 0;
    const trace = isTraced ? result.trace : isShort ? result.trace.slice(-TRACE_LINES) : [];
    tell({ ...result, trace });
  });
});
tell(undefined);
