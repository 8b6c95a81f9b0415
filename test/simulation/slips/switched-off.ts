import { KeyRing } from '@concordat/common/domain/federation.js';
import { ChainTables } from '@concordat/common/io/store/chain-tables.js';
import { Outbox } from '@concordat/common/io/store/outbox.js';
import { FreshnessKeeper } from '@concordat/node/flows/keep-fresh.js';
import { ChildDuties } from '@concordat/node/io/state/child-duties.js';
import { Tombstones } from '@concordat/node/io/state/tombstones.js';
import { StoreMark } from '@concordat/node/io/store-mark.js';
import Libsql from 'libsql';
import { CLOCK_JUMP } from '../faults/clock-jump.js';
import { CRASH } from '../faults/crash.js';
import { EQUIVOCATION } from '../faults/equivocation.js';
import { FORGED_PURGE } from '../faults/forged-records.js';
import { ABSENCE } from '../faults/absence.js';
import { BACKUP, RESTORE } from '../faults/backups.js';
import { ALONE, DELAY, UNKNOWN_OUTCOME } from '../faults/lines.js';
import { REPLAY } from '../faults/old-records.js';
import { SECOND_INSTANCE } from '../faults/second-instance.js';
import { COPIED_DISK, OLDER_STORE } from '../faults/stores.js';
import type { Fault } from '../faults/fault.js';
import type { Actor } from '../story/actor.js';
import { deriver } from '../story/deriver.js';
import { publisher, reader } from '../story/national-system.js';
import { officer } from '../story/officer.js';
import { all, replace } from './replace.js';

/** Something that keeps a promise, switched off from outside: nothing of what is shipped can do that. */
export interface SwitchedOff {
  readonly name: string;
  /** what has to be said of it, within 200 seeds */
  readonly caught: RegExp;
  /** that bring it to light: each seed has a mix of these only */
  readonly faults: readonly Fault[];
  /** @returns what switches it on again */
  readonly off: () => () => void;
  /** who acts, if not the usual */
  readonly actors?: readonly Actor[];
  /** the seed that catches it first, where many do not: `SLIPS_FROM=1` tries the others as well */
  readonly firstSeed?: number;
}

export const SWITCHED_OFF: readonly SwitchedOff[] = [
  {
    name: 'restore filter',
    firstSeed: 17,
    caught: /^S[17]\b/,
    faults: [BACKUP, RESTORE, COPIED_DISK, OLDER_STORE],
    off: () =>
      all(
        replace(Tombstones.prototype, 'causeOf', () => () => undefined),
        // at a start everything that came back would be looked through
        replace(StoreMark.prototype, 'get', () => () => Uint8Array.of(1)),
      ),
  },
  {
    name: 'closure over derived',
    // the child order never comes, so the parent's receipt stays open
    caught: /^not at rest .*expected a final answer to every entry, came an open one/,
    actors: [publisher, reader, officer, { ...deriver, weight: 12 }],
    firstSeed: 2,
    faults: [],
    off: () => replace(ChildDuties.prototype, 'add', () => () => undefined),
  },
  {
    name: 'signature check',
    caught: /^S3\b/,
    faults: [FORGED_PURGE],
    off: () =>
      replace(
        KeyRing.prototype,
        'find',
        (original) =>
          function (this: KeyRing, keyId) {
            const key = original.call(this, keyId);
            return key && { ...key, verify: () => true };
          },
      ),
  },
  {
    name: 'receipt after durability',
    caught: /^S2\b/,
    faults: [CRASH],
    off: () => {
      let calls = 0;
      return replace(
        Tombstones.prototype,
        'unfinished',
        (original) =>
          function (this: Tombstones, limit) {
            calls += 1;
            return calls % 2 === 0 ? original.call(this, limit) : [];
          },
      );
    },
  },
  {
    name: 'freshness',
    caught: /^S5\b/,
    faults: [ALONE, ABSENCE, CLOCK_JUMP],
    off: () => replace(FreshnessKeeper.prototype, 'demandFresh', () => async () => 'FRESH'),
  },
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
    name: 'seal before append',
    caught: /^S4\b/,
    faults: [UNKNOWN_OUTCOME, DELAY],
    off: () =>
      replace(
        Outbox.prototype,
        'acknowledged',
        (original) =>
          function (this: Outbox, topic, lane, seq) {
            if (topic.startsWith('ledger.')) return Promise.resolve();
            return original.call(this, topic, lane, seq);
          },
      ),
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
