import { utf8 } from '../bytes.js';
import type { Random } from '../ports.js';

/** Choices from a `Random`, one after the other. */
export class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A whole number from `min` to `max`, both included; at most 2^32 of them. */
  whole(min: number, max: number): number {
    const drawn = this.#random.bytes(4).reduce((number, byte) => number * 256 + byte, 0);
    return min + Math.floor((drawn / 2 ** 32) * (max - min + 1));
  }

  /** True `percent` times out of a hundred. */
  chance(percent: number): boolean {
    return this.whole(1, 100) <= percent;
  }

  /** @throws RangeError when there is nothing to pick from */
  pick<const T>(from: readonly T[]): T {
    const at = this.whole(0, from.length - 1);
    for (const one of from.slice(at, at + 1)) return one;
    throw new RangeError('nothing to pick from');
  }

  /** Up to `max` different ones, in their order, at least one. */
  some<T>(from: readonly T[], max: number): T[] {
    const wanted = this.whole(1, max);
    const first = this.whole(0, from.length - 1);
    const chosen = from.map((one, at) => ({ one, turn: (at - first + from.length) % from.length }));
    return chosen.filter(({ turn }) => turn < wanted).map(({ one }) => one);
  }

  list<T>(min: number, max: number, make: (at: number) => T): T[] {
    return Array.from({ length: this.whole(min, max) }, (_none, at) => make(at));
  }

  /** `make()` or null. */
  perhaps<T>(percent: number, make: () => T): T | null {
    return this.chance(percent) ? make() : null;
  }

  hex(bytes: number): string {
    return Buffer.from(this.#random.bytes(bytes)).toString('hex');
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => String(this.whole(0, 9))).join('');
  }

  /** A day from `first` to `last` of those years, both included: `1970-01-31`. */
  day(firstYear: number, lastYear: number): string {
    const first = Date.UTC(firstYear, 0, 1) / DAY_MS;
    const last = Date.UTC(lastYear, 11, 31) / DAY_MS;
    return new Date(this.whole(first, last) * DAY_MS).toISOString().slice(0, 10);
  }

  /** A time on a day of those years. */
  time(firstYear: number, lastYear: number): string {
    const second = new Date(this.whole(0, 86_399) * 1000).toISOString().slice(11);
    return `${this.day(firstYear, lastYear)}T${second}`;
  }

  uuid(): string {
    const hex = this.hex(16);
    const variant = '89ab'.charAt(this.whole(0, 3));
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `${variant}${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-');
  }
}

const DAY_MS = 86_400_000;

/** Words that say what they are, exactly so many characters. */
export function filler(length: number): string {
  const words = ' Synthetic text without meaning, made to fill an event.';
  return words.repeat(Math.ceil(length / words.length)).slice(0, length);
}

/** How many bytes a value takes as JSON. */
export function jsonBytes(value: unknown): number {
  return utf8(JSON.stringify(value)).length;
}
