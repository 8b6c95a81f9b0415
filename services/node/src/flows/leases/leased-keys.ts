import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { Repeating } from '@concordat/common/io/repeating.js';
import { isLeaseOver } from '../../domain/lease.js';
import { type Moment, momentOf } from '../../domain/moment.js';
import type { EventKey } from '../../io/data-store.js';

/** Leases that run at once, a few MB of memory; with one more the oldest ends. */
export const LEASES_MAX = 8_192;
/** A lease that nobody asks for is wiped this long after its term at the latest; who asks finds it over at once. */
const WIPE_MS = 1_000;

export type SectionKeys = ReadonlyMap<string, Uint8Array>;

interface Lease {
  readonly keys: Map<string, Uint8Array>;
  readonly sentAt: Moment;
}

/** Section keys on lease: in this memory and nowhere else, overwritten with zeros when their term is over. */
export class LeasedKeys {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #leases = new Map<string, Lease>();
  readonly #wiping: Repeating;
  #closed = false;

  constructor(clock: Clock, max = LEASES_MAX) {
    this.#clock = clock;
    this.#max = max;
    this.#wiping = new Repeating(clock, WIPE_MS, () => {
      this.#endOver();
      return Promise.resolve();
    });
  }

  start(onDeath: (cause: Error) => void): void {
    this.#wiping.start(onDeath);
  }

  /** Begins a lease with copies of these keys, in the place of one that runs; the caller wipes its own. */
  grant({ origin, id }: EventKey, keys: SectionKeys, sentAt: Moment): void {
    if (this.#closed) return;
    const key = keyOf(origin, id);
    this.#end(key);
    this.#leases.set(key, {
      sentAt,
      keys: new Map([...keys].map(([section, bytes]) => [section, bytes.slice()])),
    });
    if (this.#leases.size <= this.#max) return;
    const [oldest] = this.#leases.keys();
    if (oldest !== undefined) this.#end(oldest);
  }

  /** The keys of a lease that runs; read with them at once, for they are zeros when it ends. */
  keysOf(origin: MemberId, id: EventId): SectionKeys | undefined {
    const key = keyOf(origin, id);
    const lease = this.#leases.get(key);
    if (lease && isLeaseOver(lease.sentAt, momentOf(this.#clock))) this.#end(key);
    return this.#leases.get(key)?.keys;
  }

  end(events: readonly EventKey[]): void {
    for (const { origin, id } of events) this.#end(keyOf(origin, id));
  }

  /** The lease of these sections ends; that of the others runs on. */
  endSections(origin: MemberId, id: EventId, gone: ReadonlySet<string>): void {
    const lease = this.#leases.get(keyOf(origin, id));
    if (!lease) return;
    for (const [section, bytes] of lease.keys) {
      if (!gone.has(section)) continue;
      bytes.fill(0);
      lease.keys.delete(section);
    }
  }

  /** Ends all of them, and begins none any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const key of [...this.#leases.keys()]) this.#end(key);
    await this.#wiping.close();
  }

  #endOver(): void {
    const now = momentOf(this.#clock);
    for (const [key, { sentAt }] of this.#leases) if (isLeaseOver(sentAt, now)) this.#end(key);
  }

  #end(key: string): void {
    const lease = this.#leases.get(key);
    if (!lease) return;
    this.#leases.delete(key);
    wipe(lease.keys);
  }
}

export function wipe(keys: SectionKeys): void {
  for (const key of keys.values()) key.fill(0);
}

function keyOf(origin: MemberId, id: EventId): string {
  return `${origin}/${id}`;
}
