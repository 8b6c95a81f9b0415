import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { World } from '../world/world.js';
import type { Fault } from './fault.js';

/**
 * What may be lost with its topic, because whoever wrote it has it still and is asked: blocks, feeds, entries, receipts.
 * A ledger is kept for ever (docs/operating.md), it is what a node is rebuilt from.
 */
const ASKED_FOR_AGAIN = /^(?:events|feed|purge|receipts)\./;

function drawTopic(world: World, draw: Draw): string | undefined {
  const used = world.template.topics.filter(
    ({ name }) =>
      ASKED_FOR_AGAIN.test(name) &&
      world.log.has(name) &&
      world.log.lanes(name).some(({ records }) => records.length > 0),
  );
  return used.length === 0 ? undefined : draw.pick(used).name;
}

/** Retention was set too short, or somebody deleted records. */
export const TRUNCATED_TOPIC: Fault = {
  name: 'topic truncated',
  canHappen: (world) => world.log.reachable,
  happen: (world, draw) => {
    const topic = drawTopic(world, draw);
    if (topic === undefined) return;
    for (const [lane, { low, high }] of world.log.lanes(topic).entries()) {
      const keep = draw.whole(0, Number(high - low));
      world.log.deleteRecordsBefore(topic, lane, high - BigInt(keep));
    }
    world.disturbed.add(topic);
    world.scheduler.note(`${topic} is truncated`);
  },
};

/** Somebody deletes a topic and makes it again, empty. */
export const RECREATED_TOPIC: Fault = {
  name: 'topic recreated',
  canHappen: (world) => world.log.reachable,
  happen: (world, draw) => {
    const topic = drawTopic(world, draw);
    if (topic === undefined) return;
    const lanes = world.log.lanes(topic).length;
    world.disturbed.add(topic);
    world.log.deleteTopic(topic);
    world.log.createTopic(topic, lanes);
    world.scheduler.note(`${topic} is deleted and made again`);
  },
};
