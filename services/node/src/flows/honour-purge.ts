import { nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { stageOf } from '@concordat/common/domain/purge-order.js';
import type { LegalHold, PurgeOutcome, Receipt } from '@concordat/common/domain/records.js';
import {
  SUITE,
  type Verified,
  signStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { purgeTopic, receiptsTopic } from '@concordat/common/domain/topics.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { FollowedTopic, type ReadStatement } from '@concordat/common/io/chain/followed-topic.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { type EntryEvent, burialOf, holdsAnyOf } from '../domain/purge/entry.js';
import type { PendingEntry } from '../io/state/purge-entries.js';
import { oweChildren } from './child-duties.js';
import { type NodeContext, followPorts } from './context.js';
import { burySections, tellWhatIsLeft } from './finish-sections.js';
import { withdraw } from './notices.js';
import type { PacedRuns } from './paced-runs.js';
import type { TopicFlow } from './readers.js';
import { answerAsBefore, takeAnswers } from './restore/replay-receipts.js';

const RECEIPTS_BATCH = 500;
/** Entries of so many bytes are honoured before others have their turn: one of 2,000 events, or some 70 of one. */
const PORTION_BYTES = 32_768;
const REST_MS_MAX = 250;
/** How long to wait before a deletion that failed, of a full disk perhaps, is tried again. */
const AGAIN_MS = 500;

/**
 * Honours an origin's purge entries: tombstone with position, then vault, then data, then the receipt in state. From
 * the first commit on every reading is refused; the final receipt is written only when nothing is left, here or in a
 * copy system, and until then an open one says what is.
 */
export class PurgeHonour implements TopicFlow {
  readonly followed: FollowedTopic;
  readonly #context: NodeContext;
  readonly #origin: MemberId;
  readonly #burials: Pick<PacedRuns, 'join'>;
  readonly #onApplied: () => void;
  readonly #closing = new AbortController();

  /** @param burials of this node, see `burialsOf` */
  constructor(
    context: NodeContext,
    origin: MemberId,
    burials: Pick<PacedRuns, 'join'>,
    told: { readonly onApplied: () => void; readonly onMissing: () => void },
  ) {
    this.#context = context;
    this.#origin = origin;
    this.#burials = burials;
    this.#onApplied = told.onApplied;
    const topic = purgeTopic({ origin, recipient: context.self });
    this.followed = new FollowedTopic(followPorts(context, 'state'), {
      topic,
      chainOf: () => topic,
      read: (value) => this.#read(value),
      duplicates: 'purge.duplicate',
      onEffectFailing: 'stop', // a purge is never passed by
      onMissing: told.onMissing,
    });
  }

  close(): void {
    this.#closing.abort();
  }

  /**
   * A little at a time, and a rest as long as its commit took: a flood from one origin leaves others' events half of the
   * time (L5). Deletions have pauses of their own.
   */
  async handle(batch: readonly LogRecord[]): Promise<void> {
    const { clock } = this.#context;
    for (const some of inPortions(batch)) {
      const startMs = clock.monotonicMs();
      const came = this.followed.commit(some);
      const restMs = Math.min(clock.monotonicMs() - startMs, REST_MS_MAX);
      await this.settle();
      if (came === 'read again') throw this.followed.filled();
      if (some === batch) return;
      await clock.sleep(restMs, this.#closing.signal).catch(() => undefined);
      if (this.#closing.signal.aborted) return;
    }
  }

  async settle(): Promise<void> {
    // open streams learn it before the deletion, and no later than the receipt
    this.#context.notices.wake();
    await this.#finish();
    this.#onApplied();
  }

  /** The position is committed, so nobody would come back to what is not finished here: it is tried until it works. */
  async #finish(): Promise<void> {
    const { clock, warn } = this.#context;
    for (;;) {
      try {
        await this.#burials.join();
        return;
      } catch (cause) {
        warn('INTERNAL', `${this.followed.topic}: a deletion failed and is tried again`);
        if (this.#closing.signal.aborted) throw cause;
        await clock.sleep(AGAIN_MS, this.#closing.signal).catch(() => undefined);
      }
    }
  }

  #read(value: Uint8Array): Result<ReadStatement, ConcordatError> {
    const { codec, keys, self } = this.#context;
    const entry = verifyStatement(codec, keys, 'PurgeEntry', value, { signer: this.#origin });
    if (!entry.ok) return entry;
    const { recipient, epoch, number, previous } = entry.value.value;
    if (recipient !== self) {
      return err(new ConcordatError('NOT_ADDRESSED_HERE', 'a purge entry for another member'));
    }
    return ok({
      link: { epoch, number, previous, hash: entry.value.hash },
      apply: () => {
        this.#bury(this.followed.topic, entry.value);
        return undefined;
      },
    });
  }

  #bury(chain: string, entry: Verified<'PurgeEntry'>): void {
    const { state, clock } = this.#context;
    const { epoch, number, orderId, ids, sections } = entry.value;
    const pending = { chain, epoch, number, origin: this.#origin, orderId, hash: entry.hash };
    // after a loss of the state: what was answered is not judged anew
    const given = takeAnswers(this.#context, pending);
    const burial = burialOf({
      ...{ sections, given: given.at(-1)?.receipt.outcomes },
      events: ids.map((id) => this.#found(id, sections)),
    });
    if (!state.purges.add(pending, burial.outcomes)) {
      state.chains.count('purge.known');
      return;
    }
    state.chains.count('purge.entries');
    oweChildren(this.#context, pending, entry.value);
    if (burial.takes === 'sections') {
      burySections(this.#context, this.#origin, burial.ids, { orderId, sections });
    } else {
      withdraw(state, this.#origin, burial.ids, 'PURGED');
      const events = burial.ids.map((id) => ({ origin: this.#origin, id }));
      state.tombstones.bury(events, { orderId, atMs: clock.nowMs() });
    }
    answerAsBefore(this.#context, pending, given);
  }

  #found(id: EventId, taken: readonly string[]): EntryEvent {
    const cause = this.#context.state.tombstones.causeOf(this.#origin, id);
    return { id, cause, isHeld: taken.length === 0 ? this.#holds(id) : this.#holdsOf(id, taken) };
  }

  #holds(id: EventId): boolean {
    const { data, vault } = this.#context;
    return data.has(this.#origin, id) || vault.sectionsHeld(this.#origin, id).length > 0;
  }

  #holdsOf(id: EventId, taken: readonly string[]): boolean {
    const { data, vault, state } = this.#context;
    const gone = state.sections.of(this.#origin, id);
    const held = [
      ...data.sections(this.#origin, id).map(({ name }) => name),
      ...vault.sectionsHeld(this.#origin, id),
    ];
    return holdsAnyOf(taken, held, gone);
  }
}

/** Consecutive records in as few portions as their bytes allow; a batch that is one portion is it itself. */
function inPortions(batch: readonly LogRecord[]): readonly (readonly LogRecord[])[] {
  const portions: LogRecord[][] = [];
  let bytes = Infinity;
  for (const record of batch) {
    bytes += record.value.length;
    if (bytes > PORTION_BYTES) {
      portions.push([]);
      bytes = record.value.length;
    }
    portions.at(-1)?.push(record);
  }
  return portions.length > 1 ? portions : [batch];
}

/**
 * Answers what is not answered yet, with an open receipt while something of it is with a copy system or under legal hold,
 * and once nothing is with the final one (S2); call only after `finishBurials`, also at every start.
 */
export function writeReceipts(context: NodeContext): void {
  const { state, outbox, self } = context;
  for (;;) {
    const pending = state.purges.pending(RECEIPTS_BATCH);
    if (pending.length === 0) break;
    state.db.transaction(() => {
      for (const entry of pending) writeReceipt(context, entry);
    });
    for (const origin of new Set(pending.map((entry) => entry.origin))) {
      outbox.wake(receiptsTopic({ origin, recipient: self }), 0);
    }
  }
  tellWhatIsLeft(context);
}

function holdsOf(
  { state }: NodeContext,
  origin: MemberId,
  id: EventId,
  outcome: PurgeOutcome,
): LegalHold[] {
  const hold = outcome === 'HELD' ? state.holds.find(origin, id) : undefined;
  if (!hold) return [];
  const { ground, authority, reviewAtMs } = hold;
  return [{ id, ground, authority, reviewAtMs }];
}

function writeReceipt(context: NodeContext, entry: PendingEntry): void {
  const { state, codec, signer, keys, self, clock } = context;
  const topic = receiptsTopic({ origin: entry.origin, recipient: self });
  const head = state.chains.ownHead(topic);
  const outcomes = state.purges.outcomes(entry);
  const receipt: Receipt = {
    suite: SUITE,
    federation: keys.federation,
    origin: entry.origin,
    keyId: signer.keyId,
    holder: self,
    ...nextLink(head),
    timeMs: clock.nowMs(),
    orderId: entry.orderId,
    entryNumber: entry.number,
    entryHash: entry.hash,
    stage: stageOf(outcomes.map(({ outcome }) => outcome)),
    outcomes,
    holds: outcomes.flatMap(({ id, outcome }) => holdsOf(context, entry.origin, id, outcome)),
    children: state.children.childrenOf(self, entry),
    opened: state.purges.opened(entry),
  };
  const signed = signStatement(codec, signer, 'Receipt', receipt);
  const { epoch, number } = receipt;
  state.chains.advanceOwn(topic, head, { epoch, number, hash: signed.hash });
  if (receipt.stage === 'OPEN') state.purges.setOpenReceipt(entry, signed, outcomes);
  else state.purges.setReceipt(entry, signed.bytes);
  if (receipt.stage === 'DELETED') state.unerased.add(entry, receipt.timeMs);
  const headers = cloudEventHeaders({ kind: 'receipt', source: self, chain: topic, epoch, number });
  const record = { value: signed.bytes, headers };
  state.chains.enqueueKept(topic, 0, record, { epoch, number, atMs: receipt.timeMs });
}
