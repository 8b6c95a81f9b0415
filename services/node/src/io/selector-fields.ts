import { isCategoryPattern } from '@concordat/common/domain/category.js';
import { fieldError } from '@concordat/common/domain/errors.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { SUBJECT_KINDS, parseSubject } from '@concordat/common/domain/subjects.js';
import { type Selector, type Span, saysNothing } from '../domain/selector.js';
import { demandFew, eventIdField, memberField } from './request-fields.js';

type WireSelector = concordat.node.v1.Selector;

const IDS_MAX = 4_096;
const NAMES_MAX = 64;

/** @throws ConcordatError REQUEST_INVALID with the field; what a subject says is in no message */
export function selectorField(given: WireSelector | null | undefined): Selector {
  if (!given) throw fieldError('REQUEST_INVALID', 'selector', 'expected, came nothing');
  demandFew('selector.event_ids', given.eventIds, IDS_MAX);
  for (const name of ['subjects', 'categories', 'agreements', 'holders'] as const) {
    demandFew(`selector.${name}`, given[name], NAMES_MAX);
  }
  const selector: Selector = {
    ids: given.eventIds.map((text, at) => eventIdField(`selector.event_ids[${String(at)}]`, text)),
    subjects: given.subjects.map(subjectField),
    categories: given.categories.map(patternField),
    agreements: given.agreements,
    holders: given.holders.map((text, at) => memberField(`selector.holders[${String(at)}]`, text)),
    published: spanField('published', given.publishedFromMs, given.publishedBeforeMs),
    collected: spanField('collected', given.collectedFromMs, given.collectedBeforeMs),
  };
  if (!saysNothing(selector)) return selector;
  const problem = 'expected at least one field that says which events; category ** for all';
  throw fieldError('REQUEST_INVALID', 'selector', problem);
}

function subjectField(text: string, at: number): string {
  const subject = parseSubject(text);
  if (subject.ok) return subject.value;
  const problem = `expected ${SUBJECT_KINDS.join(', ')}, a colon, and letters or digits`;
  throw fieldError('REQUEST_INVALID', `selector.subjects[${String(at)}]`, problem);
}

function patternField(text: string, at: number): string {
  if (isCategoryPattern(text)) return text;
  const problem = 'expected a category or a pattern such as listing.al-qaida.*';
  throw fieldError('REQUEST_INVALID', `selector.categories[${String(at)}]`, problem);
}

function spanField(name: string, fromMs: number, beforeMs: number): Span {
  const span = { fromMs, beforeMs: beforeMs === 0 ? Infinity : beforeMs };
  if (fromMs >= 0 && fromMs < span.beforeMs) return span;
  const problem = 'expected milliseconds since 1970, and an end after the beginning';
  throw fieldError('REQUEST_INVALID', `selector.${name}_before_ms`, problem);
}
