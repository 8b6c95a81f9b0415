import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { matchesCategory } from '@concordat/common/domain/category.js';

/** Half-open: `fromMs` is in it, `beforeMs` is not. */
export interface Span {
  readonly fromMs: number;
  readonly beforeMs: number;
}

/** Which own events are meant: every field that is not empty has to take an event, in a list one entry is enough. */
export interface Selector {
  readonly ids: readonly EventId[];
  /** in the spelling of the index */
  readonly subjects: readonly string[];
  /** patterns */
  readonly categories: readonly string[];
  readonly agreements: readonly string[];
  readonly holders: readonly MemberId[];
  readonly published: Span;
  readonly collected: Span;
}

export const ALWAYS: Span = { fromMs: 0, beforeMs: Infinity };

export function isWithin(span: Span, ms: number): boolean {
  return span.fromMs <= ms && ms < span.beforeMs;
}

export function isAlways({ fromMs, beforeMs }: Span): boolean {
  return fromMs === 0 && beforeMs === Infinity;
}

/** It would take everything: nobody means that without saying so. */
export function saysNothing(selector: Selector): boolean {
  const { ids, subjects, categories, agreements, holders, published, collected } = selector;
  const lists = [ids, subjects, categories, agreements, holders];
  return lists.every(({ length }) => length === 0) && [published, collected].every(isAlways);
}

export function takesCategory({ categories }: Selector, category: string): boolean {
  return categories.length === 0 || categories.some((one) => matchesCategory(one, category));
}
