import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CUT_LISTS } from './cut-report.js';

/** Two lists with every kind of change: QDi.021 is delisted, QDi.184 and CIi.008 are amended, QDe.147 is added. */
const REFERENCES = ['QDi.021', 'QDi.184', 'CIi.008', 'QDe.147', 'QDe.004', 'TAi.034', 'LRi.005'];
const LISTS = 2;

/** Writes some entries of the first lists of the cut, as they stand there. */
export async function writeSmallLists(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const name of (await readdir(CUT_LISTS)).sort().slice(0, LISTS)) {
    const xml = await readFile(join(CUT_LISTS, name), 'utf8');
    const small = xml.replaceAll(/ *<(INDIVIDUAL|ENTITY)>[^]*?<\/\1>\n/g, (entry) => {
      const [, reference = ''] = /<REFERENCE_NUMBER>\s*([^<]*?)\s*</.exec(entry) ?? [];
      return REFERENCES.includes(reference) ? entry : '';
    });
    await writeFile(join(dir, name), small);
  }
}
