import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This repository's directory, from wherever this file was compiled to. */
export const REPOSITORY = above(dirname(fileURLToPath(import.meta.url)));

function above(dir: string): string {
  return existsSync(join(dir, 'package-lock.json')) ? dir : above(dirname(dir));
}
