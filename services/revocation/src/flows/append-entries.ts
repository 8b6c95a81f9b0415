import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { nextLink } from '@concordat/common/domain/chain.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeEntry } from '@concordat/common/domain/records.js';
import { SUITE, type Verified, signStatement } from '@concordat/common/domain/statement.js';
import { purgeTopic } from '@concordat/common/domain/topics.js';
import type { OutgoingRecord } from '@concordat/common/io/log-client.js';
import { type EntryDraft, draftEntries } from '../domain/entries.js';
import { answerBy } from '../domain/rule-orders.js';
import { firstLook } from '../domain/silence.js';
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
    store.orders.setDeadline(order.value.orderId, dueBy(order, nowMs));
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
  const { orderId } = about.order.value;
  const deadlineMs = dueBy(about.order, nowMs);
  const topic = purgeTopic({ origin: self, recipient });
  const head = store.chains.ownHead(topic);
  const link = nextLink(head);
  const entry: PurgeEntry = {
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
    sections: about.order.value.sections,
    recipientsAll: about.order.value.recipients.length === 0,
  };
  const { bytes, hash } = signStatement(codec, signer, 'PurgeEntry', entry);
  const { epoch, number } = link;
  store.chains.advanceOwn(topic, head, { epoch, number, hash });
  const term = { appendedAtMs: nowMs, deadlineMs };
  store.entries.add(orderId, { recipient, number, part, bytes, hash, ...term }, firstLook(term));
  store.chains.enqueue(topic, 0, entryRecord(self, entry, bytes));
  return topic;
}

/** Who is told late that a member leaves has its time in full too. */
function dueBy({ value, key }: Verified<'PurgeOrder'>, nowMs: UnixMs): UnixMs {
  return answerBy(value, nowMs, key.role === 'revocation');
}

/** An entry as it is sent, the first time and every other. */
export function entryRecord(
  self: MemberId,
  { recipient, epoch, number }: Pick<PurgeEntry, 'recipient' | 'epoch' | 'number'>,
  bytes: Uint8Array,
): OutgoingRecord {
  const chain = purgeTopic({ origin: self, recipient });
  const kind = 'purge-entry';
  return { value: bytes, headers: cloudEventHeaders({ kind, source: self, chain, epoch, number }) };
}
