import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';

/** What becomes of a message: it arrives, is lost, arrives late or twice, or arrives and its sender is told that nobody knows. */
export type Fate = 'arrives' | 'lost' | 'unknown' | 'late' | 'twice';

/** Who talks to whom: names of processes, or `BROKER`. */
export interface Passing {
  readonly from: string;
  readonly to: string;
}

/** As one end of a passing. */
export const BROKER = 'broker';

/** What becomes of messages, asked once for each. */
export interface Fates {
  next(passing: Passing): Fate;
  /** how late a message is that is late */
  lateMs(): number;
  /** Is the line between the two cut? Then nothing passes, in either direction. */
  isCut(passing: Passing): boolean;
}

/** Which messages of a run fail, drawn one by one. */
export class Faults implements Fates {
  readonly #draw: Draw;
  /** out of a hundred messages */
  percent: number;

  constructor(draw: Draw, percent: number) {
    this.#draw = draw;
    this.percent = percent;
  }

  next(): Fate {
    if (this.percent === 0 || !this.#draw.chance(this.percent)) return 'arrives';
    return this.#draw.pick(['lost', 'unknown']);
  }

  lateMs(): number {
    return 0;
  }

  isCut(): boolean {
    return false;
  }
}

export function brokerFault(): ConcordatError {
  return new ConcordatError('BROKER_UNAVAILABLE', 'the broker did not answer');
}

export function callFault(): ConcordatError {
  return new ConcordatError('PEER_UNAVAILABLE', 'the call was not answered');
}
