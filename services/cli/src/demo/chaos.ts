import type { Clock } from '@concordat/common/domain/ports.js';

/** Something that can be killed without warning, and that somebody starts again. */
export interface Victim {
  readonly name: string;
  readonly kill: () => void | Promise<void>;
}

/** mulberry32: a small generator whose whole sequence follows from its seed. Never for keys. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Kills every victim once, each at its own random moment within the window. */
export function startChaos(
  clock: Clock,
  victims: readonly Victim[],
  options: {
    readonly seed: number;
    readonly windowMs: number;
    readonly tell: (text: string) => void;
  },
): { readonly over: Promise<void> } {
  const random = seededRandom(options.seed);
  const plan = victims.map((victim) => ({ victim, afterMs: random() * options.windowMs }));
  const over = Promise.all(
    plan.map(async ({ victim, afterMs }) => {
      await clock.sleep(afterMs);
      options.tell(`SIGKILL to ${victim.name}`);
      await victim.kill();
    }),
  ).then(() => undefined);
  return { over };
}
