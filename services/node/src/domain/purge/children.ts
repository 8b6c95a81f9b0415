import type { EventId } from '@concordat/common/domain/ids.js';

/** An own event that has to go with its parent. */
export type ChildDuty<Descent> = Descent & {
  /** published by the time of the entry; what was not never will be */
  readonly isMade: boolean;
};

/** Which own events an entry obliges us to purge: all that come from its events, however little of a parent it takes. */
export function dutiesOf<Descent extends { readonly child: EventId }>(
  descents: readonly Descent[],
  isPublished: (child: EventId) => boolean,
): readonly ChildDuty<Descent>[] {
  return descents.map((one) => ({ ...one, isMade: isPublished(one.child) }));
}

/** May an event be published that is derived from others? Not once a parent is gone, or an entry has asked for it. */
export function mayBeMade(about: { readonly isParentGone: boolean; readonly isOwed: boolean }) {
  return !about.isParentGone && !about.isOwed;
}
