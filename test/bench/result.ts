import type { Measured } from './stats.js';

/** What a phase has found. */
export interface PhaseResult {
  /** fields of `bench.json`, by name */
  readonly figures: Readonly<Record<string, number>>;
  /** fields with one number for each process */
  readonly byProcess: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** every single measurement behind the figures */
  readonly measurements: Readonly<Record<string, Measured>>;
}

export function medians(all: Readonly<Record<string, Measured>>): Record<string, number> {
  return Object.fromEntries(Object.entries(all).map(([name, { median }]) => [name, median]));
}

/** The same values under `prefix.name`. */
export function prefixed<T>(prefix: string, all: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [`${prefix}.${name}`, one]));
}
