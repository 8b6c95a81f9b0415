import { open, readFile, rename } from 'node:fs/promises';

/** The cursor that an earlier run left; empty: there is none yet. */
export async function readCursor(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
    throw cause;
  }
}

/** Whole or not at all, also when the machine stops. */
export async function writeCursor(file: string, cursor: string): Promise<void> {
  const fresh = `${file}.new`;
  const handle = await open(fresh, 'w', 0o600);
  try {
    await handle.writeFile(`${cursor}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
}
