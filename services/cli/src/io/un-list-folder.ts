import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { UnSnapshot } from '../domain/un-list/entry.js';
import { toSnapshot } from '../domain/un-list/snapshot.js';
import { parseXml } from './un-list-xml.js';

/** The XML of one list, after inflating; the three of 2015 have 2 MiB. */
export const SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024;
const SNAPSHOT_FILES_MAX = 1000;

/** A list and the file that it came from. */
export interface SnapshotFile {
  readonly file: string;
  readonly snapshot: UnSnapshot;
}

/**
 * Every `*.xml` and `*.xml.gz` of a folder, in order of `dateGenerated`; other files are left alone.
 *
 * @throws ConcordatError REQUEST_INVALID for a folder without lists, a file that is too large, damaged or not
 *         XML, and two lists of one date; EVENT_INVALID for XML that is not a UN list. Both name the file.
 */
export async function readSnapshots(dir: string): Promise<readonly SnapshotFile[]> {
  const names = await listFiles(dir);
  const snapshots: SnapshotFile[] = [];
  for (const file of names) snapshots.push({ file, snapshot: await readSnapshot(dir, file) });
  snapshots.sort((a, b) => a.snapshot.generatedMs - b.snapshot.generatedMs);
  snapshots.forEach((one, at) => {
    const next = snapshots[at + 1];
    if (next?.snapshot.generatedMs !== one.snapshot.generatedMs) return;
    throw new ConcordatError(
      'REQUEST_INVALID',
      `expected lists of different dateGenerated, got the same in ${one.file} and ${next.file}; remove one`,
    );
  });
  return snapshots;
}

async function listFiles(dir: string): Promise<readonly string[]> {
  const all = await readdir(dir).catch((cause: unknown) => {
    throw new ConcordatError(
      'REQUEST_INVALID',
      `expected a folder of UN list XML files, got ${dir}, which cannot be read; name another folder`,
      { cause },
    );
  });
  const names = all.filter((name) => /\.xml(?:\.gz)?$/i.test(name)).sort();
  if (names.length > 0 && names.length <= SNAPSHOT_FILES_MAX) return names;
  throw new ConcordatError(
    'REQUEST_INVALID',
    `expected 1 to ${SNAPSHOT_FILES_MAX} files named *.xml or *.xml.gz in ${dir}, got ${names.length}; ` +
      'put the UN list files there or name another folder',
  );
}

async function readSnapshot(dir: string, file: string): Promise<UnSnapshot> {
  const parsed = parseXml(decode(await inflated(join(dir, file), file), file));
  const snapshot = parsed.ok ? toSnapshot(parsed.value) : parsed;
  if (snapshot.ok) return snapshot.value;
  const { code, message } = snapshot.error;
  throw new ConcordatError(code, `${file}: ${message}`, { cause: snapshot.error });
}

async function inflated(path: string, file: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > SNAPSHOT_BYTES_MAX)
    throw unreadable(file, `at most ${SNAPSHOT_BYTES_MAX} bytes`, size);
  const bytes = await readFile(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: SNAPSHOT_BYTES_MAX });
  } catch (cause) {
    const tooLarge = cause instanceof RangeError;
    const wanted = tooLarge ? `at most ${SNAPSHOT_BYTES_MAX} bytes inflated` : 'a whole gzip file';
    throw unreadable(file, wanted, tooLarge ? 'more' : 'a damaged one', cause);
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(file, 'UTF-8', 'other bytes', cause);
  }
}

function unreadable(file: string, expected: string, came: string | number, cause?: unknown) {
  return new ConcordatError(
    'REQUEST_INVALID',
    `${file}: expected ${expected}, got ${came}; fetch the file again`,
    { cause },
  );
}
