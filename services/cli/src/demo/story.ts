import type { Clock } from '@concordat/common/domain/ports.js';

/** Tells on stderr what happens; long work shows how far it is. */
export interface Story {
  scene(title: string): void;
  line(text: string): void;
  progress(what: string, done: number, of: number): void;
}

const PROGRESS_EVERY_MS = 1_000;

export function tellStory(clock: Clock, write: (text: string) => void): Story {
  const startMs = clock.monotonicMs();
  const stamp = (): string =>
    `${((clock.monotonicMs() - startMs) / 1000).toFixed(1).padStart(6)} s`;
  let scenes = 0;
  let toldMs = 0;
  return {
    scene(title) {
      scenes += 1;
      write(`\n${stamp()}  ${String(scenes)}. ${title}\n`);
    },
    line(text) {
      write(`${stamp()}     ${text}\n`);
    },
    progress(what, done, of) {
      const nowMs = clock.monotonicMs();
      if (done < of && nowMs - toldMs < PROGRESS_EVERY_MS) return;
      toldMs = nowMs;
      write(`${stamp()}     ${what}: ${String(done)} of ${String(of)}\n`);
    },
  };
}
