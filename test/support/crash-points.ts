import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Patch, PatchedService } from './patched-services.js';

/** After a commit to a store; after the broker acknowledged a send and before the outbox knows. */
export type Moment = 'commit' | 'send';

/** By process, `un-node`: it dies after these of its commits and sends, counted from 1 through all its lives. */
export type CrashPlan = Readonly<Record<string, Readonly<Record<Moment, readonly number[]>>>>;

export interface CrashPoints {
  /** For all three services; the copies that carry them die by their own SIGKILL. */
  readonly patches: readonly Patch[];
  dispose(): Promise<void>;
}

/** Counted in files, so that a process that was started again counts on. */
const CODE = `
import { appendFileSync, readFileSync, statSync } from 'node:fs';
const service = process.argv[1].split('/').at(-3);
const name = process.env.CONCORDAT_MEMBER + '-' + service;
const plan = JSON.parse(readFileSync(new URL('plan.json', import.meta.url), 'utf8'));
export function crashPoint(moment) {
  const file = new URL(name + '.' + moment, import.meta.url);
  appendFileSync(file, '.');
  if (plan[name]?.[moment].includes(statSync(file).size)) process.kill(process.pid, 'SIGKILL');
}
`;
const SERVICES: readonly PatchedService[] = ['node', 'consent', 'revocation'];

export async function makeCrashPoints(plan: CrashPlan): Promise<CrashPoints> {
  const dir = await mkdtemp(join(tmpdir(), 'concordat-crash-'));
  const codeFile = join(dir, 'crash-point.mjs');
  await writeFile(codeFile, CODE);
  await writeFile(join(dir, 'plan.json'), JSON.stringify(plan));
  const load = `import { crashPoint } from '${pathToFileURL(codeFile).href}';\n`;
  return {
    patches: SERVICES.flatMap((service) =>
      [
        {
          ...{ file: 'sqlite.js', first: 'export class Sqlite {' },
          ...{ find: "this.#db.exec('COMMIT');", replace: "$& crashPoint('commit');" },
        },
        {
          ...{ file: 'outbox.js', first: 'export class Outbox {' },
          ...{ find: 'this.#tables.sent(topic,', replace: "crashPoint('send'); $&" },
        },
      ].flatMap(({ file, first, find, replace }): Patch[] => {
        const at = { service, file: `common/io/store/${file}` };
        return [
          { ...at, find: first, replace: `${load}${first}` },
          { ...at, find, replace: replace.replace('$&', () => find) },
        ];
      }),
    ),
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}
