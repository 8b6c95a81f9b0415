import type { UnixMs } from '@concordat/common/domain/ids.js';
import { ok } from '@concordat/common/domain/result.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import { FollowedTopic } from '@concordat/common/io/chain/followed-topic.js';
import { type ReadLedgerRecord, readLedgerRecord } from '../domain/ledger-record.js';
import { type RevocationContext, followPorts } from './context.js';
import { makeRuleOrders } from './make-rule-orders.js';

/** Reads the own ledger: what was published, who got keys, what is sealed. */
export function followLedger(context: RevocationContext): FollowedTopic {
  const { codec, statements, self } = context;
  const topic = ledgerTopic(self);
  return new FollowedTopic(followPorts(context), {
    topic,
    chainOf: () => topic,
    duplicates: `duplicates.${topic}`,
    onEffectFailing: 'stop', // a holder that is not known would not be addressed
    read: (value) => {
      const record = readLedgerRecord(codec, statements, value, self);
      if (!record.ok) return record;
      const { statement } = record.value;
      const { epoch, number, previous } = statement.value;
      return ok({
        link: { epoch, number, previous, hash: statement.hash },
        apply: (nowMs) => {
          keep(context, value, record.value, nowMs);
          return undefined;
        },
      });
    },
  });
}

/** A superseding publication and the order that follows from it commit together. */
function keep(
  context: RevocationContext,
  bytes: Uint8Array,
  { statement, published }: ReadLedgerRecord,
  nowMs: UnixMs,
): void {
  const { ledger, chains } = context.store;
  const { number, block, blockNumber, timeMs } = statement.value;
  ledger.addRecord({ number, block: block.hash, blockNumber, bytes });
  if (published.length === 0) return;
  const added = ledger.addPublications({ block: block.hash, timeMs }, published);
  chains.count('publications', added);
  const repeated = published.length - added;
  if (repeated > 0) chains.count('publications.repeated', repeated);
  while (makeRuleOrders(context, 'superseded', nowMs));
}
