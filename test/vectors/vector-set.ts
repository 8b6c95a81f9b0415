/** A parsed JSON file; nothing about it is known yet. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface Vector {
  /** how the file names it */
  readonly id: string;
  /** Asks our own wrapper. @returns undefined when it answers as the vector says, else what was expected and what came */
  run(): string | undefined;
}

export interface VectorSet {
  readonly name: string;
  /** Looks at content only. @returns undefined for a file of another kind */
  read(file: Json): readonly Vector[] | undefined;
}

/** What a vector says that cannot be read. The vector fails with this message: it was not checked. */
export class VectorUnreadable extends Error {}

export function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function fieldsOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function listOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

export function textOf(value: Json | undefined, name: string): string {
  if (typeof value === 'string') return value;
  throw new VectorUnreadable(`expected ${name} to be text`);
}

export function hexOf(value: Json | undefined, name: string): Uint8Array {
  const text = textOf(value, name);
  if (/^(?:[0-9a-f]{2})*$/i.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'));
  throw new VectorUnreadable(`expected ${name} to be hex`);
}

export function base64Of(value: Json | undefined, name: string): Uint8Array {
  const text = textOf(value, name);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') === text) return Uint8Array.from(bytes);
  throw new VectorUnreadable(`expected ${name} to be base64`);
}

/** Verdicts in the words of the report. */
export function verdict(isAccepted: boolean): string {
  return isAccepted ? 'accepted' : 'refused';
}

export function compare(expected: boolean, came: boolean, why = ''): string | undefined {
  if (expected === came) return undefined;
  const reason = why === '' ? '' : ` (${why})`;
  return `expected ${verdict(expected)}${reason}, came ${verdict(came)}`;
}
