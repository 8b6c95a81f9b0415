import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import {
  type OrderAnswer,
  changes,
  isClosed,
  isRefused,
  standings,
} from '../domain/purge-progress.js';

const AGAIN_MS = 300;

export interface Watch {
  readonly clock: Clock;
  /** What is, and every change, until the order is over; it fails while the service is away. */
  readonly follow: (signal: AbortSignal) => AsyncIterable<OrderAnswer>;
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
  const { clock, stop, patienceMs } = watch;
  const late = new AbortController();
  const over = new AbortController();
  if (patienceMs !== undefined) {
    clock.sleep(patienceMs, over.signal).then(
      () => late.abort(),
      () => undefined, // it was over in time
    );
  }
  const given = AbortSignal.any([stop, late.signal]);
  const isGivenUp = (): boolean => given.aborted;
  let seen: ReadonlyMap<string, string> = new Map();
  let order: OrderAnswer | undefined;
  const tell = (now: ReadonlyMap<string, string>): void => {
    for (const [name, state] of changes(seen, now)) watch.onChange(name, state);
    seen = new Map([...seen, ...now]);
  };
  try {
    while (!isGivenUp()) {
      try {
        for await (const latest of watch.follow(given)) {
          order = latest;
          tell(standings(latest));
          const end = endOf(latest);
          if (end) return { end, order };
        }
      } catch (cause) {
        if (!(cause instanceof ConcordatError && cause.retryable)) throw cause;
        if (!isGivenUp()) tell(new Map([['revocation', 'does not answer']]));
      }
      await clock.sleep(AGAIN_MS, given).catch(() => undefined);
    }
    return { end: stop.aborted ? 'stopped' : 'late', order };
  } finally {
    over.abort();
  }
}

function endOf(order: OrderAnswer): WatchEnd | undefined {
  if (isClosed(order)) return 'closed';
  if (isRefused(order)) return 'refused';
  return order.overdue ? 'overdue' : undefined;
}
