import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { ConcordatError } from '../../domain/errors.js';

/**
 * Takes a data directory for this process alone. The operating system lets go of the lock when the process dies,
 * however it dies.
 *
 * @throws ConcordatError DATA_DIR_LOCKED when another process holds it
 */
export function lockDataDir(dir: string): { release(): void } {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = new Libsql(join(dir, 'instance.lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new ConcordatError(
      'DATA_DIR_LOCKED',
      `${dir} is in use by another process: stop that one, or give this one its own directory`,
      { cause },
    );
  }
  return {
    release() {
      lock.close();
    },
  };
}
