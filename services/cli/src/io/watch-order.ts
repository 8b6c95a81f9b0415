import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import {
  type OrderAnswer,
  changes,
  isClosed,
  isRefused,
  standings,
} from '../domain/purge-progress.js';

const POLL_MS = 300;

export interface Watch {
  readonly clock: Clock;
  readonly ask: () => Promise<OrderAnswer>;
  readonly onChange: (name: string, state: string) => void;
  /** gives up after this; undefined: when the order is over or overdue */
  readonly patienceMs: number | undefined;
  readonly stop: AbortSignal;
}

export type WatchEnd = 'closed' | 'refused' | 'overdue' | 'late' | 'stopped';

/** Follows one order. Watching changes nothing: it may be left and taken up again at any time. */
export async function watchOrder(
  watch: Watch,
): Promise<{ readonly end: WatchEnd; readonly order: OrderAnswer | undefined }> {
  const { clock, stop, patienceMs = Infinity } = watch;
  const deadlineMs = clock.monotonicMs() + patienceMs;
  let seen: ReadonlyMap<string, string> = new Map();
  let order: OrderAnswer | undefined;
  for (;;) {
    const latest = await look(watch);
    const now = latest ? standings(latest) : new Map([['revocation', 'does not answer']]);
    for (const [name, state] of changes(seen, now)) watch.onChange(name, state);
    seen = new Map([...seen, ...now]);
    order = latest ?? order;
    if (latest && isClosed(latest)) return { end: 'closed', order };
    if (latest && isRefused(latest)) return { end: 'refused', order };
    if (latest?.overdue === true) return { end: 'overdue', order };
    if (clock.monotonicMs() >= deadlineMs) return { end: 'late', order };
    await clock.sleep(POLL_MS, stop).catch(() => undefined);
    if (stop.aborted) return { end: 'stopped', order };
  }
}

/** @returns undefined while the service cannot answer for now */
async function look({ ask }: Watch): Promise<OrderAnswer | undefined> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof ConcordatError && cause.retryable) return undefined;
    throw cause;
  }
}
