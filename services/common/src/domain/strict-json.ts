import { type ConcordatError, fieldError } from './errors.js';
import { type Result, err, ok } from './result.js';

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const DEPTH_MAX = 32;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * JSON (RFC 8259) of at most `bytesMax` bytes, UTF-8, without duplicate or dangerous keys, at most 32 deep.
 * `JSON.parse` would keep the last of two duplicates, so two readers could see two different events.
 *
 * @returns EVENT_INVALID naming the path, never the value
 */
export function parseStrictJson(bytes: Uint8Array, bytesMax: number): Result<Json, ConcordatError> {
  if (bytes.length > bytesMax) {
    return refuse('$', `expected at most ${String(bytesMax)} bytes, got ${String(bytes.length)}`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('$', 'expected UTF-8');
  }
  const problem = keysProblem(text);
  if (problem) return refuse(problem.path, problem.what);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    // the parser's own message quotes what it read
    return refuse('$', 'expected JSON');
  }
  const lone = /\\u[dD][89a-fA-F]/.test(text) ? loneSurrogate(value, '$') : undefined;
  return lone === undefined ? ok(value) : refuse(lone, 'half of a character');
}

/** Written as UTF-8 it would become another character, and nobody would learn of it. @returns the path of the first */
function loneSurrogate(value: Json, path: string): string | undefined {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? path : undefined;
  if (value === null || typeof value !== 'object') return undefined;
  for (const [key, item] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    if (/\p{Surrogate}/u.test(key)) return path;
    const found = loneSurrogate(item, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refuse(path: string, what: string): Result<never, ConcordatError> {
  return err(fieldError('EVENT_INVALID', path, what));
}

interface Level {
  readonly keys: Set<string> | undefined;
  readonly path: string;
  index: number;
  key: string;
}

/**
 * A string that never ends still matches, up to the end: were it to fail, every later quote would be tried in turn, and
 * a quarter of a megabyte of them take minutes.
 */
const TOKEN = /"(?:[^"\\]|\\[^]?)*"?|[{}[\],:]/g;

/** One pass over the structure: depth, duplicate keys, keys that change prototypes. Syntax is left to the parser. */
function keysProblem(text: string): { path: string; what: string } | undefined {
  const levels: Level[] = [];
  let pending: string | undefined;
  for (const [token] of text.matchAll(TOKEN)) {
    const level = levels.at(-1);
    const here = level ? pathOf(level) : '$';
    if (token === '{' || token === '[') {
      if (levels.length >= DEPTH_MAX)
        return { path: '$', what: `deeper than ${String(DEPTH_MAX)}` };
      levels.push({ keys: token === '{' ? new Set() : undefined, path: here, index: 0, key: '' });
    } else if (token === '}' || token === ']') {
      levels.pop();
    } else if (token === ',') {
      if (level) level.index += 1;
    } else if (token === ':') {
      if (level?.keys && pending !== undefined) {
        const key = unquote(pending);
        if (key === undefined) return { path: here, what: 'expected JSON' };
        if (FORBIDDEN.has(key)) return { path: level.path, what: 'a key that is not allowed' };
        if (level.keys.has(key))
          return { path: `${level.path}.${key}`, what: 'a key stands twice' };
        level.keys.add(key);
        level.key = key;
      }
    } else {
      pending = token;
    }
  }
  return undefined;
}

function pathOf(level: Level): string {
  return level.keys ? `${level.path}.${level.key}` : `${level.path}[${String(level.index)}]`;
}

function unquote(token: string): string | undefined {
  try {
    return JSON.parse(token) as string;
  } catch {
    return undefined;
  }
}
