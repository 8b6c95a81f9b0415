import { ChainTables } from '@concordat/common/io/store/chain-tables.js';
import Libsql from 'libsql';
import { EQUIVOCATION } from '../faults/equivocation.js';
import type { Fault } from '../faults/fault.js';
import { REPLAY } from '../faults/old-records.js';
import { SECOND_INSTANCE } from '../faults/second-instance.js';
import { replace } from './replace.js';

/** Something that keeps a promise, switched off from outside: nothing of what is shipped can do that. */
export interface SwitchedOff {
  readonly name: string;
  /** what has to be said of it, within 200 seeds */
  readonly caught: RegExp;
  /** that bring it to light: each seed has a mix of these only */
  readonly faults: readonly Fault[];
  /** @returns what switches it on again */
  readonly off: () => () => void;
}

export const SWITCHED_OFF: readonly SwitchedOff[] = [
  {
    name: 'fencing of the data directory',
    caught: /a second .* runs on the data directory/,
    faults: [SECOND_INSTANCE],
    off: () => {
      const exec = Libsql.prototype.exec;
      Libsql.prototype.exec = function (this: Libsql.Database, sql: string) {
        return exec.call(this, sql === 'BEGIN EXCLUSIVE' ? 'SELECT 1' : sql);
      };
      return () => {
        Libsql.prototype.exec = exec;
      };
    },
  },
  {
    name: 'duplicate by hash',
    caught: /signed twice, and nobody has it as evidence/,
    faults: [EQUIVOCATION, REPLAY],
    off: () =>
      replace(
        ChainTables.prototype,
        'follow',
        (original) =>
          function (this: ChainTables, ...link) {
            const followed = original.apply(this, link);
            return followed.kind === 'equivocation' ? { kind: 'duplicate' } : followed;
          },
      ),
  },
];
