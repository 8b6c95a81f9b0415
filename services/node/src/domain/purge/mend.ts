/** What a start finds of an event that no tombstone covers, in stores that a crash or a loss has parted. */
export type Found =
  /** of another member; its row waits for keys, or had them */
  | { readonly row: 'waiting' | 'readable'; readonly hasKeys: boolean }
  /** an own row; was its block recorded? */
  | { readonly row: 'published'; readonly isPublished: boolean }
  /** keys without a row */
  | { readonly row: 'none'; readonly isOwn: boolean; readonly isPublished: boolean };

export type Mend = 'make readable' | 'ask for keys' | 'drop' | 'nothing';

/** How a start makes the stores fit each other again. */
export function mendOf(found: Found): Mend {
  switch (found.row) {
    case 'waiting':
      // keys are stored only after they were checked, and all of an event together
      return found.hasKeys ? 'make readable' : 'nothing';
    case 'readable':
      return found.hasKeys ? 'nothing' : 'ask for keys';
    case 'published':
      return found.isPublished ? 'nothing' : 'drop';
    case 'none':
      // nobody could give an own key back, and a backup may have the row
      return found.isOwn && found.isPublished ? 'nothing' : 'drop';
  }
}
