import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { replace } from './replace.js';

/** Is any store's transaction open? Stores work synchronously, so it is the caller's. */
export function watchTransactions(): { readonly isOpen: () => boolean; readonly undo: () => void } {
  let depth = 0;
  const undo = replace(
    Sqlite.prototype,
    'transaction',
    (original) =>
      function <T>(this: Sqlite, work: () => T): T {
        depth += 1;
        try {
          return original.call(this, work) as T;
        } finally {
          depth -= 1;
        }
      },
  );
  return { isOpen: () => depth > 0, undo };
}
