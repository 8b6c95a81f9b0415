import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** As `NODE_V8_COVERAGE` writes it, one file a process. */
interface V8Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly {
        readonly startOffset: number;
        readonly endOffset: number;
        readonly count: number;
      }[];
    }[];
  }[];
}

/** Adds up what processes have run of the compiled files. */
export class Reached {
  /** by url of a compiled file: 1 at every offset that was run */
  readonly #files = new Map<string, Uint8Array>();

  /** @param dir where the processes wrote to */
  constructor(dir: string, isWanted: (url: string) => boolean) {
    for (const name of readdirSync(dir)) {
      const { result } = JSON.parse(readFileSync(join(dir, name), 'utf8')) as V8Coverage;
      for (const { url, functions } of result) if (isWanted(url)) this.#add(url, functions);
    }
  }

  isReached(url: string, offset: number): boolean {
    return this.#files.get(url)?.[offset] === 1;
  }

  #add(url: string, functions: V8Coverage['result'][number]['functions']): void {
    const ranges = functions.flatMap((one) => one.ranges);
    const length = Math.max(0, ...ranges.map(({ endOffset }) => endOffset));
    const run = new Uint8Array(length);
    // ranges are nested, and the innermost says it
    ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
    for (const { startOffset, endOffset, count } of ranges) {
      run.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
    const known = this.#files.get(url);
    if (!known) this.#files.set(url, run);
    else for (const [offset, one] of run.entries()) if (one === 1) known[offset] = 1;
  }
}
