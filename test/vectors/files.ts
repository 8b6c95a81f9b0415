import { readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Json } from './vector-set.js';

const FILES_MAX = 100_000;
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** The folder cannot be walked at all; `message` says what to do. */
export class FolderUnusable extends Error {}

/**
 * Every file under `folder`, links followed, in the order of their paths. A folder that several links lead to is
 * walked once, so that loops end. What is neither file nor folder is left out.
 *
 * @throws FolderUnusable
 */
export function filesUnder(folder: string): readonly string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new FolderUnusable(`expected a folder, came ${JSON.stringify(folder)}`);
  }
  const files: string[] = [];
  const seen = new Set<string>();
  const waiting = [folder];
  for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
    const real = realpathSync(dir);
    if (seen.has(real)) continue;
    seen.add(real);
    for (const name of namesIn(dir)) {
      const path = join(dir, name);
      const kind = kindOf(path);
      if (kind === 'folder') waiting.push(path);
      if (kind === 'file') files.push(path);
      if (files.length > FILES_MAX) {
        throw new FolderUnusable(
          `expected at most ${String(FILES_MAX)} files; name a smaller folder`,
        );
      }
    }
  }
  if (files.length === 0) throw new FolderUnusable(`no files in ${JSON.stringify(folder)}`);
  return files.map((path) => relative(folder, path)).sort();
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    // a folder that may not be read holds nothing that could be run
    return [];
  }
}

function kindOf(path: string): 'file' | 'folder' | 'other' {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return 'folder';
    return stat.isFile() ? 'file' : 'other';
  } catch {
    // a link that leads nowhere or round in a circle: listed, so that nobody misses it
    return 'file';
  }
}

export type Opened = { readonly json: Json } | { readonly unread: string };

/** Reads one file as JSON, or says why it is none. */
export function openJson(path: string): Opened {
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX) return { unread: 'larger than 64 MiB' };
    const bytes = readFileSync(path);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { json: JSON.parse(text) as Json };
  } catch (cause) {
    if (cause instanceof SyntaxError) return { unread: 'not JSON' };
    if (cause instanceof TypeError) return { unread: 'not UTF-8' };
    return { unread: 'cannot be read' };
  }
}
