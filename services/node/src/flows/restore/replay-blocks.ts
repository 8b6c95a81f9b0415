import { blockRef, readBlock } from '@concordat/common/domain/block.js';
import { equalBytes, sha256 } from '@concordat/common/domain/bytes.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { leafHash } from '@concordat/common/domain/merkle.js';
import type { Envelope } from '@concordat/common/domain/records.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { eventsTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';
import { appendLedger } from '../ledger-writer.js';
import { idsOfBlock } from './ids-of-block.js';
import { chainsAhead, ownBlocks } from './own-topics.js';

/**
 * Records the publication of blocks that are on the own events topic and not in the ledger: the process ended between the
 * two sends, and its state was lost. No key of them can have left, for a key leaves after its block is in the ledger.
 */
export async function recordUnrecordedBlocks(
  context: NodeContext,
  log: LogClient,
): Promise<number> {
  const topic = eventsTopic(context.self);
  const ahead = await chainsAhead(context, log, ownBlocks(context));
  let recorded = 0;
  for (const chain of ahead.keys()) {
    await log.scan(topic, Number(chain.slice(topic.length + 1)), 0n, ({ value }) => {
      if (recordBlock(context, chain, value)) recorded += 1;
    });
  }
  return recorded;
}

function recordBlock(context: NodeContext, chain: string, value: Uint8Array): boolean {
  const { codec, keys, self, state } = context;
  const block = readBlock(codec, keys, value, self);
  if (!block.ok) return false;
  const { statement, envelopes } = block.value;
  const { lane, epoch, number, previous, treeSize, timeMs } = statement.value;
  const head = state.chains.ownHead(chain);
  const isNext = epoch === head.epoch && number === head.number + 1;
  if (!isNext || !equalBytes(previous, head.hash)) return false;
  const leafHashes = envelopes.map(({ envelope }) => leafHash(envelope.header));
  const body = codec.encode('PublicationTable', {
    rows: envelopes.map(({ header }, leaf) => ({
      ...{ id: header.id, category: header.category, supersedes: header.supersedes },
      ...{ headerHash: leafHashes[leaf] ?? leafHash(new Uint8Array()) },
      retainUntilMs: header.retainUntilMs,
    })),
  });
  state.db.transaction(() => {
    state.chains.advanceOwn(chain, head, { epoch, number, hash: statement.hash });
    const place = { lane, epoch, number };
    state.own.addBlock({
      ...{ ...place, hash: statement.hash, treeSize, leafHashes },
      statement: statement.bytes,
    });
    state.own.addEvents(
      place,
      envelopes.map(({ header }) => header),
    );
    const entry = { block: blockRef(statement), kind: 'PUBLICATION', treeSize } as const;
    // the block's own time: the statement can then be made once more from the record
    appendLedger(context, { ...entry, root: sha256(body), body }, timeMs);
  });
  return true;
}

/**
 * Sends the blocks that the ledger names and the own events topic does not have: the process ended between the two sends,
 * and its outbox was lost. Their envelopes are put together from the rows.
 *
 * @param before own numbers that an outbox still stands for
 * @returns chains with a block that cannot be put together, for a row of it is gone
 */
export async function sendUnsentBlocks(
  context: NodeContext,
  log: LogClient,
  before: ReadonlyMap<string, number>,
): Promise<string[]> {
  const { state, self } = context;
  const topic = eventsTopic(self);
  const tails = await newestOnTopic(context, log);
  const broken: string[] = [];
  for (const { lane, low } of await log.ends(topic)) {
    const chain = `${topic}/${String(lane)}`;
    const tail = tails.get(chain);
    // what a topic kept for days only, and dropped, was there
    if (tail === undefined && low > 0n) continue;
    const { epoch, number: head } = state.chains.ownHead(chain);
    for (
      let number = Math.max(tail ?? 0, before.get(chain) ?? 0) + 1;
      number <= head;
      number += 1
    ) {
      if (sendBlock(context, { lane, epoch, number })) continue;
      broken.push(`${chain} number ${String(number)}`);
      break;
    }
  }
  return broken;
}

async function newestOnTopic(
  context: NodeContext,
  log: LogClient,
): Promise<ReadonlyMap<string, number>> {
  const { codec, keys, self } = context;
  const own = ownBlocks(context);
  const newest = new Map<string, number>();
  for (const { value, lane } of await log.tails(own.topic)) {
    const bytes = own.statementOf(value);
    const verified =
      bytes && verifyStatement(codec, keys, 'BlockStatement', bytes, { signer: self });
    if (verified?.ok) newest.set(own.chainOf(lane), verified.value.value.number);
  }
  return newest;
}

function sendBlock(
  context: NodeContext,
  place: { readonly lane: number; readonly epoch: number; readonly number: number },
): boolean {
  const { state, data, codec, self, clock } = context;
  const topic = eventsTopic(self);
  const block = state.own.block(place);
  if (!block) return false;
  const envelopes: Envelope[] = [];
  for (const id of idsOfBlock(context, place)) {
    const row = data.find(self, id);
    if (!row?.audience) return false;
    const sections = data.sections(self, id);
    // what an event was derived from is not kept here; nobody needs it to take the block in
    envelopes.push({ header: row.header, audience: row.audience, derivedFrom: null, sections });
  }
  const value = codec.encode('Block', { statement: block.statement, envelopes });
  const { lane, epoch, number } = place;
  const chain = `${topic}/${String(lane)}`;
  const headers = cloudEventHeaders({ kind: 'block', source: self, chain, epoch, number });
  state.db.transaction(() => {
    state.chains.enqueueKept(
      topic,
      lane,
      { value, headers },
      { epoch, number, atMs: clock.nowMs() },
    );
  });
  return true;
}
