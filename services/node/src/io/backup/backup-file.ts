import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { z } from 'zod';
import { copyData } from './copy-data.js';

/** Raised when a store of now could not read a backup of before. */
const FORMAT = 1;

const MANIFEST = z.strictObject({
  format: z.literal(FORMAT),
  federation: z.string(),
  member: z.string(),
  /** ISO 8601 */
  at: z.iso.datetime(),
  /** where the followed feeds stood */
  heads: z.array(
    z.strictObject({
      chain: z.string(),
      epoch: z.int(),
      number: z.int(),
      /** base64url */
      hash: z.string(),
    }),
  ),
  counts: z.strictObject({ events: z.int(), feedStatements: z.int(), keyRecords: z.int() }),
  bytes: z.int(),
  /** of the backup file, base64url */
  sha256: z.string(),
});

/** What a backup is, beside it as `<file>.manifest.json`. */
export type Manifest = z.output<typeof MANIFEST>;

export function manifestOf(file: string): string {
  return `${file}.manifest.json`;
}

/**
 * Writes a backup of a node's data, and its manifest.
 *
 * @param store its data.db, in use or not
 * @throws ConcordatError REQUEST_INVALID when one of the files is there already: nothing is overwritten
 */
export async function writeBackup(
  store: string,
  file: string,
  about: { readonly federation: string; readonly member: MemberId; readonly nowMs: UnixMs },
): Promise<Manifest> {
  for (const path of [file, manifestOf(file)]) demandNew(path);
  // nobody else's while it is written, and afterwards
  takeNew(file, '');
  try {
    const copied = copyData(store, file);
    const heads = copied.heads.map(({ chain, head: { epoch, number, hash } }) => ({
      ...{ chain, epoch, number },
      hash: Buffer.from(hash).toString('base64url'),
    }));
    const { federation, member, nowMs } = about;
    const manifest: Manifest = {
      ...{ format: FORMAT, federation, member, at: new Date(nowMs).toISOString(), heads },
      ...{ counts: copied.counts, bytes: statSync(file).size, sha256: await digestOf(file) },
    };
    takeNew(manifestOf(file), `${JSON.stringify(manifest, undefined, 2)}\n`);
    return manifest;
  } catch (cause) {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true });
    throw cause;
  }
}

/**
 * The manifest of a backup whose bytes are the ones that it names.
 *
 * @throws ConcordatError BACKUP_INVALID with what was expected and what came
 */
export async function readManifest(file: string): Promise<Manifest> {
  const path = manifestOf(file);
  for (const one of [file, path]) {
    if (!existsSync(one)) throw invalid(`${one}: expected a file of a backup, came nothing`);
  }
  const parsed = MANIFEST.safeParse(jsonOf(path));
  if (!parsed.success) {
    const [problem] = parsed.error.issues;
    throw invalid(`${path}: expected the manifest of a backup: ${problem?.path.join('.') ?? ''}`);
  }
  const came = await digestOf(file);
  if (came !== parsed.data.sha256) {
    throw invalid(`${file}: expected SHA-256 ${parsed.data.sha256}, came ${came}`);
  }
  return parsed.data;
}

function demandNew(path: string): void {
  if (existsSync(path)) throw taken(path);
}

function takeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600, flush: true });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
    if (code === 'EEXIST') throw taken(path);
    throw new ConcordatError('REQUEST_INVALID', `${path}: expected a new file, came ${code}`);
  }
}

function taken(path: string): ConcordatError {
  const text = `${path}: expected the name of a new file, this one is there: nothing is overwritten`;
  return new ConcordatError('REQUEST_INVALID', text);
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Uint8Array);
  return hash.digest('base64url');
}

function invalid(text: string): ConcordatError {
  return new ConcordatError('BACKUP_INVALID', text);
}
