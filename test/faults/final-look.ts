import type { MemberId } from '@concordat/common/domain/ids.js';
import { FINAL } from './checker/history.js';
import { readToTheEnd } from './load/lane-reader.js';
import { probe } from './load/prober.js';
import { followFrom, numberIn } from './load/subscriber.js';
import { MEMBERS, RECIPIENTS } from './stage/federation.js';
import { TOPICS } from './strikes/strike.js';
import { type World, nationalOf } from './world.js';

const PROBED = 60;
/** A log of notices that says nothing for so long is at its end. */
const QUIET_MS = 1_000;
const STREAM_MS_MAX = 60_000;

/** Reads everything from its beginning when all is over: events, notices, topics. @returns what could not be read and should be */
export async function lookAtAll(world: World, random: () => number): Promise<string[]> {
  const { book, officer, cluster, generations } = world;
  const kept = [...book.acknowledged].filter((event) => !officer.isOrdered(event));
  const sample = kept.filter(() => random() < PROBED / kept.length);
  const gone = [...book.acknowledged].filter((event) => officer.isOrdered(event));
  const unread: string[] = [];
  for (const member of MEMBERS) {
    const opened = await probe(world, member, sample);
    if (opened < sample.length) {
      unread.push(`${member} opened ${String(opened)} of ${String(sample.length)} events`);
    }
    await probe(world, member, gone);
  }
  await Promise.all(RECIPIENTS.map((member) => readNotices(world, member)));
  await readToTheEnd(TOPICS, cluster.direct, book, generations);
  return unread;
}

async function readNotices(world: World, member: MemberId): Promise<void> {
  const log = `notices.${member}`;
  world.book.assign(log, 'notices', FINAL, 0);
  const stop = new AbortController();
  const quiet = setTimeout(() => stop.abort(), QUIET_MS);
  const options = { timeoutMs: STREAM_MS_MAX, waitForReady: true, signal: stop.signal };
  try {
    const notices = nationalOf(world, member).subscribe(followFrom(''), options);
    for await (const { kind, eventId, cursor } of notices) {
      world.book.poll(log, FINAL, [{ offset: numberIn(cursor), value: `${kind} ${eventId}` }]);
      quiet.refresh();
    }
  } catch (cause) {
    if (!stop.signal.aborted) throw cause;
  }
}
