import { equalBytes } from '@concordat/common/domain/bytes.js';
import { nextLink } from '@concordat/common/domain/chain.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Hash } from '@concordat/common/domain/ids.js';
import { readLedgerBody } from '@concordat/common/domain/ledger-body.js';
import { leafHash, merkleRoot } from '@concordat/common/domain/merkle.js';
import type { LedgerStatement, PublicationTable } from '@concordat/common/domain/records.js';
import type { Slots } from '@concordat/common/domain/slots.js';
import {
  type Verified,
  signStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { eventsTopic, ledgerTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import type { NodeContext } from '../context.js';
import { withdraw } from '../notices.js';
import { releasesOfBlock } from '../recorded-releases.js';
import { BlockStatements } from './block-statements.js';
import { idsOfBlock } from './ids-of-block.js';
import { chainsAhead, ownLedger } from './own-topics.js';
import { sealedLeaves } from './sealed-before.js';

/** Records of one commit. */
const BATCH = 200;

interface Recorded {
  readonly statement: Verified<'LedgerStatement'>;
  readonly body: Uint8Array;
  readonly record: Uint8Array;
}

/**
 * Brings the state up to the own ledger topic: what was published, who was given keys, what is sealed. Nothing when the
 * state is as new as the topic. Every record is checked as by a stranger: signature, chain, body.
 *
 * @returns how many records were taken over
 * @throws ConcordatError STATE_LOST when the topic does not carry the whole chain
 */
export async function replayLedger(context: NodeContext, log: LogClient): Promise<number> {
  const ahead = await chainsAhead(context, log, ownLedger(context));
  if (ahead.size === 0) return 0;
  const topic = ledgerTopic(context.self);
  const before = context.state.chains.ownHead(topic).number;
  const statements = new BlockStatements(context, log);
  let batch: Recorded[] = [];
  const apply = async (): Promise<void> => {
    const some = batch;
    batch = [];
    // looked for before the commit, for the topic answers later
    for (const one of some) await statements.find(one.statement.value);
    context.state.db.transaction(() => {
      for (const one of some) applyRecord(context, one, statements);
    });
  };
  await log.scan(topic, 0, 0n, async ({ value }) => {
    const one = readRecord(context, value);
    if (!one || one.statement.value.number <= before) return;
    batch.push(one);
    if (batch.length >= BATCH) await apply();
  });
  await apply();
  return context.state.chains.ownHead(topic).number - before;
}

/** A stranger's bytes on our topic are none of ours. */
function readRecord({ codec, keys, self }: NodeContext, value: Uint8Array): Recorded | undefined {
  const record = codec.decode('LedgerRecord', value);
  if (!record.ok) return undefined;
  const { statement: bytes, body } = record.value;
  const statement = verifyStatement(codec, keys, 'LedgerStatement', bytes, { signer: self });
  return statement.ok ? { statement: statement.value, body, record: value } : undefined;
}

function applyRecord(context: NodeContext, one: Recorded, statements: BlockStatements): void {
  const { state, self } = context;
  const topic = ledgerTopic(self);
  const { value, hash } = one.statement;
  const head = state.chains.ownHead(topic);
  const { epoch, number, kind, block } = value;
  // sent twice, byte for byte
  if (number <= head.number) return;
  if (number !== head.number + 1 || !equalBytes(value.previous, head.hash)) {
    const came = `number ${String(number)}`;
    throw lost(`${topic}: expected number ${String(head.number + 1)} of one chain, came ${came}`);
  }
  state.chains.advanceOwn(topic, head, { epoch, number, hash });
  const recipient = applyBody(context, one, statements);
  const row = { number, chainNumber: value.blockNumber, kind, hash, record: one.record };
  // the broker has it: no outbox row stands for it
  state.ledger.add({ ...row, recipient, seq: 0 }, block, value.timeMs);
}

/** @returns the recipient of a key release */
function applyBody(
  context: NodeContext,
  { statement: { value }, body }: Recorded,
  statements: BlockStatements,
): string {
  const { codec, state } = context;
  const read = readLedgerBody(codec, value, body);
  if (!read.ok) throw foreignBody(value);
  if (read.value.kind === 'PUBLICATION') {
    addPublication(context, value, read.value.rows, statements);
    return '';
  }
  const { slots } = read.value;
  if (value.kind === 'RELEASE') {
    if (!('kind' in slots) || slots.recipient === '') throw foreignBody(value);
    const before = releasesOfBlock(context, value.block, slots.recipient).map(({ leaf }) => leaf);
    const isNew = slots.leaves.filter(({ leaf }) => !before.includes(leaf));
    state.ledger.countReleased(slots.recipient, isNew.length);
    return slots.recipient;
  }
  addSeals(context, value, slots);
  return '';
}

/** Tombstones of what was sealed, or the blocked covers; its headers are kept for an order whose answer was lost. */
function addSeals(context: NodeContext, value: LedgerStatement, slots: Slots): void {
  const { state, self } = context;
  const ids = idsOfBlock(context, value.block);
  for (const [orderId, leaves] of grouped(sealedLeaves(slots), (one) => one.orderId)) {
    const [first] = leaves;
    const sealed = leaves.flatMap(({ leaf }) => ids[leaf] ?? []);
    if (first && (first.recipient !== '' || first.sections.length > 0)) {
      const { recipient, sections } = first;
      state.covers.block(sealed, { orderId, recipient, sections, ledgerNumber: value.number });
      continue;
    }
    for (const id of sealed) {
      const row = context.data.find(self, id);
      if (row) state.sealedHeaders.keep(id, row.header);
    }
    withdraw(state, self, sealed, 'PURGED');
    const events = sealed.map((id) => ({ origin: self, id }));
    state.tombstones.bury(events, { orderId, atMs: value.timeMs, ledgerNumber: value.number });
  }
}

function addPublication(
  context: NodeContext,
  ledger: LedgerStatement,
  rows: PublicationTable['rows'],
  statements: BlockStatements,
): void {
  const { state, self } = context;
  const { block, treeSize } = ledger;
  const chain = `${eventsTopic(self)}/${String(block.lane)}`;
  const leafHashes = rows.map(({ headerHash }) => headerHash);
  const statement = signedAgain(context, ledger, leafHashes) ?? statements.of(block.hash);
  if (!statement) {
    const where = `${chain} number ${String(block.number)}`;
    throw lost(
      `${where}: expected the block's statement on its topic, or the key ${ledger.keyId} that signed it; start once with that key`,
    );
  }
  const head = state.chains.ownHead(chain);
  const { lane, epoch, number, hash } = block;
  state.chains.advanceOwn(chain, head, { epoch, number, hash });
  state.own.addBlock({ lane, epoch, number, hash, treeSize, statement, leafHashes });
  state.own.addEvents(block, rows);
  dropForeignRows(context, rows);
}

/**
 * The block's statement, made from the ledger's record once more: the same signer signs the same bytes, and the hash that
 * the ledger names tells that they are the same. So a topic that keeps its blocks for days only is not needed.
 */
function signedAgain(
  { state, codec, signer, self }: NodeContext,
  ledger: LedgerStatement,
  leafHashes: readonly Hash[],
): Uint8Array | undefined {
  const { suite, federation, origin, keyId, timeMs, treeSize, block } = ledger;
  if (keyId !== signer.keyId) return undefined;
  const head = state.chains.ownHead(`${eventsTopic(self)}/${String(block.lane)}`);
  const signed = signStatement(codec, signer, 'BlockStatement', {
    ...{ suite, federation, origin, keyId, lane: block.lane },
    ...nextLink(head),
    ...{ timeMs, treeSize, root: merkleRoot(leafHashes) },
  });
  return equalBytes(signed.hash, block.hash) ? signed.bytes : undefined;
}

/** A row that came from a backup while nobody knew what was published: only the published header is ours. */
function dropForeignRows({ data, vault, self }: NodeContext, rows: PublicationTable['rows']): void {
  const foreign = rows.filter(({ id, headerHash }) => {
    const row = data.find(self, id);
    return row !== undefined && !equalBytes(leafHash(row.header), headerHash);
  });
  if (foreign.length === 0) return;
  const events = foreign.map(({ id }) => ({ origin: self, id }));
  vault.delete(events);
  data.delete(events);
}

function foreignBody({ number }: LedgerStatement): ConcordatError {
  return lost(`ledger number ${String(number)}: expected the body that its statement signs`);
}

function lost(text: string): ConcordatError {
  return new ConcordatError('STATE_LOST', text);
}
