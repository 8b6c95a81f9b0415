import { readFileSync } from 'node:fs';
import { adviceIn } from '../domain/error-lines.js';
import { repositoryPath } from './home.js';

/** What to do about an error, from the one place that says so. Without the file an error still has its code. */
export function adviceFor(code: string): string | undefined {
  try {
    return adviceIn(readFileSync(repositoryPath('docs/errors.md'), 'utf8'), code);
  } catch {
    return undefined;
  }
}
