import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { UnixMs } from '@concordat/common/domain/ids.js';
import { Repeating } from '@concordat/common/io/repeating.js';
import { type ScopeLoss, piecesOf, scopeOrder, scopeOrderId } from '../domain/scope-orders.js';
import type { LossCount } from '../io/scope-rows.js';
import { addOrder, orderMaker } from './add-order.js';
import type { RevocationContext } from './context.js';

/** What one look at the node found. */
interface Look {
  readonly standing: string;
  /** events, counted for each recipient */
  readonly total: number;
  readonly counts: readonly LossCount[];
  /** all of it while it is no more than what is ordered without a person */
  readonly losses: readonly ScopeLoss[];
}

/**
 * Orders back what recipients hold and would be withheld from them today. The node says what that is, and checks it once more
 * when it seals; an answer that fails orders nothing. More than `approvalsAbove` events at once, counted for each recipient, wait
 * for a person: a slip in the agreements file must not take everything back.
 */
export function scopeClock(
  context: RevocationContext,
  everyMs: number,
  onOrders: () => void,
): Repeating {
  const { clock, logger } = context;
  return new Repeating(clock, everyMs, async (signal) => {
    try {
      if (await orderOutOfScope(context, signal)) onOrders();
    } catch (cause) {
      if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
      if (signal.aborted) return;
      logger.warn(
        'what left scope is not known: nothing is ordered back, the node is asked again',
        {
          error: asConcordatError(cause),
        },
      );
    }
  });
}

/** @returns true when orders were made */
async function orderOutOfScope(context: RevocationContext, signal: AbortSignal): Promise<boolean> {
  const { store, approvalsAbove, logger } = context;
  // what is ordered and not sealed would be found again
  if (store.orders.areUnsealed('scope_changed')) return false;
  const look = await lookThrough(context, signal);
  if (!look) return false;
  const { standing, total, counts, losses } = look;
  if (total === 0) {
    store.db.transaction(() => {
      store.scope.set('done', standing);
      store.scope.set('confirmed', '');
      store.scope.wait('', []);
    });
    return false;
  }
  const isConfirmed = store.scope.standing('confirmed') === standing;
  if (total > approvalsAbove && !isConfirmed) {
    if (store.scope.standing('waiting') !== standing)
      logger.warn(WAITS, { counts: asFields(counts) });
    store.db.transaction(() => {
      store.scope.set('confirmed', '');
      store.scope.wait(standing, counts);
    });
    return false;
  }
  const orders =
    total <= approvalsAbove
      ? makeOrders(context, losses)
      : await orderPageByPage(context, standing, signal);
  if (orders > 0) logger.info('what left scope is ordered back', { counts: asFields(counts) });
  return orders > 0;
}

const WAITS =
  'more left scope than is ordered back without a person: see concordat purge scope, then --confirm';

/** Orders for the very same loss: each is made when the one before is over. */
const ATTEMPTS_MAX = 16;

const asFields = (counts: readonly LossCount[]): Record<string, number> =>
  Object.fromEntries(
    counts.map(({ recipient, sections, events }) => [[recipient, ...sections].join(' '), events]),
  );

/** Undefined when nothing changed since the last look, or something did while we looked. */
async function lookThrough(
  context: RevocationContext,
  signal: AbortSignal,
): Promise<Look | undefined> {
  const { store, scope, approvalsAbove } = context;
  const knownStanding = store.scope.standing('done');
  const counts = new Map<string, LossCount>();
  let losses: ScopeLoss[] = [];
  let [total, after, standing] = [0, 0, ''];
  do {
    const page = await scope.scopeLosses({ knownStanding, after }, signal);
    if (page.standing === knownStanding) return undefined;
    if (standing !== '' && page.standing !== standing) return undefined;
    standing = page.standing;
    for (const { recipient, sections, ids } of page.losses) {
      const key = [recipient, ...sections].join(' ');
      const events = (counts.get(key)?.events ?? 0) + ids.length;
      counts.set(key, { recipient, sections, events });
      total += ids.length;
    }
    losses = total > approvalsAbove ? [] : [...losses, ...page.losses];
    after = page.next;
  } while (after !== 0);
  return { standing, total, counts: [...counts.values()], losses };
}

/** Nothing of it is kept in memory; a standing that moves ends it, and the rest is looked at again. */
async function orderPageByPage(
  context: RevocationContext,
  standing: string,
  signal: AbortSignal,
): Promise<number> {
  let [orders, after] = [0, 0];
  do {
    const page = await context.scope.scopeLosses({ knownStanding: '', after }, signal);
    if (page.standing !== standing) return orders;
    orders += makeOrders(context, page.losses);
    after = page.next;
  } while (after !== 0);
  return orders;
}

/** @returns how many */
function makeOrders(context: RevocationContext, losses: readonly ScopeLoss[]): number {
  const { store, clock } = context;
  return store.db.transaction(() => {
    const nowMs = clock.nowMs();
    store.scope.wait('', []);
    return losses.flatMap(piecesOf).filter((loss) => makeOrder(context, loss, nowMs)).length;
  });
}

/** @returns false when its node refused the very same too often */
function makeOrder(context: RevocationContext, loss: ScopeLoss, nowMs: UnixMs): boolean {
  const { store, logger } = context;
  const by = orderMaker(context);
  let attempt = 0;
  let orderId = scopeOrderId(by, loss, attempt);
  while (store.orders.find(orderId)) {
    attempt += 1;
    if (attempt === ATTEMPTS_MAX) {
      logger.warn('what left scope is not ordered back: the node refused it', { orderId });
      return false;
    }
    orderId = scopeOrderId(by, loss, attempt);
  }
  addOrder(context, scopeOrder(by, loss, { orderId, nowMs }), nowMs);
  return true;
}
