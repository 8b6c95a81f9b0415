import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { inclusionPath } from '@concordat/common/domain/merkle.js';
import { isWhole, mayOrder } from '@concordat/common/domain/purge-order.js';
import type {
  EvidenceBlock,
  PurgeOrder,
  RecordCodec,
  SealHolder,
  SealRecord,
  SlotTable,
} from '@concordat/common/domain/records.js';
import { slotRoot } from '@concordat/common/domain/slots.js';
import {
  SUITE,
  type Verified,
  signStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import { type OwnBlock, type OwnEvent, blockKey } from '../io/state/own-publications.js';
import type { StoredSeal } from '../io/state/seal-table.js';
import type { Burials } from './burials.js';
import type { NodeContext } from './context.js';
import { appendLedger } from './ledger-writer.js';
import { withdraw } from './notices.js';
import { holdersOf } from './recorded-releases.js';
import { sealedBefore } from './restore/sealed-before.js';

/** What one answer of DestroyKeys may have, with room for its frame. */
const ANSWER_BYTES_MAX = 7 * 1024 * 1024;

const ROW_LOST =
  'an own event without its row: its header is part of the proof; restore a backup of data.db that has it';

interface Touched {
  readonly block: OwnBlock;
  readonly leaves: { readonly leaf: number; readonly id: EventId }[];
}

/**
 * Destroys the keys of what an order covers. Seal in state, then vault, then data, then the broker's acknowledgement,
 * then the answer: from the first commit on no key leaves, and the holders are read in the same commit.
 */
export class SealOffice {
  readonly #context: NodeContext;
  readonly #burials: Burials;

  constructor(context: NodeContext, burials: Burials) {
    this.#context = context;
    this.#burials = burials;
  }

  /** The same order gets the same answer, byte for byte. */
  async destroy(orderBytes: Uint8Array): Promise<Pick<StoredSeal, 'sealRecord' | 'evidence'>> {
    const { codec, keys, state, outbox, self } = this.#context;
    const order = verifyStatement(codec, keys, 'PurgeOrder', orderBytes, { signer: self });
    if (!order.ok) throw order.error;
    const { orderId } = order.value.value;
    const before = state.seals.find(orderId) ?? this.#sealedBefore(order.value);
    if (before && !equalBytes(before.orderHash, order.value.hash)) {
      throw new ConcordatError('ORDER_INVALID', 'this order id was sealed for another order');
    }
    const seal = before ?? this.#sealAndTell(order.value);
    await this.#burials.finish();
    await outbox.acknowledged(ledgerTopic(self), 0, seal.ledgerSeq);
    return { sealRecord: seal.sealRecord, evidence: seal.evidence };
  }

  /** The state was lost after the seal: the answer is made once more from the ledger, the same bytes by the same key. */
  #sealedBefore(order: Verified<'PurgeOrder'>): StoredSeal | undefined {
    const { state } = this.#context;
    const { orderId, ids } = order.value;
    const sealed = sealedBefore(this.#context, order.value);
    if (!sealed) return undefined;
    const events = state.own.events(ids);
    const evidence = this.#evidence(this.#touchedBlocks(events));
    const found = { seals: sealed.seals, holders: this.#holders(events) };
    const sealRecord = this.#signSeal(order, found, sealed.timeMs);
    const stored: StoredSeal = { orderHash: order.hash, sealRecord, evidence, ledgerSeq: 0 };
    state.db.transaction(() => {
      state.seals.add(orderId, stored);
      state.sealedHeaders.drop(ids);
    });
    return stored;
  }

  /** Open streams learn it before the deletion. */
  #sealAndTell(order: Verified<'PurgeOrder'>): StoredSeal {
    const seal = this.#seal(order);
    this.#context.notices.wake();
    return seal;
  }

  #seal(order: Verified<'PurgeOrder'>): StoredSeal {
    const { state, self, clock } = this.#context;
    const nowMs = clock.nowMs();
    const events = this.#checkOrder(order, nowMs);
    return state.db.transaction(() => {
      const { orderId } = order.value;
      const touched = this.#touchedBlocks(events);
      const evidence = this.#evidence(touched);
      const seals: SealRecord['seals'][number][] = [];
      let ledgerSeq = 0;
      for (const { block, leaves } of touched) {
        const appended = this.#appendSeal(block, leaves, order.value, nowMs);
        seals.push({ ledgerNumber: appended.number, statementHash: appended.hash });
        ledgerSeq = appended.seq;
        const buried = leaves.map(({ id }) => ({ origin: self, id }));
        state.tombstones.bury(buried, { orderId, atMs: nowMs, ledgerNumber: appended.number });
      }
      withdraw(state, self, order.value.ids, 'PURGED');
      const holders = this.#holders(events);
      const sealRecord = this.#signSeal(order, { seals, holders }, nowMs);
      const stored: StoredSeal = { orderHash: order.hash, sealRecord, evidence, ledgerSeq };
      demandAnswerable(this.#context.codec, stored);
      state.seals.add(orderId, stored);
      return stored;
    });
  }

  /** People order by their role; a rule's order counts only when the fact stands in our own rows. */
  #checkOrder(order: Verified<'PurgeOrder'>, nowMs: UnixMs): Map<EventId, OwnEvent> {
    const { state, self } = this.#context;
    const { reason, ids, supersededBy } = order.value;
    if (!mayOrder(order.key.role, reason)) {
      throw new ConcordatError(
        'ORDER_NOT_AUTHORISED',
        `reason ${reason} may not be ordered by role ${order.key.role}`,
      );
    }
    if (!isWhole(order.value)) {
      throw new ConcordatError('ORDER_INVALID', 'expected all recipients and whole events');
    }
    const events = state.own.events(ids);
    const buried = state.tombstones.buriedAmong(self, ids);
    for (const id of ids) {
      const event = events.get(id);
      if (!event) throw new ConcordatError('ORDER_INVALID', 'covers an event not published here');
      if (buried.has(id)) {
        throw new ConcordatError('ORDER_INVALID', 'covers an event that is purged already');
      }
      if (reason === 'retention' && event.retainUntilMs > nowMs) {
        throw new ConcordatError('ORDER_NOT_AUTHORISED', 'the retention term is not over');
      }
    }
    if (events.size !== ids.length || events.size === 0) {
      throw new ConcordatError('ORDER_INVALID', 'expected at least one event, each once');
    }
    if (reason === 'superseded') this.#checkSuperseded(ids, supersededBy);
    return events;
  }

  #checkSuperseded(ids: readonly EventId[], by: EventId | null): void {
    const successor = by === null ? undefined : this.#context.state.own.event(by);
    const [only] = ids;
    if (ids.length !== 1 || !successor || successor.supersedes !== only) {
      throw new ConcordatError('ORDER_NOT_AUTHORISED', 'no published event supersedes this one');
    }
  }

  #touchedBlocks(events: ReadonlyMap<EventId, OwnEvent>): Touched[] {
    const touched = new Map<string, Touched>();
    for (const [id, event] of events) {
      const key = blockKey(event);
      const block = touched.get(key)?.block ?? this.#context.state.own.block(event);
      if (!block) throw new ConcordatError('INTERNAL', 'an own event without its block');
      const leaves = touched.get(key)?.leaves ?? [];
      leaves.push({ leaf: event.leaf, id });
      touched.set(key, { block, leaves });
    }
    for (const { leaves } of touched.values()) leaves.sort((a, b) => a.leaf - b.leaf);
    return [...touched.values()];
  }

  /** What a certificate needs of the leaves; taken before the rows are deleted. */
  #evidence(touched: readonly Touched[]): Uint8Array {
    const { codec, data, state, self } = this.#context;
    const blocks = touched.map(({ block, leaves }): EvidenceBlock => {
      const proven = leaves.map(({ leaf, id }) => {
        const header = data.find(self, id)?.header ?? state.sealedHeaders.get(id);
        if (!header) throw new ConcordatError('STATE_LOST', ROW_LOST);
        return { leaf, header, path: inclusionPath(block.leafHashes, leaf) };
      });
      return { statement: block.statement, leaves: proven };
    });
    return codec.encode('SealEvidence', { blocks });
  }

  #appendSeal(
    block: OwnBlock,
    leaves: Touched['leaves'],
    order: PurgeOrder,
    nowMs: UnixMs,
  ): ReturnType<typeof appendLedger> {
    const { codec, random } = this.#context;
    const { lane, epoch, number, hash, treeSize } = block;
    const table: SlotTable = {
      seed: random.bytes(32),
      kind: 'SEAL',
      recipient: '',
      orderId: order.orderId,
      leaves: leaves.map(({ leaf }) => ({ leaf, sections: [] })),
    };
    return appendLedger(
      this.#context,
      {
        block: { lane, epoch, number, hash },
        kind: 'SEAL',
        treeSize,
        root: slotRoot(codec, table, treeSize),
        body: codec.encode('SlotTable', table),
      },
      nowMs,
    );
  }

  #holders(events: ReadonlyMap<EventId, OwnEvent>): SealHolder[] {
    const held = new Map<MemberId, EventId[]>();
    for (const [id, releases] of holdersOf(this.#context, events)) {
      for (const recipient of new Set(releases.map((one) => one.recipient))) {
        const ids = held.get(recipient) ?? [];
        held.set(recipient, ids);
        ids.push(id);
      }
    }
    return [...held]
      .map(([recipient, held]) => ({ recipient, ids: held }))
      .sort((a, b) => (a.recipient < b.recipient ? -1 : 1));
  }

  #signSeal(
    order: Verified<'PurgeOrder'>,
    found: Pick<SealRecord, 'seals' | 'holders'>,
    nowMs: UnixMs,
  ): Uint8Array {
    const { codec, signer, keys, self } = this.#context;
    return signStatement(codec, signer, 'SealRecord', {
      suite: SUITE,
      federation: keys.federation,
      origin: self,
      keyId: signer.keyId,
      orderId: order.value.orderId,
      orderHash: order.hash,
      timeMs: nowMs,
      ids: order.value.ids,
      recipients: order.value.recipients,
      sections: order.value.sections,
      grants: [],
      approvals: [],
      ...found,
    }).bytes;
  }
}

/**
 * The answer must reach the revocation service, or what is destroyed could never be purged at its holders.
 *
 * @throws ConcordatError ORDER_INVALID, and nothing is sealed
 */
function demandAnswerable(codec: RecordCodec, { sealRecord, evidence }: StoredSeal): void {
  const bytes = sealRecord.length + evidence.length;
  if (bytes > ANSWER_BYTES_MAX) {
    const text = `its seal and evidence come to ${String(bytes)} bytes, at most ${String(ANSWER_BYTES_MAX)}`;
    throw new ConcordatError('ORDER_INVALID', `${text}: split the order`);
  }
  const signed = codec.decode('Signed', sealRecord);
  const readable = signed.ok && codec.decode('SealRecord', signed.value.payload).ok;
  if (!readable || !codec.decode('SealEvidence', evidence).ok) {
    throw new ConcordatError(
      'ORDER_INVALID',
      'covers more than one seal record may: split the order',
    );
  }
}
