import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { ConcordatError } from '@concordat/common/domain/errors.js';

/**
 * The bytes of a file that an argument names, or of the standard input for `-`.
 *
 * @throws ConcordatError REQUEST_INVALID
 */
export async function readInput(path: string, stdin: NodeJS.ReadableStream): Promise<Uint8Array> {
  try {
    return path === '-' ? await buffer(stdin) : await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
    const text = `${path}: expected a readable file, came ${why}`;
    throw new ConcordatError('REQUEST_INVALID', text, { cause });
  }
}
