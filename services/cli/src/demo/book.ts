import type { EventId, MonotonicMs } from '@concordat/common/domain/ids.js';
import type { Listing } from '../domain/un-list/listing.js';

/** One published event of the list. */
export interface Listed {
  readonly id: EventId;
  readonly reference: string;
  readonly category: string;
  readonly listing: Listing;
  readonly sentAtMs: MonotonicMs;
}

/** What the origin's national system remembers: which event stands for which entry, and what it took back. */
export class Book {
  readonly live = new Map<string, Listed>();
  readonly purged: Listed[] = [];
  readonly #sentAt = new Map<EventId, MonotonicMs>();
  readonly latenciesMs: number[] = [];
  readonly #seen = new Set<string>();

  get published(): number {
    return this.live.size + this.purged.length;
  }

  sending(id: EventId, atMs: MonotonicMs): void {
    this.#sentAt.set(id, atMs);
  }

  add(listed: Listed): void {
    const before = this.live.get(listed.reference);
    if (before) this.purged.push(before);
    this.live.set(listed.reference, listed);
  }

  remove(reference: string): Listed {
    const listed = this.live.get(reference);
    if (!listed) throw new TypeError(`${reference} is not in the book`);
    this.live.delete(reference);
    this.purged.push(listed);
    return listed;
  }

  /** The first time that a member's node tells of an event counts. */
  readableAt(member: string, id: EventId, atMs: MonotonicMs): void {
    const key = `${member}/${id}`;
    const sentAtMs = this.#sentAt.get(id);
    if (sentAtMs === undefined || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.latenciesMs.push(atMs - sentAtMs);
  }
}
