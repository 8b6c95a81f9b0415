/** What is known here of an event that a feed releases. */
export interface Known {
  readonly isBuried: boolean;
  /** its row is here already */
  readonly isKnown: boolean;
  /** sections that are taken back */
  readonly gone: ReadonlySet<string>;
}

export type TakenIn<Section> =
  | { readonly kind: 'purged' | 'known' }
  /** it waits for the keys of these sections */
  | { readonly kind: 'waits'; readonly sections: readonly Section[] };

/**
 * What becomes of an event that a feed brings, however often: what is purged here is not taken in again, whatever the feed
 * says (S1, S10).
 */
export function takeIn<Section extends { readonly name: string }>(
  { isBuried, isKnown, gone }: Known,
  sections: readonly Section[],
): TakenIn<Section> {
  const left = sections.filter(({ name }) => !gone.has(name));
  if (isBuried || left.length === 0) return { kind: 'purged' };
  return isKnown ? { kind: 'known' } : { kind: 'waits', sections: left };
}

/** A row that keys were asked for. */
export type AskedRow = 'waiting' | 'leased';

/** May keys that an origin sent be taken? A purge may have come while it was asked (S1). */
export function wantsKeys(about: {
  readonly isBuried: boolean;
  /** undefined: it waits for none, has them, or is gone */
  readonly row: AskedRow | undefined;
}): boolean {
  return about.row !== undefined && !about.isBuried;
}
