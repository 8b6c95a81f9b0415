import { type ReferenceNumber, type UnEntry, type XmlElement, foldXml } from './entry.js';

/** What one list changes against the one before, in the order of the later list. */
export interface ListDiff {
  readonly added: readonly UnEntry[];
  readonly amended: readonly Amendment[];
  /** Absent from the later list, sorted by reference; as they stood in the earlier one. */
  readonly delisted: readonly UnEntry[];
  /** As they stand in the later list. */
  readonly unchanged: readonly UnEntry[];
}

export interface Amendment {
  readonly before: UnEntry;
  readonly after: UnEntry;
}

/** @param before of the earlier list; empty for the first list, whose entries are all added */
export function diffEntries(before: readonly UnEntry[], after: readonly UnEntry[]): ListDiff {
  const earlier = byReference(before);
  const later = byReference(after);
  const added: UnEntry[] = [];
  const amended: Amendment[] = [];
  const unchanged: UnEntry[] = [];
  for (const entry of after) {
    const old = earlier.get(entry.reference);
    if (!old) added.push(entry);
    else if (sameElement(old.element, entry.element)) unchanged.push(entry);
    else amended.push({ before: old, after: entry });
  }
  const delisted = before
    .filter((entry) => !later.has(entry.reference))
    .sort((a, b) => (a.reference < b.reference ? -1 : 1));
  return { added, amended, delisted, unchanged };
}

/** Same names, same order, same texts with runs of white space folded. Empty elements count; attributes do not. */
export function sameElement(a: XmlElement, b: XmlElement): boolean {
  return (
    a.name === b.name &&
    foldXml(a.text) === foldXml(b.text) &&
    a.children.length === b.children.length &&
    a.children.every((child, at) => {
      const other = b.children[at];
      return other !== undefined && sameElement(child, other);
    })
  );
}

function byReference(entries: readonly UnEntry[]): ReadonlyMap<ReferenceNumber, UnEntry> {
  return new Map(entries.map((entry) => [entry.reference, entry]));
}
