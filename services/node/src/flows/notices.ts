import type { EventId, MemberId } from '@concordat/common/domain/ids.js';

/** What an open subscription is told. */
export interface Notice {
  readonly kind: 'READABLE' | 'WITHDRAWN';
  readonly origin: MemberId;
  readonly id: EventId;
  readonly category: string;
  /** of a withdrawal: taken back by its origin, or deleted here at the end of its retention */
  readonly reason?: 'PURGED' | 'RETENTION';
}

type Listener = (notice: Notice) => void;

export class Notices {
  readonly #listeners = new Set<Listener>();

  tell(notice: Notice): void {
    for (const listener of this.#listeners) listener(notice);
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
