import { ABSENCE } from './absence.js';
import { BACKUP, RESTORE } from './backups.js';
import { CLOCK_JUMP } from './clock-jump.js';
import { CRASH, POWER_CUT } from './crash.js';
import { EQUIVOCATION } from './equivocation.js';
import { FORGED_CALLS } from './forged-calls.js';
import { FORGED_PURGE, GARBAGE } from './forged-records.js';
import { FULL_DISK } from './full-disk.js';
import { ALONE, CUT_LINE, DELAY, DUPLICATION, LOSS, NO_BROKER, UNKNOWN_OUTCOME } from './lines.js';
import { REPLAY } from './old-records.js';
import { SECOND_INSTANCE } from './second-instance.js';
import { COPIED_DISK, LOST_STORE, OLDER_STORE } from './stores.js';
import { RECREATED_TOPIC, TRUNCATED_TOPIC } from './topics.js';
import type { FaultKind } from './swarm.js';

/** Every kind of fault, and how often it strikes at most, out of a hundred bursts: those that cost most are the seldomest. */
export const FAULTS: readonly FaultKind[] = [
  [LOSS, 60],
  [UNKNOWN_OUTCOME, 60],
  [DELAY, 60],
  [DUPLICATION, 60],
  [NO_BROKER, 25],
  [ALONE, 40],
  [CUT_LINE, 40],
  [CRASH, 80],
  [POWER_CUT, 15],
  [ABSENCE, 15],
  [CLOCK_JUMP, 50],
  [FULL_DISK, 30],
  [BACKUP, 20],
  [RESTORE, 20],
  [LOST_STORE, 15],
  [COPIED_DISK, 20],
  [OLDER_STORE, 15],
  [TRUNCATED_TOPIC, 30],
  [RECREATED_TOPIC, 15],
  [REPLAY, 60],
  [FORGED_PURGE, 40],
  [FORGED_CALLS, 50],
  [GARBAGE, 50],
  [EQUIVOCATION, 25],
  [SECOND_INSTANCE, 25],
];
