import { readBlock } from '@concordat/common/domain/block.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, OrderId, UnixMs } from '@concordat/common/domain/ids.js';
import { isWhole } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder, SealRecord, SlotLeaf } from '@concordat/common/domain/records.js';
import { type Slots, readSlots } from '@concordat/common/domain/slots.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { eventsTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';

/** A leaf that a record of kind SEAL seals, with its order and what of it is taken: '' and no section for all. */
export interface SealedLeaf extends SlotLeaf {
  readonly orderId: OrderId;
  readonly recipient: MemberId | '';
}

export function sealedLeaves(slots: Slots): SealedLeaf[] {
  if (!('kind' in slots)) {
    return slots.leaves.map((one) => ({ ...one, recipient: '', sections: [] }));
  }
  const { orderId, recipient, leaves } = slots;
  return orderId === null ? [] : leaves.map((one) => ({ ...one, orderId, recipient }));
}

/** What the ledger tells of an order that was sealed before the state was lost. */
export interface SealedBefore {
  readonly seals: SealRecord['seals'];
  readonly timeMs: UnixMs;
}

/**
 * The seals that stand in the ledger for this order although its answer is not here: the answer can be made once more
 * from them. Undefined when the order was never sealed.
 *
 * @throws ConcordatError ORDER_INVALID when another order was sealed under this id
 */
export function sealedBefore(context: NodeContext, order: PurgeOrder): SealedBefore | undefined {
  const { codec, keys, state, self } = context;
  const found = state.tombstones.sealNumbers(self, order.ids);
  // in the order of their blocks among the ordered events, as they were named the first time
  const numbers = isWhole(order)
    ? new Set(order.ids.flatMap((id) => found.get(id) ?? []))
    : state.covers.sealNumbers(order.orderId);
  const seals: SealRecord['seals'][number][] = [];
  let [timeMs, covered] = [0 as UnixMs, 0];
  for (const number of numbers) {
    const stored = state.ledger.record(number);
    const record = stored && codec.decode('LedgerRecord', stored.record);
    if (!record?.ok) throw undecodable();
    const slots = readSlots(codec, 'SEAL', record.value.body);
    if (!slots.ok) throw undecodable();
    const mine = sealedLeaves(slots.value).filter(({ orderId }) => orderId === order.orderId);
    if (mine.length === 0) continue;
    const bytes = record.value.statement;
    const statement = verifyStatement(codec, keys, 'LedgerStatement', bytes, { signer: self });
    if (!statement.ok) throw statement.error;
    seals.push({ ledgerNumber: number, statementHash: statement.value.hash });
    timeMs = statement.value.value.timeMs;
    covered += mine.length;
  }
  if (seals.length === 0) return undefined;
  if (covered === order.ids.length * Math.max(1, order.recipients.length)) return { seals, timeMs };
  throw new ConcordatError('ORDER_INVALID', 'this order id was sealed for another order');
}

/** Keeps the headers of what is sealed as long as the own events topic has them; for a state that was brought up. */
export async function keepSealedHeaders(
  { state, codec, keys, self }: NodeContext,
  log: LogClient,
): Promise<void> {
  const topic = eventsTopic(self);
  for (const { lane } of await log.ends(topic)) {
    await log.scan(topic, lane, 0n, ({ value }) => {
      const block = readBlock(codec, keys, value, self);
      if (!block.ok) return;
      const { envelopes } = block.value;
      const ids = envelopes.map(({ header }) => header.id);
      const buried = state.tombstones.buriedAmong(self, ids);
      for (const { header, envelope } of envelopes) {
        if (buried.has(header.id)) state.sealedHeaders.keep(header.id, envelope.header);
      }
    });
  }
}

function undecodable(): ConcordatError {
  return new ConcordatError('INTERNAL', 'an own ledger record does not decode');
}
