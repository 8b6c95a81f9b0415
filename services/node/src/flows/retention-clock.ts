import { setImmediate as turn } from 'node:timers/promises';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { type ClockBelief, NO_BELIEF, look, retentionTime } from '../domain/retention-time.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';
import type { FreshnessKeeper } from './keep-fresh.js';

/** Events of one commit. */
const BATCH = 500;

/**
 * Deletes what other members shared when its delete-by has passed, without being told: tombstone, then keys, ciphertexts
 * and journals, as for a purge. Looks at every state a row can have: one whose key was refused, and that no purge entry
 * will ever name, ends here too, and so does a row that came back from somewhere although it is buried.
 */
export class RetentionClock {
  readonly #context: NodeContext;
  readonly #freshness: ReadonlyMap<MemberId, FreshnessKeeper>;
  readonly #everyMs: number;
  readonly #closing = new AbortController();
  #belief: ClockBelief = NO_BELIEF;
  #running: Promise<void> = Promise.resolve();

  constructor(
    context: NodeContext,
    freshness: ReadonlyMap<MemberId, FreshnessKeeper>,
    everyMs: number,
  ) {
    this.#context = context;
    this.#freshness = freshness;
    this.#everyMs = everyMs;
  }

  start(onDeath: (cause: Error) => void): void {
    this.#running = this.#run().catch((cause: unknown) => {
      onDeath(asConcordatError(cause));
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#sweep();
      await this.#context.clock.sleep(this.#everyMs, signal).catch(() => undefined);
    }
  }

  async #sweep(): Promise<void> {
    const { clock, data, warn } = this.#context;
    const monotonicMs = clock.monotonicMs();
    this.#belief = look(this.#belief, { monotonicMs, unixMs: clock.nowMs() });
    for (const origin of data.origins()) {
      const said = this.#freshness.get(origin)?.originTime;
      const nowMs = retentionTime(this.#belief, said, monotonicMs);
      try {
        while (nowMs !== undefined && endTerms(this.#context, origin, nowMs)) {
          await turn();
          if (this.#closing.signal.aborted) return;
        }
      } catch (cause) {
        if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
        // a full disk perhaps; tombstones that are there are finished on the next look
        warn('INTERNAL', `retention of ${origin}: a deletion failed and is tried again`);
      }
    }
  }
}

/**
 * Ends one batch of terms that are over at `nowMs`; open streams learn it before the deletion.
 *
 * @returns true when there may be more
 */
export function endTerms(context: NodeContext, origin: MemberId, nowMs: UnixMs): boolean {
  const { data, state, notices, clock } = context;
  const due = data.termsOver(origin, nowMs, BATCH);
  if (due.length === 0) return false;
  state.db.transaction(() => {
    const events = due.map(({ id }) => ({ origin, id }));
    state.tombstones.bury(events, { orderId: null, atMs: clock.nowMs() });
    state.chains.count('retention.ended', due.length);
  });
  for (const { id, category } of due) {
    notices.tell({ kind: 'WITHDRAWN', origin, id, category, reason: 'RETENTION' });
  }
  finishBurials(context);
  return due.length === BATCH;
}
