import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import type { Hash, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { BlockRef, LedgerKind, LedgerStatement } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import type { NodeContext } from './context.js';

export interface LedgerEntry {
  readonly block: BlockRef;
  readonly kind: LedgerKind;
  /** of a key release */
  readonly recipient?: MemberId;
  readonly treeSize: number;
  readonly root: Hash;
  readonly body: Uint8Array;
}

export interface Appended {
  readonly number: number;
  readonly hash: Hash;
  /** outbox row: the record counts once the broker has acknowledged it */
  readonly seq: number;
}

/** Appends one record to the dissemination ledger; call inside the state store's transaction. */
export function appendLedger(context: NodeContext, entry: LedgerEntry, nowMs: UnixMs): Appended {
  const { state, codec, signer, keys, self } = context;
  const topic = ledgerTopic(self);
  const head = state.chains.ownHead(topic);
  const inBlock = state.ledger.blockChainHead(entry.block);
  const statement: LedgerStatement = {
    suite: SUITE,
    federation: keys.federation,
    origin: self,
    keyId: signer.keyId,
    ...nextLink(head),
    timeMs: nowMs,
    block: entry.block,
    blockNumber: inBlock ? inBlock.number + 1 : 0,
    blockPrevious: inBlock ? inBlock.hash : EMPTY_HEAD.hash,
    kind: entry.kind,
    treeSize: entry.treeSize,
    root: entry.root,
  };
  const signed = signStatement(codec, signer, 'LedgerStatement', statement);
  const record = codec.encode('LedgerRecord', { statement: signed.bytes, body: entry.body });
  const { epoch, number, blockNumber, kind } = statement;
  state.chains.advanceOwn(topic, head, { epoch, number, hash: signed.hash });
  const headers = cloudEventHeaders({
    kind: 'ledger-record',
    source: self,
    chain: topic,
    epoch,
    number,
  });
  const seq = state.chains.enqueue(topic, 0, { value: record, headers });
  state.ledger.add(
    {
      ...{ number, chainNumber: blockNumber, kind, hash: signed.hash, record, seq },
      recipient: entry.recipient ?? '',
    },
    entry.block,
    nowMs,
  );
  return { number, hash: signed.hash, seq };
}
