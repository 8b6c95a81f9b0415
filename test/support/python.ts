import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const home = fileURLToPath(new URL('../../out/python/bin/python', import.meta.url));
const programs = fileURLToPath(new URL('../python/', import.meta.url));
const OUTPUT_BYTES_MAX = 64 << 20;

/** Nothing of our own environment: a program that is not ours needs none of it. */
const env = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' };

/** The Python of `make python`. @throws when it is not there: nothing skips for want of it */
export function pythonPath(): string {
  if (!existsSync(home)) throw new Error('expected a Python in out/python: run `make python`');
  return home;
}

/**
 * Runs a program of test/python to its end.
 *
 * @param stdin what it reads
 * @returns what it wrote to its standard output; a failure carries what it wrote to its error output
 */
export async function runPython(
  program: string,
  args: readonly string[],
  stdin: string,
): Promise<string> {
  const { stdout, stderr, exit } = await exitOfPython(program, args, stdin);
  if (exit === 0) return stdout;
  throw new Error(`${program} failed: ${stderr || `exit code ${String(exit)}`}`);
}

/** Runs a program of test/python whose exit code says something. */
export function exitOfPython(
  program: string,
  args: readonly string[],
  stdin = '',
): Promise<{ readonly stdout: string; readonly stderr: string; readonly exit: number }> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      pythonPath(),
      [programs + program, ...args],
      { env, maxBuffer: OUTPUT_BYTES_MAX },
      (cause, stdout, stderr) => {
        const exit = cause ? cause.code : 0;
        // a signal, or output without end: no exit code to speak of
        if (typeof exit === 'number') resolve({ stdout, stderr, exit });
        else reject(new Error(`${program} failed: ${stderr}`, { cause }));
      },
    );
    child.stdin?.end(stdin);
  });
}
