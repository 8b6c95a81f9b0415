import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import type { StateStore } from '../io/state-store.js';
import type { WithdrawalReason } from '../io/state/notice-log.js';

/** Wakes open subscriptions; what there is to tell stands in the log of notices. */
export class Notices {
  #onNews: (() => void)[] = [];

  /** Call after the commit that wrote notices. */
  wake(): void {
    for (const tell of this.#onNews.splice(0)) tell();
  }

  /** Resolves at the next news, or when the signal is aborted. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = (): void => {
        this.#onNews = this.#onNews.filter((one) => one !== done);
        resolve();
      };
      this.#onNews.push(done);
      signal.addEventListener('abort', give, { once: true });
      if (signal.aborted) give();
    });
  }
}

/** Numbers the notices that these are readable; what was announced before stays as it is. */
export function announce(
  { notices }: StateStore,
  origin: MemberId,
  events: readonly { readonly id: EventId; readonly category: string }[],
): void {
  for (const [category, some] of grouped(events, (one) => one.category)) {
    notices.readable(
      origin,
      category,
      some.map(({ id }) => id),
    );
  }
}

/** For the commit that buries these: subscribers are told, and copy systems owe an answer. */
export function withdraw(
  { notices, systems }: StateStore,
  origin: MemberId,
  ids: readonly EventId[],
  reason: WithdrawalReason,
): void {
  systems.owe(origin, ids);
  notices.withdraw(origin, ids, reason);
}
