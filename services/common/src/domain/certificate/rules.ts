import type { ConcordatError } from '../errors.js';
import type { MemberId } from '../ids.js';
import type { RecordCodec } from '../records.js';
import type { Result } from '../result.js';
import type { CheckStatement, StatementName, Verified } from '../statement.js';

/** A rule of docs/certificate.md by its name there: the first that does not hold makes a certificate invalid. */
export type Rule = `${'O' | 'SR' | 'A' | 'B' | 'C' | 'H' | 'E' | 'R' | 'N' | 'K'}${number}`;

export class Invalid extends Error {}

export function demand(condition: boolean, rule: Rule, message: string): asserts condition {
  if (!condition) throw new Invalid(`${rule}: ${message}`);
}

export function need<T>(rule: Rule, what: string, result: Result<T, ConcordatError>): T {
  if (result.ok) return result.value;
  throw new Invalid(`${rule}: ${what}: ${result.error.code}: ${result.error.message}`);
}

/** With what a certificate's statements are verified. */
export class Reading {
  readonly codec: RecordCodec;
  readonly origin: MemberId;
  readonly #statements: CheckStatement;

  constructor(codec: RecordCodec, statements: CheckStatement, origin: MemberId) {
    this.codec = codec;
    this.#statements = statements;
    this.origin = origin;
  }

  /** A statement of the origin's, or of `signer`'s. */
  statement<Name extends StatementName>(
    rule: Rule,
    name: Name,
    bytes: Uint8Array,
    signer = this.origin,
  ): Verified<Name> {
    return need(rule, name, this.#statements(name, bytes, { signer }));
  }
}

export function isSet(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}

/** The same items, in any order, each once in both. */
export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const other = new Set(b);
  return a.length === b.length && isSet(a) && a.every((item) => other.has(item));
}
