import { blockRef } from '@concordat/common/domain/block.js';
import { ZERO_HASH, sha256 } from '@concordat/common/domain/bytes.js';
import { type Head, nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { leafHash, merkleRoot } from '@concordat/common/domain/merkle.js';
import type { BlockStatement, PublicationTable } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { eventsTopic } from '@concordat/common/domain/topics.js';
import type { Composed } from '../domain/compose.js';
import type { NewRow } from '../io/data-store.js';
import type { BlockPlace } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { derivationsOf } from './derive.js';
import { appendLedger } from './ledger-writer.js';
import { announce } from './notices.js';

/** What a lane will carry as its next block. */
export interface NewBlock {
  readonly lane: number;
  readonly composed: readonly Composed[];
}

interface LinkedBlock extends NewBlock {
  readonly chain: string;
  readonly head: Head;
}

/**
 * Publish = vault, then data, then state: the last commit publishes. Blocks of several lanes share the commits.
 *
 * @returns where each block stands, in the order of `blocks`
 */
export function publishBlocks(context: NodeContext, blocks: readonly NewBlock[]): BlockPlace[] {
  const { vault, data, state, self } = context;
  const linked = blocks.map((block): LinkedBlock => {
    const chain = `${eventsTopic(self)}/${String(block.lane)}`;
    return { ...block, chain, head: state.chains.ownHead(chain) };
  });
  const all = blocks.flatMap(({ composed }) => composed);
  vault.put(
    all.map(({ id, keys, subjects, header }) => ({
      ...{ origin: self, id, keys, subjects },
      deleteByMs: header.retainUntilMs,
    })),
  );
  data.db.transaction(() => {
    dropLeftovers(context, all);
    for (const { chain, head, composed } of linked) {
      const { epoch, number } = nextLink(head);
      const batch = data.waiting.open({ origin: self, chain, epoch, number });
      data.insert(self, 'published', batch, composed.map(newRow));
      data.derivations.keep(composed.flatMap(derivationsOf));
    }
  });
  return state.db.transaction(() => linked.map((block) => publishBlock(context, block)));
}

/** Nothing of a failed commit may look published; what cannot be dropped now is dropped at the next start. */
export function dropUnpublished(context: NodeContext, composed: readonly Composed[]): void {
  const { data, vault, state, self, warn } = context;
  try {
    const events = composed
      .filter(({ id }) => !state.own.event(id))
      .map(({ id }) => ({ origin: self, id }));
    vault.delete(events);
    data.delete(events);
  } catch {
    warn('INTERNAL', 'rows of events that were not published stay until the next start');
  }
}

/** What a failed commit left behind: it was never published, and its keys are not these. */
function dropLeftovers({ data, self }: NodeContext, composed: readonly Composed[]): void {
  const left = data.knownAmong(
    self,
    composed.map(({ id }) => id),
  );
  data.delete([...left].map((id) => ({ origin: self, id })));
}

function publishBlock(
  context: NodeContext,
  { lane, chain, head, composed }: LinkedBlock,
): BlockPlace {
  const { state, codec, signer, keys, self, clock } = context;
  const leafHashes = composed.map(({ envelope }) => leafHash(envelope.header));
  const nowMs = clock.nowMs();
  const statement: BlockStatement = {
    suite: SUITE,
    federation: keys.federation,
    origin: self,
    keyId: signer.keyId,
    lane,
    ...nextLink(head),
    timeMs: nowMs,
    treeSize: composed.length,
    root: merkleRoot(leafHashes),
  };
  const signed = signStatement(codec, signer, 'BlockStatement', statement);
  const { epoch, number, treeSize } = statement;
  const place = { lane, epoch, number };
  state.chains.advanceOwn(chain, head, { epoch, number, hash: signed.hash });
  state.own.addBlock({
    ...place,
    hash: signed.hash,
    treeSize,
    statement: signed.bytes,
    leafHashes,
  });
  state.own.addEvents(
    place,
    composed.map(({ header }) => header),
  );
  state.derivations.keep(composed.flatMap(derivationsOf));
  announce(
    state,
    self,
    composed.map(({ id, header }) => ({ id, category: header.category })),
  );
  const value = codec.encode('Block', {
    statement: signed.bytes,
    envelopes: composed.map(({ envelope }) => envelope),
  });
  const headers = cloudEventHeaders({ kind: 'block', source: self, chain, epoch, number });
  const link = { epoch, number, atMs: nowMs };
  state.chains.enqueueKept(eventsTopic(self), lane, { value, headers }, link);
  const table: PublicationTable = {
    rows: composed.map(({ id, header }, leaf) => ({
      id,
      headerHash: leafHashes[leaf] ?? ZERO_HASH,
      category: header.category,
      retainUntilMs: header.retainUntilMs,
      supersedes: header.supersedes,
    })),
  };
  const body = codec.encode('PublicationTable', table);
  const block = blockRef({ value: statement, hash: signed.hash });
  appendLedger(context, { block, kind: 'PUBLICATION', treeSize, root: sha256(body), body }, nowMs);
  return place;
}

function newRow({ id, header, envelope }: Composed, place: number): NewRow {
  const { audience } = envelope;
  const { category } = header;
  const body = { category, header: envelope.header, sections: envelope.sections };
  return { id, place, body: { ...body, ...(audience && { audience }) } };
}
