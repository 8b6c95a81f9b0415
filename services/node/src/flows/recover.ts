import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { mendOf } from '../domain/purge/mend.js';
import { type StartStep, startSteps } from '../domain/purge/order-of-commits.js';
import { type StoreMark, areMarkedAlike } from '../io/store-mark.js';
import { finishBurials } from './finish-burials.js';
import { writeReceipts } from './honour-purge.js';
import type { NodeContext } from './context.js';
import { rememberDerivations } from './derive.js';
import { rememberHolds } from './legal-holds.js';
import { announce } from './notices.js';
import { announceHeld, deleteWhatCameBack, waitForLostKeys } from './restore/repair-stores.js';
import { rememberSystems } from './systems.js';

/** Rows that are looked at together. */
const PAGE = 1_000;

/**
 * Runs before anything is served: several files cannot commit as one, so what a crash left between two commits is
 * finished or dropped here, and so is what a lost store, or one put back from an earlier copy, left. Purged events
 * first, then rows with keys, what was never published, keys without a row, rows without keys.
 */
export function recover(context: NodeContext): void {
  const wereClosed = areMarkedAlike(marks(context));
  for (const mark of marks(context)) mark.clear();
  rememberSystems(context);
  rememberHolds(context);
  rememberDerivations(context);
  context.vault.dropLostGenerations();
  if (!wereClosed) announceHeld(context);
  for (const step of startSteps(wereClosed)) START[step](context);
  // after a clean stop the counts agree, and a million rows need not be gone through
  if (wereClosed && countsAgree(context)) return;
  dropUnpublished(context);
  dropOrphanKeys(context);
  waitForLostKeys(context);
}

const START: Readonly<Record<StartStep, (context: NodeContext) => void>> = {
  'what came back': deleteWhatCameBack,
  deletion: finishBurials,
  receipts: writeReceipts,
  'key answers': finishKeyAnswers,
};

/** For a clean stop, when nothing works on the stores any more: the next start need not look for what came back. */
export function markClosed(context: NodeContext): void {
  const mark = context.random.bytes(16);
  try {
    for (const store of marks(context)) store.set(mark);
  } catch {
    // without it the next start looks at everything, and finds it in order
  }
}

function marks({ data, vault, state }: NodeContext): StoreMark[] {
  return [state.mark, vault.mark, data.mark];
}

function finishKeyAnswers({ data, vault, state }: NodeContext): void {
  const keyed = data.idsIn('waiting').filter(({ origin, id }) => {
    const hasKeys = vault.sectionsHeld(origin, id).length > 0;
    return mendOf({ row: 'waiting', hasKeys }) === 'make readable';
  });
  state.db.transaction(() => {
    for (const { origin, id } of keyed) {
      const row = data.find(origin, id);
      if (row) announce(state, origin, [row]);
    }
  });
  data.db.transaction(() => {
    for (const [origin, some] of grouped(keyed, (one) => one.origin)) {
      data.setReadable(
        origin,
        some.map(({ id }) => id),
      );
    }
  });
}

/** Every own event that is not sealed has its row, and every row that can be read has its keys. */
function countsAgree({ self, data, vault, state }: NodeContext): boolean {
  const published = state.own.count() - (state.tombstones.counts()[self] ?? 0);
  const rows = data.countByState();
  const count = (wanted: 'published' | 'readable'): number =>
    rows.filter(({ state }) => state === wanted).reduce((sum, { n }) => sum + n, 0);
  if (rows.some(({ state }) => state === 'held')) return false; // some of them have keys
  const readable = count('published') + count('readable');
  return count('published') === published && vault.countEvents() === readable;
}

function dropUnpublished({ self, data, state, vault }: NodeContext): void {
  const unpublished = data.idsIn('published').filter(({ id }) => {
    const isPublished = state.own.event(id) !== undefined;
    return mendOf({ row: 'published', isPublished }) === 'drop';
  });
  const events = unpublished.map(({ id }) => ({ origin: self, id }));
  vault.delete(events);
  data.delete(events);
}

function dropOrphanKeys({ self, data, state, vault }: NodeContext): void {
  let last: { readonly origin: MemberId; readonly id: EventId } | undefined;
  for (;;) {
    const page = vault.eventsAfter(last, PAGE);
    last = page.at(-1);
    if (!last) return;
    vault.delete(
      page.filter(({ origin, id }) => {
        if (data.has(origin, id)) return false;
        const isPublished = state.own.event(id) !== undefined;
        return mendOf({ row: 'none', isOwn: origin === self, isPublished }) === 'drop';
      }),
    );
  }
}
