import { ZERO_HASH, equalBytes } from './bytes.js';
import type { Hash } from './ids.js';

/** Where a chain stands: the last number and its statement's hash. Number 0: nothing yet. */
export interface Head {
  readonly epoch: number;
  readonly number: number;
  readonly hash: Hash;
}

export const EMPTY_HEAD: Head = { epoch: 1, number: 0, hash: ZERO_HASH };

export interface Link {
  readonly epoch: number;
  readonly number: number;
  readonly previous: Hash;
  readonly hash: Hash;
}

export type ChainStep =
  | { readonly kind: 'next'; readonly head: Head }
  /** at or below the head: the caller compares with the hash it remembers for that number */
  | { readonly kind: 'seen' }
  | { readonly kind: 'gap'; readonly missingFrom: number; readonly missingTo: number }
  | { readonly kind: 'broken' };

/** What does `link` do to a chain that stands at `head`? A gap is named, never skipped. */
export function followChain(head: Head, link: Link): ChainStep {
  if (link.epoch !== head.epoch) return { kind: 'broken' };
  if (link.number <= head.number) return { kind: 'seen' };
  if (link.number > head.number + 1) {
    return { kind: 'gap', missingFrom: head.number + 1, missingTo: link.number - 1 };
  }
  if (!equalBytes(link.previous, head.hash)) return { kind: 'broken' };
  return { kind: 'next', head: { epoch: link.epoch, number: link.number, hash: link.hash } };
}

/** The chain fields of the statement that comes after `head`. */
export function nextLink(head: Head): {
  readonly epoch: number;
  readonly number: number;
  readonly previous: Hash;
} {
  return { epoch: head.epoch, number: head.number + 1, previous: head.hash };
}
