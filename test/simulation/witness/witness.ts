import type { MemberId } from '@concordat/common/domain/ids.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import type { AnsweredCall } from '../world/connections.js';
import type { Process } from '../world/places.js';

/** One process of one member. */
export interface Place {
  readonly member: MemberId;
  readonly process: Process;
}

/** Looks at everything that happens in a world, and says what must not be. Each is told in the order of the events. */
export interface Witness {
  readonly name: string;
  /** after a commit, before the process may die of it */
  committed?(place: Place, store: Sqlite): void;
  /** a call was answered by its server; the answer may still be lost */
  answered?(call: AnsweredCall): void;
  /** a record is with the broker */
  appended?(record: LogRecord): void;
  /** a process serves, before anything else reaches it */
  started?(place: Place): void;
  died?(place: Place): void;
  /** after each step of the scheduler */
  stepped?(): void;
  /** While the world heals: what is still to come, in words; nothing more: undefined. */
  unfinished?(): string | undefined;
  /** all is at rest: the last look */
  healed?(): Promise<void>;
}
