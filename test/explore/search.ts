import {
  type Violation,
  violationAtRest,
  violationBetween,
  violationIn,
  violationOfChildren,
} from './invariants.js';
import { type Move, type Surroundings, copyMoves, isProven, originMoves } from './moves.js';
import type { Rules } from './rules.js';
import {
  COPIES,
  type Cast,
  type Copy,
  EVENTS,
  type EventState,
  type State,
  startOf,
} from './state.js';

export interface Found extends Violation {
  /** steps from the start */
  readonly depth: number;
  /** what happened, step by step */
  readonly trace: readonly string[];
}

export interface Explored {
  readonly cast: string;
  readonly states: number;
  /** steps to the farthest state, on the shortest way */
  readonly depth: number;
  readonly transitions: number;
  /** states in which nothing is owed any more */
  readonly atRest: number;
  readonly violation: Found | undefined;
}

/** A step from one state, and what is wrong with it or with where it leads. */
interface Step {
  readonly name: string;
  readonly isOwed: boolean;
  readonly to: number;
  readonly wrong: Violation | undefined;
}

/** Every state that can be reached, nearest first; ends at the first that breaks an invariant. */
export function explore(rules: Rules, cast: Cast): Explored {
  const steps = new Steps(rules, cast);
  const seen = new Set([steps.start]);
  let [frontier, depth, transitions, atRest] = [[steps.start], 0, 0, 0];
  const explored = (violation?: Found): Explored => ({
    ...{ cast: cast.name, states: seen.size, depth, transitions, atRest, violation },
  });
  while (frontier.length > 0) {
    const next: number[] = [];
    for (const state of frontier) {
      let isAtRest = true;
      for (const { name, isOwed, to, wrong } of steps.from(state)) {
        transitions += 1;
        isAtRest &&= !isOwed;
        const isNew = !seen.has(to);
        const found = wrong ?? (isNew ? steps.wrongAt(to) : undefined);
        if (found) {
          const trace = [...wayTo(steps, state), name];
          return explored({ ...found, depth: depth + 1, trace });
        }
        if (!isNew) continue;
        seen.add(to);
        next.push(to);
      }
      if (!isAtRest) continue;
      atRest += 1;
      const found = violationAtRest(cast, steps.read(state));
      if (found) return explored({ ...found, depth, trace: wayTo(steps, state) });
    }
    if (next.length > 0) depth += 1;
    frontier = next;
  }
  return explored();
}

/** Searched once more, for nothing is remembered of how a state was reached: a failure is rare, and a state is one number. */
function wayTo(steps: Steps, target: number): string[] {
  const from = new Map<number, { readonly before: number; readonly name: string }>();
  const queue = [steps.start];
  for (const state of queue) {
    if (from.has(target) || target === steps.start) break;
    for (const { name, to } of steps.from(state)) {
      if (to === steps.start || from.has(to)) continue;
      from.set(to, { before: state, name });
      queue.push(to);
    }
  }
  const names: string[] = [];
  for (let step = from.get(target); step; step = from.get(step.before)) names.unshift(step.name);
  return names;
}

/**
 * A state is one number: events, then copies, each a digit. What may happen to a copy depends on little else, so it is
 * asked of the rules once for each copy in each surroundings, and then it is arithmetic.
 */
class Steps {
  readonly #rules: Rules;
  readonly #cast: Cast;
  readonly #weights: { readonly events: readonly number[]; readonly copies: readonly number[] };
  readonly #moves: Map<number, readonly Step[]>[];
  readonly #events = new Map<number, EventState>();
  readonly #copies = new Map<number, Copy>();
  readonly start: number;

  constructor(rules: Rules, cast: Cast) {
    this.#rules = rules;
    this.#cast = cast;
    const copies = cast.copies.map((_, at) => COPIES.size ** at);
    const above = COPIES.size ** cast.copies.length;
    this.#weights = { copies, events: cast.events.map((_, at) => above * EVENTS.size ** at) };
    if (above * EVENTS.size ** cast.events.length > Number.MAX_SAFE_INTEGER) {
      throw new RangeError('expected a cast whose states are numbers');
    }
    this.#moves = cast.copies.map(() => new Map());
    this.start = this.#packed(startOf(cast));
  }

  *from(state: number): Generator<Step> {
    const now = this.read(state);
    for (const at of this.#cast.events.keys()) {
      for (const { name, isOwed, to } of originMoves(this.#rules, this.#cast, now, at)) {
        for (const after of to) yield { name, isOwed, to: this.#packed(after), wrong: undefined };
      }
    }
    for (const [at, copy] of now.copies.entries()) {
      const weight = this.#weights.copies[at] ?? 0;
      for (const step of this.#stepsOf(now, at, copy)) {
        yield { ...step, to: state + step.to * weight };
      }
    }
  }

  /** Of a copy as it is; what a step to it alone can show is in the step. */
  wrongAt(state: number): Violation | undefined {
    const now = this.read(state);
    for (const [at, copy] of now.copies.entries()) {
      const found = violationIn(this.#rules, copy, this.#around(now, at));
      if (found) return found;
    }
    return violationOfChildren(this.#cast, now);
  }

  read(state: number): State {
    const { events, copies } = this.#weights;
    return {
      events: events.map((weight) => {
        const digit = Math.floor(state / weight) % EVENTS.size;
        return remembered(this.#events, digit, EVENTS.unpack);
      }),
      copies: copies.map((weight) => {
        const digit = Math.floor(state / weight) % COPIES.size;
        return remembered(this.#copies, digit, COPIES.unpack);
      }),
    };
  }

  #packed({ events, copies }: State): number {
    let sum = 0;
    for (const [at, one] of events.entries()) {
      sum += EVENTS.pack(one) * (this.#weights.events[at] ?? 0);
    }
    for (const [at, one] of copies.entries()) {
      sum += COPIES.pack(one) * (this.#weights.copies[at] ?? 0);
    }
    return sum;
  }

  #around({ events, copies }: State, at: number): Surroundings {
    const { holder, event: of, child } = this.#cast.copies[at] ?? {};
    const event = of === undefined ? undefined : events[of];
    const id = of === undefined ? undefined : this.#cast.events[of]?.id;
    if (!holder || !event || !id) throw new RangeError('no such copy');
    const derived = child === undefined ? undefined : events[child];
    const proven = child !== undefined && isProven(this.#cast, { events, copies }, child);
    return { holder, id, event, derived, isProven: proven };
  }

  /** `to` is the difference of the digits. */
  #stepsOf(now: State, at: number, copy: Copy): readonly Step[] {
    const around = this.#around(now, at);
    const digit = COPIES.pack(copy);
    const derived = around.derived ? EVENTS.pack(around.derived) + 1 : 0;
    const of = EVENTS.pack(around.event) + EVENTS.size * (derived * 2 + Number(around.isProven));
    return remembered(
      this.#moves[at] ?? new Map<number, readonly Step[]>(),
      digit + COPIES.size * of,
      () =>
        copyMoves(this.#rules, copy, around).flatMap((move) =>
          differences(copy, digit, move, around),
        ),
    );
  }
}

function differences(
  copy: Copy,
  digit: number,
  { name, isOwed, to }: Move<Copy>,
  around: Surroundings,
): Step[] {
  return to
    .map((after) => ({
      ...{ name, isOwed, to: COPIES.pack(after) - digit },
      wrong: violationBetween(copy, after, around),
    }))
    .filter((step) => step.to !== 0);
}

function remembered<Value>(
  known: Map<number, Value>,
  key: number,
  make: (key: number) => Value,
): Value {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make(key);
  known.set(key, made);
  return made;
}
