import type { Clock } from '@concordat/common/domain/ports.js';

/** Something that can be killed without warning, and that somebody starts again. */
export interface Victim {
  readonly name: string;
  /** SIGKILL to a process that runs. Resolves when that one is gone. */
  kill(): Promise<void>;
}

/** How far a run is: which of its scenes, and which share of that scene's steps is done. */
export interface Progress {
  readonly scene: number;
  /** 0 to 1 */
  readonly share: number;
}

/** One kill that has happened. */
export interface Kill {
  readonly process: string;
  /** the step that it hung on, and how long after it; both follow from the seed */
  readonly after: Progress;
  readonly delayMs: number;
  /** when it struck, since the chaos was planned */
  readonly atMs: number;
}

/** Kills every victim. Kills hang on the work done, not on the clock alone, so that they land in it. */
export interface Chaos {
  /** Call at every step: kills that were to come by now follow, each after its own short delay. */
  reached(progress: Progress): void;
  /** Resolves when every victim was killed as often as planned; whose moment never came dies now. */
  over(): Promise<void>;
  /** What has happened so far, in its order. */
  readonly kills: readonly Kill[];
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

/** Draws the moments for every victim; all of them follow from the seed. */
export function planChaos(
  clock: Clock,
  victims: readonly Victim[],
  options: {
    readonly seed: number;
    /** how often each victim is killed */
    readonly times: number;
    readonly scenes: number;
    readonly tell: (text: string) => void;
    /** a victim could not be killed or started again */
    readonly onFailure: (cause: unknown) => void;
  },
): Chaos {
  const random = seededRandom(options.seed);
  const startMs = clock.monotonicMs();
  const lives = victims.map((victim) => ({ victim, lastKill: Promise.resolve() }));
  const due = lives.flatMap((life) =>
    Array.from({ length: options.times }, () => {
      const after: Progress = { scene: Math.floor(random() * options.scenes), share: random() };
      return { life, after, delayMs: random() * DELAY_MS_MAX };
    }),
  );
  const kills: Kill[] = [];
  const strike = async ({ life, after, delayMs }: (typeof due)[number]): Promise<void> => {
    const { victim, lastKill } = life;
    try {
      await Promise.all([clock.sleep(delayMs), lastKill]);
      options.tell(`SIGKILL to ${victim.name}`);
      const atMs = Math.round(clock.monotonicMs() - startMs);
      await victim.kill();
      kills.push({ process: victim.name, after, delayMs: Math.round(delayMs), atMs });
    } catch (cause) {
      options.onFailure(cause);
    }
  };
  const begin = (isDue: (after: Progress) => boolean): void => {
    for (const one of due.splice(0)) {
      if (isDue(one.after)) one.life.lastKill = strike(one);
      else due.push(one);
    }
  };
  return {
    reached({ scene, share }) {
      begin((after) => after.scene < scene || (after.scene === scene && after.share <= share));
    },
    async over() {
      begin(() => true);
      await Promise.all(lives.map(({ lastKill }) => lastKill));
    },
    get kills() {
      return [...kills].sort((a, b) => a.atMs - b.atMs);
    },
  };
}
