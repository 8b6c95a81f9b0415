import { setTimeout as delay } from 'node:timers/promises';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { ORIGIN, RECIPIENTS } from '../stage/federation.js';
import { deleteRecords } from '../strikes/topics.js';
import type { World } from '../world.js';
import { areTold, untilTold, demand, publishSome, until } from './case.js';

const SENT_MS = 3_000;

/** A node is away for longer than its topic keeps: it does not jump to the newest, and fetches what it missed. */
export async function longerThanTheTopicKeeps(world: World): Promise<void> {
  const { stage, cluster } = world;
  const [recipient, other] = RECIPIENTS;
  const node = stage.service(recipient, 'node');
  await node.down();
  const loggedBefore = node.log().length;
  const events = await publishSome(world, 'while-away', 200);
  await until('the other recipient has them', () => areTold(world, other, events));
  await delay(SENT_MS);
  const topic = feedTopic({ origin: ORIGIN, recipient });
  demand('records to delete', (await deleteRecords(cluster.direct, topic)) > 0);
  node.up();
  await untilTold(world, recipient, events);
  const said = node.log().slice(loggedBefore);
  demand('a word of it in its log', /LOG_RESTARTED|CHAIN_GAP/.test(said));
}
