import { setImmediate as turn } from 'node:timers/promises';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { Repeating } from '@concordat/common/io/repeating.js';
import {
  type ClockBelief,
  NO_BELIEF,
  type OriginTime,
  look,
  retentionTime,
} from '../domain/retention-time.js';
import { momentOf } from '../domain/moment.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';
import { withdraw } from './notices.js';

/** Events of one commit. */
const BATCH = 500;

/**
 * Deletes what other members shared when its delete-by has passed, without being told: tombstone, then keys, ciphertexts
 * and journals, as for a purge. Looks at every state a row can have: one whose key was refused, and that no purge entry
 * will ever name, ends here too, and so does a row that came back from somewhere although it is buried.
 */
export function retentionClock(
  context: NodeContext,
  originTime: (origin: MemberId) => OriginTime | undefined,
  everyMs: number,
): Repeating {
  const { clock, data, warn } = context;
  let belief: ClockBelief = NO_BELIEF;
  return new Repeating(clock, everyMs, async (signal) => {
    const now = momentOf(clock);
    const { monotonicMs } = now;
    belief = look(belief, now);
    for (const origin of data.origins()) {
      const nowMs = retentionTime(belief, originTime(origin), monotonicMs);
      try {
        while (nowMs !== undefined && endTerms(context, origin, nowMs)) {
          await turn();
          if (signal.aborted) return;
        }
      } catch (cause) {
        if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
        // a full disk perhaps; tombstones that are there are finished on the next look
        warn('INTERNAL', `retention of ${origin}: a deletion failed and is tried again`);
      }
    }
  });
}

/**
 * Ends one batch of terms that are over at `nowMs`; open streams learn it before the deletion.
 *
 * @returns true when there may be more
 */
function endTerms(context: NodeContext, origin: MemberId, nowMs: UnixMs): boolean {
  const { data, state, notices, clock } = context;
  const due = data.termsOver(origin, nowMs, BATCH);
  if (due.length === 0) return false;
  state.db.transaction(() => {
    const events = due.map(({ id }) => ({ origin, id }));
    const ids = due.map(({ id }) => id);
    withdraw(state, origin, ids, 'RETENTION');
    state.tombstones.bury(events, { orderId: null, atMs: clock.nowMs() });
    state.chains.count('retention.ended', due.length);
  });
  notices.wake();
  finishBurials(context);
  return due.length === BATCH;
}
