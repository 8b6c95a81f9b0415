// Cuts 60 entries out of un-sanctions/ into un-sanctions-cut/: every entry that any list changes, those with
// something odd, and the rest spread evenly. Entries are copied as they stand, less their schema attributes.
//   node test/data/make-cut.js
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const ENTRIES = 60;
/** Trailing dot, upper-case reference, trailing space, wrapped text, numbers in notes, named like its list. */
const ODD = ['QDi.343', 'TAI.171', 'LRi.010', 'LRi.005', 'TAi.034', 'TAi.051', 'QDe.004'];
const SOURCE = new URL('un-sanctions/', import.meta.url);
const TARGET = new URL('un-sanctions-cut/', import.meta.url);

function readList(file) {
  const xml = gunzipSync(readFileSync(new URL(file, SOURCE))).toString('utf8');
  const entries = new Map();
  for (const [whole, element] of xml.matchAll(/<(INDIVIDUAL|ENTITY)(?=[\s>])[^]*?<\/\1>/g)) {
    const text = whole.replace(/^<[A-Z]+[^>]*>/, `<${element}>`);
    const [, number] = /<REFERENCE_NUMBER>\s*([^<]*?)\s*<\/REFERENCE_NUMBER>/.exec(text);
    entries.set(number.replace(/\.$/, ''), { element, text });
  }
  return { file, dateGenerated: /dateGenerated="([^"]+)"/.exec(xml)[1], entries };
}

/** The same text for entries that differ in white space and in the spelling of empty elements only. */
function fold(entry) {
  return entry?.text
    .replaceAll(/<([A-Z0-9_]+)\s*\/>/g, '<$1></$1>')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/> | </g, (edge) => edge.trim());
}

function choose(lists) {
  const all = [...new Set(lists.flatMap(({ entries }) => [...entries.keys()]))].sort();
  const changed = all.filter((reference) => {
    const [first, ...later] = lists.map(({ entries }) => fold(entries.get(reference)));
    return later.some((text) => text !== first);
  });
  const chosen = new Set([...changed, ...ODD]);
  const rest = all.filter((reference) => !chosen.has(reference));
  const wanted = ENTRIES - chosen.size;
  for (let at = 0; at < wanted; at += 1) chosen.add(rest[Math.floor((at * rest.length) / wanted)]);
  return chosen;
}

function write({ file, dateGenerated, entries }, chosen) {
  const group = (name, element) => {
    const texts = [...entries]
      .filter(([reference, entry]) => entry.element === element && chosen.has(reference))
      .map(([, { text }]) => `      ${text}\n`);
    return `   <${name}>\n${texts.join('')}   </${name}>\n`;
  };
  const xml =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<CONSOLIDATED_LIST dateGenerated="${dateGenerated}">\n` +
    `${group('INDIVIDUALS', 'INDIVIDUAL')}${group('ENTITIES', 'ENTITY')}</CONSOLIDATED_LIST>\n`;
  writeFileSync(new URL(file.replace(/\.gz$/, ''), TARGET), xml);
}

const lists = readdirSync(SOURCE)
  .filter((name) => name.endsWith('.xml.gz'))
  .sort()
  .map(readList);
const chosen = choose(lists);
mkdirSync(TARGET, { recursive: true });
for (const list of lists) write(list, chosen);
console.log(`${chosen.size} entries in ${fileURLToPath(TARGET)}`);
