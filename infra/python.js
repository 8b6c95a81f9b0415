/**
 * Makes out/python: a Python of its own with exactly the packages of test/python/requirements.txt, for tests that need
 * programs which are not ours. Nothing happens when it is there already. PYTHON names the interpreter to start from.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const python = process.env.PYTHON || 'python3';
const home = fileURLToPath(new URL('../out/python', import.meta.url));
const wanted = fileURLToPath(new URL('../test/python/requirements.txt', import.meta.url));
const stamp = `${home}/installed`;

function fail(problem) {
  console.error(`${problem}\nThe tests need Python 3.11 or newer with its venv module.`);
  console.error('Debian and Ubuntu: apt-get install python3 python3-venv. Another one: PYTHON=…');
  process.exit(1);
}

const probe =
  'import sys, venv, ensurepip; print(sys.version); sys.exit(sys.version_info < (3, 11))';
const found = spawnSync(python, ['-c', probe], { encoding: 'utf8' });
if (found.error) fail(`${python} does not start: ${found.error.message}`);
if (found.status !== 0) {
  fail(`${python} will not do: ${found.stdout.trim() || found.stderr.trim().split('\n').at(-1)}`);
}

const state = createHash('sha256').update(found.stdout).update(readFileSync(wanted)).digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
  console.log('==> installing Python packages');
  rmSync(home, { recursive: true, force: true });
  const run = (program, args) => execFileSync(program, args, { stdio: 'inherit' });
  try {
    run(python, ['-m', 'venv', home]);
    const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '--quiet'];
    run(`${home}/bin/python`, [...pip, '--require-hashes', '--only-binary', ':all:', '-r', wanted]);
  } catch (cause) {
    fail(`the packages of test/python/requirements.txt were not installed: ${cause.message}`);
  }
  writeFileSync(stamp, state);
}
