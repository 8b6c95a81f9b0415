import type { Fault } from './fault.js';

/** Old records come again at new offsets, in any order: whoever may write to the broker can do that. */
export const REPLAY: Fault = {
  name: 'replay',
  canHappen: (world) => world.log.reachable,
  happen: (world, draw) => {
    const topics = world.template.topics.filter(({ name }) => world.log.has(name));
    const lanes = topics.flatMap(({ name }) =>
      world.log.lanes(name).map((lane, at) => ({ name, at, records: lane.records })),
    );
    const used = lanes.filter(({ records }) => records.length > 0);
    if (used.length === 0) return;
    const { name, at, records } = draw.pick(used);
    const some = draw.some(records, Math.min(records.length, draw.whole(1, 12)));
    world.scheduler.note(`${String(some.length)} records come again on ${name}/${String(at)}`);
    world.log.append(name, at, some);
  },
};
