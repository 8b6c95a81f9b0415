import { FolderUnusable } from './files.js';
import { runVectors } from './run-vectors.js';

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

/** @returns the exit code: 0 when nothing failed, 1 when something did, 2 when the folder cannot be used */
export function vectorsCommand(folder: string, { out, err }: Output): 0 | 1 | 2 {
  try {
    if (folder === '') {
      throw new FolderUnusable('expected a folder with vector files: make vectors DIR=folder');
    }
    return runVectors(folder, out).failed === 0 ? 0 : 1;
  } catch (cause) {
    if (!(cause instanceof FolderUnusable)) throw cause;
    err(`vectors: ${cause.message}`);
    return 2;
  }
}
