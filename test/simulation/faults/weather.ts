import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { Fate, Fates, Passing } from '../fates.js';

/** What the lines between processes are like at present: some messages fail, some lines are cut. */
export class Weather implements Fates {
  readonly #draw: Draw;
  /** out of a hundred messages */
  percent = 0;
  /** names of processes, or `broker`, that nothing reaches and that reach nothing; `a|b`: this line only, `a` before `b` */
  readonly cuts = new Set<string>();

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  next(_passing: Passing): Fate {
    if (this.percent === 0 || !this.#draw.chance(this.percent)) return 'arrives';
    return this.#draw.pick(['lost', 'unknown']);
  }

  isCut({ from, to }: Passing): boolean {
    if (this.cuts.size === 0) return false;
    const line = from < to ? `${from}|${to}` : `${to}|${from}`;
    return this.cuts.has(from) || this.cuts.has(to) || this.cuts.has(line);
  }

  clear(): void {
    this.percent = 0;
    this.cuts.clear();
  }
}
