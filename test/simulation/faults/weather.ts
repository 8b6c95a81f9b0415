import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { Fate, Fates, Passing } from '../fates.js';

/** What may become of a message besides that it arrives. */
export type Trouble = Exclude<Fate, 'arrives'>;

/** What the lines between processes are like at present: some messages fail, some lines are cut. */
export class Weather implements Fates {
  readonly #draw: Draw;
  /** of each trouble, out of a hundred messages */
  readonly percents = new Map<Trouble, number>();
  /** names of processes, or `broker`, that nothing reaches and that reach nothing; `a|b`: this line only, `a` before `b` */
  readonly cuts = new Set<string>();

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  next(_passing: Passing): Fate {
    for (const [trouble, percent] of this.percents) if (this.#draw.chance(percent)) return trouble;
    return 'arrives';
  }

  lateMs(): number {
    return this.#draw.whole(1, this.#draw.pick([50, 1_000, 15_000]));
  }

  isCut({ from, to }: Passing): boolean {
    if (this.cuts.size === 0) return false;
    const line = from < to ? `${from}|${to}` : `${to}|${from}`;
    return this.cuts.has(from) || this.cuts.has(to) || this.cuts.has(line);
  }

  clear(): void {
    this.percents.clear();
    this.cuts.clear();
  }
}
