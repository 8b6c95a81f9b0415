import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const STORES = ['data', 'vault', 'state'] as const;
export type Store = (typeof STORES)[number];

/** Of a store: database, journal, and for the vault the files that open it. */
function filesOf(dataDir: string, store: Store): string[] {
  return readdirSync(dataDir).filter(
    (name) => name.startsWith(`${store}.db`) || (store === 'vault' && name === 'keks'),
  );
}

/** What a broken disk does to the stores of a node that does not run. */
export function lose(dataDir: string, ...stores: readonly Store[]): void {
  for (const store of stores) {
    for (const name of filesOf(dataDir, store)) rmSync(join(dataDir, name), { recursive: true });
  }
}

/** A copy of a store's files, of a node that does not run. */
export function copyStore(dataDir: string, store: Store, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of filesOf(dataDir, store)) {
    cpSync(join(dataDir, name), join(to, name), { recursive: true });
  }
}

/** The store as it was when it was copied. */
export function putBack(dataDir: string, store: Store, from: string): void {
  lose(dataDir, store);
  for (const name of filesOf(from, store)) {
    cpSync(join(from, name), join(dataDir, name), { recursive: true });
  }
}
