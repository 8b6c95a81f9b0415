import { open, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { feedTopic } from '@concordat/common/domain/topics.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { openLog } from '../load/lane-reader.js';
import { ORIGIN, RECIPIENTS } from '../stage/federation.js';
import type { World } from '../world.js';
import { areTold, untilTold, counted, demand, publishSome, until } from './case.js';

/** One bit of a record flips on the disks of all brokers: it is quarantined, and what it was is fetched; the others go on. */
export async function flippedBit(world: World): Promise<void> {
  const { stage, cluster, book, generations } = world;
  const [recipient, other] = RECIPIENTS;
  const node = stage.service(recipient, 'node');
  const quarantined = await counted(world, recipient, 'quarantined.');
  const topic = feedTopic({ origin: ORIGIN, recipient });
  await node.down();
  const log = openLog(cluster.direct, 'flip');
  try {
    const before = new Map((await log.ends(topic)).map(({ lane, high }) => [lane, high]));
    const events = await publishSome(world, 'before-the-flip', 200);
    await until('the other recipient has them', () => areTold(world, other, events));
    let last: LogRecord | undefined;
    await until('the feed has new records', async () => {
      const tails = await log.tails(topic);
      last = tails.find(({ lane, offset }) => offset >= (before.get(lane) ?? 0n));
      return last !== undefined;
    });
    if (!last) return;
    book.taint(generations.name(topic, last.lane));
    for (const { logDir } of cluster.brokers) await flipIn(logDir, last);
    node.up();
    await untilTold(world, recipient, events);
    await until('the record is quarantined', async () => {
      return (await counted(world, recipient, 'quarantined.')) > quarantined;
    });
  } finally {
    await log.close();
    node.up();
  }
}

/** In the middle of the record's value, where the file holds it. */
async function flipIn(logDir: string, { topic, lane, value }: LogRecord): Promise<void> {
  const dir = join(logDir, `${topic}-${String(lane)}`);
  let flipped = 0;
  for (const name of (await readdir(dir)).filter((file) => file.endsWith('.log'))) {
    const at = (await readFile(join(dir, name))).indexOf(Buffer.from(value));
    if (at < 0) continue;
    const file = await open(join(dir, name), 'r+');
    const position = at + Math.floor(value.length / 2);
    const byte = Buffer.from([(value[Math.floor(value.length / 2)] ?? 0) ^ 1]);
    await file.write(byte, 0, 1, position);
    await file.close();
    flipped += 1;
  }
  demand('the record on every broker', flipped > 0);
}
