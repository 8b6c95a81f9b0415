import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { nextLink } from '@concordat/common/domain/chain.js';
import type { OrderId, UnixMs } from '@concordat/common/domain/ids.js';
import { SUITE, type Verified, signStatement } from '@concordat/common/domain/statement.js';
import { purgeTopic } from '@concordat/common/domain/topics.js';
import { type EntryDraft, draftEntries } from '../domain/entries.js';
import type { RevocationContext } from './context.js';

/**
 * Writes every holder's entries and marks the order appended, in one commit; sending comes after it.
 *
 * @returns the topics that have something to send
 */
export function appendEntries(
  context: RevocationContext,
  order: Verified<'PurgeOrder'>,
  seal: Verified<'SealRecord'>,
): readonly string[] {
  const { store, clock } = context;
  const drafts = draftEntries(seal.value.holders);
  return store.db.transaction(() => {
    const nowMs = clock.nowMs();
    const topics = drafts.map((draft) => appendEntry(context, { order, seal, draft }, nowMs));
    store.orders.advance(order.value.orderId, {
      kind: 'entriesAppended',
      entries: drafts.length,
    });
    return [...new Set(topics)];
  });
}

function appendEntry(
  context: RevocationContext,
  about: {
    readonly order: Verified<'PurgeOrder'>;
    readonly seal: Verified<'SealRecord'>;
    readonly draft: EntryDraft;
  },
  nowMs: UnixMs,
): string {
  const { codec, signer, keys, self, store } = context;
  const { recipient, part, parts, ids } = about.draft;
  const { deadlineMs } = about.order.value;
  const orderId: OrderId = about.order.value.orderId;
  const topic = purgeTopic({ origin: self, recipient });
  const head = store.chains.ownHead(topic);
  const link = nextLink(head);
  const { bytes, hash } = signStatement(codec, signer, 'PurgeEntry', {
    suite: SUITE,
    federation: keys.federation,
    origin: self,
    keyId: signer.keyId,
    recipient,
    ...link,
    timeMs: nowMs,
    orderId,
    sealRecordHash: about.seal.hash,
    part,
    parts,
    ids,
    deadlineMs,
  });
  const { epoch, number } = link;
  store.chains.advanceOwn(topic, head, { epoch, number, hash });
  store.orders.addEntry(orderId, { recipient, number, part, bytes, hash });
  const headers = cloudEventHeaders({
    kind: 'purge-entry',
    source: self,
    chain: topic,
    epoch,
    number,
  });
  store.chains.enqueue(topic, 0, { value: bytes, headers });
  return topic;
}
