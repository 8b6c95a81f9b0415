import { setTimeout as delay } from 'node:timers/promises';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { ORIGIN, RECIPIENTS } from '../stage/federation.js';
import { ask } from '../strikes/topics.js';
import type { World } from '../world.js';
import { publishSome, until, untilTold } from './case.js';

const GONE_MS = 1_000;

/** A topic is deleted and made anew under everybody's feet: nothing is lost or has its effect twice. */
export async function topicMadeAnew(world: World): Promise<void> {
  const { stage, cluster, generations } = world;
  const [, recipient] = RECIPIENTS;
  const topic = feedTopic({ origin: ORIGIN, recipient });
  const publishing = publishSome(world, 'into-a-new-topic', 300);
  await ask(cluster.direct, (admin) => admin.deleteTopics({ topics: [topic] }));
  await delay(GONE_MS); // until whoever read it has what was under way
  generations.next(topic);
  await until('the topic is there again', async () => {
    await stage.makeTopics();
    return ask(cluster.direct, async (admin) => (await admin.listTopics()).includes(topic));
  });
  await untilTold(world, recipient, await publishing);
}
