import { type ConcordatError, fieldError } from './errors.js';
import { type Result, err, ok } from './result.js';

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const DEPTH_MAX = 32;
const decoder = new TextDecoder('utf-8', { fatal: true });
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
    text = decoder.decode(bytes);
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
  const lone =
    text.includes('\\') && /\\u[dD][89a-fA-F]/.test(text) ? loneSurrogate(value, '$') : undefined;
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
  readonly above: Level | undefined;
  index: number;
  key: string;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** One pass over the structure: depth, duplicate keys, keys that change prototypes. Syntax is left to the parser. */
function keysProblem(text: string): { path: string; what: string } | undefined {
  let level: Level | undefined;
  let depth = 0;
  /** where the last string stands, quotes included */
  let [from, to] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        [from, to] = [at, stringEnd(text, at)];
        at = to - 1;
        break;
      case OPEN_OBJECT:
      case OPEN_LIST: {
        if (depth >= DEPTH_MAX) return { path: '$', what: `deeper than ${String(DEPTH_MAX)}` };
        depth += 1;
        const keys = text.charCodeAt(at) === OPEN_OBJECT ? new Set<string>() : undefined;
        level = { keys, above: level, index: 0, key: '' };
        break;
      }
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        if (level) depth -= 1;
        level = level?.above;
        break;
      case COMMA:
        if (level) level.index += 1;
        break;
      case COLON: {
        const problem = level?.keys && to > 0 ? keyProblem(level, text.slice(from, to)) : undefined;
        if (problem) return problem;
        break;
      }
      default:
        break;
    }
  }
  return undefined;
}

/** @param token with its quotes */
function keyProblem(level: Level, token: string): { path: string; what: string } | undefined {
  const key = unquote(token);
  if (key === undefined) return { path: pathOf(level), what: 'expected JSON' };
  const above = level.above ? pathOf(level.above) : '$';
  if (FORBIDDEN.has(key)) return { path: above, what: 'a key that is not allowed' };
  if (level.keys?.has(key)) return { path: `${above}.${key}`, what: 'a key stands twice' };
  level.keys?.add(key);
  level.key = key;
  return undefined;
}

/**
 * One that never ends goes on to the end of the text. Every character is looked at once: a quarter of a megabyte of
 * quotes must not take minutes.
 *
 * @returns where the string that begins at `from` has ended
 */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length;
    let first = quote;
    while (first > at && text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    // each backslash takes the next character with it
    if ((quote - first) % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function pathOf({ keys, above, index, key }: Level): string {
  const path = above ? pathOf(above) : '$';
  return keys ? `${path}.${key}` : `${path}[${String(index)}]`;
}

function unquote(token: string): string | undefined {
  try {
    return token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
  } catch {
    return undefined;
  }
}
