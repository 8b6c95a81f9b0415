import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { federationFiles } from '../../io/federation-init.js';
import { SCHEMAS_DIR, repositoryPath } from '../../io/home.js';
import type { DemoScene, SceneStage } from './scene.js';

const PYTHON = 'out/python/bin/python';
const PROGRAM = 'test/python/verify_certificate.py';
const OUTPUT_BYTES_MAX = 16 << 20;

/** A program that shares no line with ours reads every certificate of this run. */
export const pythonVerifier: DemoScene = {
  name: 'pythonVerifier',
  title: 'A second verifier, in Python, checks every certificate',
  play: async (stage) => {
    const { story } = stage.ports;
    const complete = [
      ...(await filesIn(stage.places.certificatesDir)),
      ...(await filesIn(stage.places.sceneCertificatesDir)),
    ];
    if (!existsSync(repositoryPath(PYTHON))) {
      const why = `not checked: there is no Python in out/python; \`make python\` puts one there`;
      story.line(why);
      return { shown: true, checked: 0, why };
    }
    const verdicts = await verdictsOn(stage, complete);
    const isPart = (at: number): boolean => complete[at]?.endsWith('-incomplete.json') === true;
    const agreed = verdicts.filter((verdict, at) =>
      isPart(at) ? verdict.startsWith('incomplete: ') : verdict === 'complete',
    ).length;
    const count = (word: string): number =>
      verdicts.filter((verdict) => verdict.split(':')[0] === word).length;
    const found = { complete: count('complete'), incomplete: count('incomplete') };
    story.line(
      `${String(complete.length)} certificates: ${String(found.complete)} complete, ${String(found.incomplete)} incomplete, as we say of ${String(agreed)}`,
    );
    const shown = complete.length > 0 && agreed === complete.length;
    return { shown, checked: complete.length, ...found, asWeSay: agreed };
  },
};

async function filesIn(dir: string): Promise<string[]> {
  if (!existsSync(dir)) return [];
  return (await readdir(dir)).sort().map((name) => join(dir, name));
}

/** A line for each file. Nothing of our own environment goes to a program that is not ours. */
function verdictsOn({ places }: SceneStage, files: readonly string[]): Promise<string[]> {
  const { trustFile } = federationFiles(places.dir);
  const args = [repositoryPath(PROGRAM), SCHEMAS_DIR, trustFile, ...files];
  const options = { env: { PYTHONDONTWRITEBYTECODE: '1' }, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise((resolve, reject) => {
    execFile(repositoryPath(PYTHON), args, options, (cause, stdout, stderr) => {
      const lines = stdout.trimEnd().split('\n');
      if (lines.length === files.length && stdout !== '') resolve(lines);
      else reject(new ConcordatError('INTERNAL', `${PROGRAM} failed: ${stderr}`, { cause }));
    });
  });
}
