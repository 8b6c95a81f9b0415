import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZE = '320m';
const BALLAST = '.ballast';
const CHUNK = Buffer.alloc(1 << 20);

/** A file system of its own under a directory, small enough to be filled. */
export interface SmallDisk {
  /** Leaves no byte free. */
  fill(): Promise<void>;
  free(): Promise<void>;
  unmount(): Promise<void>;
}

/** @returns undefined where this user may not mount one */
export async function mountSmallDisk(dir: string): Promise<SmallDisk | undefined> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'tmpfs', dir]);
  } catch {
    return undefined;
  }
  const ballast = join(dir, BALLAST);
  return {
    fill: async () => {
      const file = await open(ballast, 'a');
      try {
        for (let size = CHUNK.length; size >= 1;) {
          const written = await file.write(CHUNK, 0, size).catch(() => undefined);
          if (written === undefined) size >>= 1;
        }
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    unmount: async () => {
      await run('umount', ['-l', dir]);
    },
  };
}
