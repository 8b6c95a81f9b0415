import type { UnixMs } from './ids.js';
import type { Release } from './records.js';

export type ReadRefusal =
  'ROLE_NOT_ALLOWED' | 'CASE_MISSING' | 'PURPOSE_NOT_RELEASED' | 'DELETE_BY_PASSED';

export type ReadDecision =
  { readonly outcome: 'read' } | { readonly outcome: 'refused'; readonly reason: ReadRefusal };

export interface ReadQuestion {
  readonly release: Pick<Release, 'purposes' | 'deleteByMs'>;
  readonly purpose: string;
  readonly caseId: string;
  /** what the caller's certificate says it is */
  readonly role: string;
}

/** Roles that may see content. An operator runs the node and sees none. */
const READERS: readonly string[] = ['system'];
const CASE = /^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,63}$/u;

/** A reader's own case number: 1 to 64 letters, digits and `. _ / -`. */
export function isCaseId(text: string): boolean {
  return CASE.test(text);
}

/** May this caller read this event for this purpose now? Default no. */
export function decideRead(question: ReadQuestion, nowMs: UnixMs): ReadDecision {
  const { release, purpose, caseId, role } = question;
  if (!READERS.includes(role)) return { outcome: 'refused', reason: 'ROLE_NOT_ALLOWED' };
  if (!isCaseId(caseId)) return { outcome: 'refused', reason: 'CASE_MISSING' };
  if (!release.purposes.includes(purpose)) {
    return { outcome: 'refused', reason: 'PURPOSE_NOT_RELEASED' };
  }
  if (release.deleteByMs <= nowMs) return { outcome: 'refused', reason: 'DELETE_BY_PASSED' };
  return { outcome: 'read' };
}
