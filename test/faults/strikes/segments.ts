import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { pick } from '../world.js';

/** Part of a segment that stays. */
const KEPT_MIN = 0.3;

/**
 * Cuts the end off a closed segment of these topics, on a broker that is down: what it has of the lane is not whole any more.
 *
 * @returns the lane, or undefined when no segment is closed yet
 */
export async function cutClosedSegment(
  logDir: string,
  topics: readonly string[],
  { victim, place }: { readonly victim: number; readonly place: number },
): Promise<{ readonly topic: string; readonly lane: number } | undefined> {
  const closed: { dir: string; file: string }[] = [];
  for (const dir of await readdir(logDir)) {
    if (!topics.some((topic) => dir.replace(/-\d+$/, '') === topic)) continue;
    const files = (await readdir(join(logDir, dir))).filter((file) => file.endsWith('.log')).sort();
    closed.push(...files.slice(0, -1).map((file) => ({ dir, file })));
  }
  if (closed.length === 0) return undefined;
  const { dir, file } = pick(closed, victim);
  const path = join(logDir, dir, file);
  const { size } = await stat(path);
  await truncate(path, Math.floor(size * (KEPT_MIN + place * (1 - KEPT_MIN))));
  const [, topic = '', lane = ''] = /^(.*)-(\d+)$/.exec(dir) ?? [];
  return { topic, lane: Number(lane) };
}
