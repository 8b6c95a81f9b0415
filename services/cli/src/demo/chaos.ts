import type { Clock } from '@concordat/common/domain/ports.js';

/** Something that can be killed without warning, and that somebody starts again. */
export interface Victim {
  readonly name: string;
  kill(): void | Promise<void>;
}

/** How far a run is: which of its scenes, and which share of that scene's steps is done. */
export interface Progress {
  readonly scene: number;
  /** 0 to 1 */
  readonly share: number;
}

/** Kills every victim once. Kills hang on the work done, not on the clock alone, so that they land in it. */
export interface Chaos {
  /** Call at every step: kills that were to come by now follow, each after its own short delay. */
  reached(progress: Progress): void;
  /** Resolves when every victim was killed; whose moment never came dies now. */
  over(): Promise<void>;
}

/** From the step that a kill hangs on to the kill. */
const DELAY_MS_MAX = 1_000;

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

/** Draws a moment for every victim; all of them follow from the seed. */
export function planChaos(
  clock: Clock,
  victims: readonly Victim[],
  options: {
    readonly seed: number;
    readonly scenes: number;
    readonly tell: (text: string) => void;
    /** a victim could not be killed or started again */
    readonly onFailure: (cause: unknown) => void;
  },
): Chaos {
  const random = seededRandom(options.seed);
  const due = victims.map((victim) => {
    const at: Progress = { scene: Math.floor(random() * options.scenes), share: random() };
    return { victim, at, afterMs: random() * DELAY_MS_MAX };
  });
  const kills: Promise<void>[] = [];
  const strike = async ({ victim, afterMs }: (typeof due)[number]): Promise<void> => {
    try {
      await clock.sleep(afterMs);
      options.tell(`SIGKILL to ${victim.name}`);
      await victim.kill();
    } catch (cause) {
      options.onFailure(cause);
    }
  };
  const begin = (isDue: (at: Progress) => boolean): void => {
    for (const one of due.splice(0)) {
      if (isDue(one.at)) kills.push(strike(one));
      else due.push(one);
    }
  };
  return {
    reached({ scene, share }) {
      begin((at) => at.scene < scene || (at.scene === scene && at.share <= share));
    },
    async over() {
      begin(() => true);
      await Promise.all(kills);
    },
  };
}
