import { fillStartFiles, runSeed } from './run/seed.js';
import { makeTemplate } from './world/template.js';

const [first = 1, count = 1] = process.argv.slice(2).map(Number);
const template = makeTemplate();
await fillStartFiles(template);
for (let seed = first; seed < first + count; seed += 1) {
  const cpu = process.cpuUsage();
  const { trace, violations, faults, branches, ...rest } = await runSeed(template, seed);
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    JSON.stringify({
      ...rest,
      cpu: (user + system) / 1e6,
      faults: [...faults],
      branches: [...branches],
    }),
  );
  if (process.env['TRACE']) console.log(trace.join('\n'));
  for (const v of violations) console.log(v);
}
template.disks.dispose();
