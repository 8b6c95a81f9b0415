import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { BROKER } from '../fates.js';
import { MEMBERS } from '../world/federation.js';
import { PROCESSES, placeName } from '../world/places.js';
import type { World } from '../world/world.js';
import type { Fault } from './fault.js';
import type { Trouble } from './weather.js';

/** How long the lines stay bad: from a moment to many a retry. */
const BAD_MS = [200, 2_000, 20_000, 120_000] as const;

/** For a while some messages between processes, and to the broker, meet this trouble. */
function troubledLines(name: string, trouble: Trouble): Fault {
  return {
    name,
    canHappen: (world) => world.weather.percents.get(trouble) === undefined,
    happen: (world, draw) => {
      world.weather.percents.set(trouble, draw.whole(2, 25));
      later(world, draw, () => world.weather.percents.delete(trouble));
    },
  };
}

export const LOSS = troubledLines('loss', 'lost');
/** It arrived, and its sender is told that nobody knows. */
export const UNKNOWN_OUTCOME = troubledLines('unknown outcome', 'unknown');
export const DELAY = troubledLines('delay', 'late');
export const DUPLICATION = troubledLines('duplication', 'twice');

function partition(name: string, drawCut: (draw: Draw) => readonly string[]): Fault {
  return {
    name,
    canHappen: (world) => world.weather.cuts.size < 6,
    happen: (world, draw) => {
      const cut = drawCut(draw);
      for (const one of cut) world.weather.cuts.add(one);
      later(world, draw, () => {
        for (const one of cut) world.weather.cuts.delete(one);
      });
    },
  };
}

/** Nobody reaches the broker. */
export const NO_BROKER = partition('partition: the broker', () => [BROKER]);
/** One process reaches nobody, or one member's three. */
export const ALONE = partition('partition: alone', (draw) => {
  const member = draw.pick(MEMBERS);
  const names = PROCESSES.map((process) => placeName(member, process));
  return draw.chance(50) ? names : [draw.pick(names)];
});
/** Only the line between two is cut. */
export const CUT_LINE = partition('partition: one line', (draw) => {
  const [one = '', other = ''] = draw.some(
    MEMBERS.map((member) => placeName(member, draw.pick(PROCESSES))),
    2,
  );
  const ends = draw.chance(40) ? [one, BROKER] : [one, other];
  return [ends.sort().join('|')];
});

function later(world: World, draw: Draw, end: () => void): void {
  // not `begin`: the story does not wait for it
  void world.scheduler.sleep(world.outside, draw.pick(BAD_MS)).then(end);
}
