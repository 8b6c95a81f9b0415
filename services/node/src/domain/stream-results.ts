import type { ConcordatError } from '@concordat/common/domain/errors.js';

/** Where an event stands, and whether it stood there before. */
export interface Place {
  readonly lane: number;
  readonly epoch: number;
  readonly number: number;
  readonly leaf: number;
  readonly repeated: boolean;
}

/** Events one after the other in the stream, and from `leaf` on one after the other in one block. */
export interface Run extends Place {
  readonly first: number;
  readonly count: number;
}

export interface Refusal {
  readonly position: number;
  readonly code: string;
  /** path of the field; empty: no single one */
  readonly field: string;
  readonly message: string;
}

export interface Summary {
  readonly published: number;
  readonly repeated: number;
  readonly refused: number;
  readonly runs: readonly Run[];
  readonly refusals: readonly Refusal[];
}

/** Characters of messages and paths in one answer, so that it always fits into a message. */
const TEXT_MAX = 2 << 20;

/** What became of each event of a stream, told in any order and answered in the order sent. */
export class StreamResults {
  readonly #results: (Place | ConcordatError | undefined)[] = [];

  get count(): number {
    return this.#results.length;
  }

  /** The next event of the stream. @returns its position */
  next(): number {
    return this.#results.push(undefined) - 1;
  }

  set(position: number, result: Place | ConcordatError): void {
    this.#results[position] = result;
  }

  /** @throws TypeError while an event has no result */
  summary(): Summary {
    const runs: Run[] = [];
    const refusals: Refusal[] = [];
    let text = 0;
    let repeated = 0;
    for (const [position, result] of this.#results.entries()) {
      if (result === undefined) throw new TypeError('an event of the stream has no result yet');
      if (result instanceof Error) {
        const refusal = refusalOf(position, result, text < TEXT_MAX);
        text += refusal.field.length + refusal.message.length;
        refusals.push(refusal);
        continue;
      }
      if (result.repeated) repeated += 1;
      const last = runs.at(-1);
      if (last && continues(last, position, result)) {
        runs[runs.length - 1] = { ...last, count: last.count + 1 };
      } else {
        const { lane, epoch, number, leaf } = result;
        runs.push({
          first: position,
          count: 1,
          lane,
          epoch,
          number,
          leaf,
          repeated: result.repeated,
        });
      }
    }
    const refused = refusals.length;
    const published = this.count - refused - repeated;
    return { published, repeated, refused, runs, refusals };
  }
}

function continues(run: Run, position: number, place: Place): boolean {
  return (
    run.first + run.count === position &&
    run.leaf + run.count === place.leaf &&
    run.number === place.number &&
    run.lane === place.lane &&
    run.epoch === place.epoch &&
    run.repeated === place.repeated
  );
}

function refusalOf(position: number, error: ConcordatError, withText: boolean): Refusal {
  const { code, message } = error;
  return withText
    ? { position, code, field: fieldOf(error), message }
    : { position, code, field: '', message: '' };
}

/** The first field that is wrong; the message names all. */
function fieldOf({ code, message, details }: ConcordatError): string {
  const [first] = details.fields ?? [];
  if (first) return first.field;
  // only of these two does a message begin with the field's path
  const isAboutField = code === 'REQUEST_INVALID' || code === 'EVENT_INVALID';
  return isAboutField ? (/^([^\s:]+): /.exec(message)?.[1] ?? '') : '';
}
