/** Prints where a CPU profile's time went: node test/bench/top.js FILE.cpuprofile [how many lines] */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const [file, lines = '40'] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node test/bench/top.js FILE.cpuprofile [LINES]');
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));

const selfUs = new Map();
samples.forEach((id, at) => selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[at] ?? 0)));
const parent = new Map(
  nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
);
const byId = new Map(nodes.map((node) => [node.id, node]));

function place({ functionName, url, lineNumber }) {
  const path = url.startsWith('file:') ? relative('.', fileURLToPath(url)) : url;
  return `${functionName || '(anonymous)'} ${path}${url === '' ? '' : `:${lineNumber + 1}`}`;
}

const own = new Map();
const whole = new Map();
for (const [id, us] of selfUs) {
  const name = place(byId.get(id).callFrame);
  own.set(name, (own.get(name) ?? 0) + us);
  const seen = new Set();
  for (let at = id; at !== undefined; at = parent.get(at)) seen.add(place(byId.get(at).callFrame));
  for (const each of seen) whole.set(each, (whole.get(each) ?? 0) + us);
}

const idle = own.get('(idle) ') ?? 0;
const busy = [...own.values()].reduce((a, b) => a + b, 0) - idle;
const share = (us) => `${((100 * us) / busy).toFixed(1).padStart(5)} %`;

function print(title, times) {
  const top = [...times].filter(([name]) => name !== '(idle) ' && name !== '(root) ');
  top.sort((a, b) => b[1] - a[1]);
  console.log(`${title} (of ${(busy / 1e6).toFixed(1)} s busy, ${(idle / 1e6).toFixed(1)} s idle)`);
  for (const [name, us] of top.slice(0, Number(lines))) console.log(`${share(us)}  ${name}`);
}
print('self', own);
print('\nwith all that it calls', whole);
