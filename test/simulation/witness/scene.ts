import type { Policy } from '@concordat/common/domain/agreement.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Cover } from '@concordat/common/domain/purge-order.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { KeyDirectory } from '@concordat/common/domain/statement.js';

/** Of `docs/invariants.md`. */
export type Invariant = `S${number}` | `L${number}`;

export interface OfficerOrder extends Cover {
  readonly origin: MemberId;
  readonly ids: readonly EventId[];
}

/** What witnesses need of the world that they look at. */
export interface Scene {
  readonly codec: RecordCodec;
  readonly keys: KeyDirectory;
  /** number of the present step */
  readonly step: () => number;
  /** virtual time, of no clock in particular */
  readonly nowMs: () => number;
  /** the agreements file as it is now */
  readonly policy: () => Policy;
  /** how far the clock of a member's node is ahead */
  readonly skewOf: (member: MemberId) => number;
  /** what an officer signed; undefined: none did */
  readonly orderOf: (orderId: string) => OfficerOrder | undefined;
  readonly violated: (text: string) => void;
}

/** Says what must not be: the invariant, the step, the member, and what happened there. */
export function violate(scene: Scene, invariant: Invariant, member: string, what: string): void {
  scene.violated(`${invariant}, step ${String(scene.step())}, ${member}: ${what}`);
}
