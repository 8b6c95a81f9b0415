import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { homeFiles } from './home.js';

interface Whose {
  readonly home: string;
  readonly member: MemberId;
}

function fileOf({ home, member }: Whose, first: OrderId): string {
  return join(homeFiles(home).member(member).signingKeysDir, 'purges', `${first}.json`);
}

/**
 * Signed orders of a purge that takes several: kept until all are handed in, so that whatever comes between, the very same
 * orders go out again. They hold ids and dates only.
 */
export async function keepUnplaced(
  whose: Whose,
  first: OrderId,
  orders: readonly Uint8Array[],
): Promise<void> {
  const file = fileOf(whose, first);
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  const json = JSON.stringify(orders.map((bytes) => Buffer.from(bytes).toString('base64url')));
  // under its name only when whole
  await writeFile(`${file}.new`, json, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** @throws ConcordatError ORDER_UNKNOWN when nothing is left to hand in */
export async function readUnplaced(whose: Whose, first: OrderId): Promise<Uint8Array[]> {
  try {
    const json = z
      .array(z.string())
      .parse(JSON.parse(await readFile(fileOf(whose, first), 'utf8')));
    return json.map((text) => Uint8Array.from(Buffer.from(text, 'base64url')));
  } catch (cause) {
    const text = `expected a purge that was not wholly handed in, ${first} is none here`;
    throw new ConcordatError('ORDER_UNKNOWN', text, { cause });
  }
}

export async function forgetUnplaced(whose: Whose, first: OrderId): Promise<void> {
  await rm(fileOf(whose, first), { force: true });
}
