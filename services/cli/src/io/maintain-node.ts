import { spawn } from 'node:child_process';
import { ConcordatError, isErrorCode } from '@concordat/common/domain/errors.js';
import { mainOf } from './run-service.js';

/** What a node wrote, or will have read: names of its fields to their values. */
export type Answer = Readonly<Record<string, unknown>>;

/**
 * Lets the node's own program work on the node's files, and end: only it knows them.
 *
 * @param env what its process is started with
 * @throws ConcordatError that the program answered with
 */
export async function maintainNode(
  what: 'backup' | 'restore',
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Answer> {
  const child = spawn(process.execPath, [mainOf('node'), what, file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const { ok, error } = answerIn(text);
  if (ok) return ok;
  const code = error && isErrorCode(error.code) ? error.code : 'INTERNAL';
  throw new ConcordatError(
    code,
    error?.message ?? `${what}: expected an answer, the node's program gave none`,
  );
}

interface Line {
  readonly ok?: Answer;
  readonly error?: { readonly code: string; readonly message: string };
}

function answerIn(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return {};
  }
}
