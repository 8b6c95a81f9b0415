import { sha256 } from '@concordat/common/domain/bytes.js';
import type { Hash } from '@concordat/common/domain/ids.js';
import type {
  Certificate,
  OrderCause,
  PurgeOrder,
  SlotTable,
} from '@concordat/common/domain/records.js';
import { slotRoot } from '@concordat/common/domain/slots.js';
import { codec } from '../federation.js';
import { certified } from '../certificate.js';
import { TestLedger, officerApproval, officerOrder, orderId } from '../ledger.js';
import {
  E,
  type Forged,
  byRule,
  change,
  hashOf,
  inBlock,
  inChain,
  inLink,
  other,
  relinked,
  sealOf,
  sealedAgain,
  story,
  swap,
  taken,
  withSeal,
} from './edits.js';
import { A, C, DE, NL, FR, UN, approvalOf, federation, tell } from './told.js';

/** Forgeries of the order, its approvals, the seal record and the ledger chains. */
export const FORGED_LEDGERS: readonly Forged[] = [
  // the order
  [
    'with another order',
    () => change({ order: other.order }),
    /: SR2: seal record: of another order/,
  ],
  [
    'with an order of the same id and another reason',
    () =>
      change({
        order: officerOrder(federation, {
          orderId: story.seal.value.orderId,
          ids: [E, A, C],
          reason: 'error',
        }),
      }),
    /: SR2: seal record: of another order/,
  ],
  [
    "with an officer's order signed by the rule key",
    () =>
      change({
        order: officerOrder(federation, { orderId: orderId(101), ids: [E, A, C] }, byRule),
      }),
    /: O2: order: role revocation may not order/,
  ],
  [
    "with a rule's order signed by an officer",
    () =>
      change({
        order: officerOrder(federation, { orderId: orderId(101), ids: [A], reason: 'retention' }),
      }),
    /: O2: order: role purge-officer may not order/,
  ],
  [
    'with an order of another member',
    () =>
      change({
        order: officerOrder(
          federation,
          { orderId: orderId(101), ids: [E, A, C] },
          { member: DE, role: 'purge-officer' },
        ),
      }),
    /: O1: PurgeOrder: SENDER_NOT_TOPIC_OWNER/,
  ],
  [
    'with an order of nothing',
    () => change({ order: officerOrder(federation, { orderId: orderId(101), ids: [] }) }),
    /: O3: order: covers nothing/,
  ],
  [
    'with an order of one event twice',
    () => change({ order: officerOrder(federation, { orderId: orderId(101), ids: [A, A] }) }),
    /: O3: order: an id stands twice/,
  ],
  // the seal record
  [
    'with the seal record of another order',
    () => change({ sealRecord: other.certificate.sealRecord }),
    /: SR2: seal record: of another order/,
  ],
  [
    'whose seal record covers less',
    () => withSeal({ ids: [A, C] }),
    /: SR3: seal record: covers other events/,
  ],
  [
    'whose seal record leaves a holder out',
    () => withSeal({ holders: story.seal.value.holders.slice(0, 1) }),
    /: H1: seal record: other holders than the ledger/,
  ],
  [
    'whose seal record leaves an event of a holder out',
    () => {
      const [de, ...rest] = story.seal.value.holders;
      return withSeal({ holders: [{ recipient: DE, ids: de?.ids.slice(1) ?? [] }, ...rest] });
    },
    /: H1: seal record: other holders than the ledger/,
  ],
  [
    'whose seal record names a holder that the ledger does not',
    () => withSeal({ holders: [...story.seal.value.holders, { recipient: NL, ids: [A] }] }),
    /: H1: seal record: other holders than the ledger/,
  ],
  [
    'whose seal record names one holder twice and another not at all',
    () => {
      const [de] = story.seal.value.holders;
      return withSeal({ holders: de ? [de, de] : [] });
    },
    /: H1: seal record: a holder stands twice/,
  ],
  [
    'whose seal record names another seal',
    () =>
      withSeal({
        seals: story.seal.value.seals.map((seal) => ({ ...seal, ledgerNumber: 99 })),
      }),
    /: C11: chain: the seal record names another seal/,
  ],
  [
    'whose seal record names a seal of the same number and another hash',
    () =>
      withSeal({
        seals: story.seal.value.seals.map((seal) => ({ ...seal, statementHash: story.seal.hash })),
      }),
    /: C11: chain: the seal record names another seal/,
  ],
  [
    'whose seal record names one seal more',
    () =>
      withSeal({
        seals: [...story.seal.value.seals, { ledgerNumber: 99, statementHash: story.seal.hash }],
      }),
    /: B7: seal record: names other seals/,
  ],
  // blocks and leaves
  [
    'without one of its blocks',
    () => change({ blocks: story.certificate.blocks.slice(1) }),
    /: B6: blocks: not exactly the ordered events/,
  ],
  [
    'with its order in the place of a block',
    () => inBlock(0, (block) => ({ ...block, statement: story.certificate.order })),
    /: B1: BlockStatement: /,
  ],
  [
    'with its order in the place of a ledger record',
    () => inLink(1, (link) => ({ ...link, statement: story.certificate.order })),
    /: C1: LedgerStatement: /,
  ],
  [
    'with a header that is none',
    () =>
      inBlock(0, (block) => ({
        ...block,
        leaves: block.leaves.map((leaf) => ({ ...leaf, header: leaf.header.subarray(1) })),
      })),
    /: B2: header: /,
  ],
  [
    'with a block twice',
    () => change({ blocks: [...story.certificate.blocks, ...story.certificate.blocks] }),
    /: B6: a block stands twice/,
  ],
  [
    'with the block of another order',
    () => change({ blocks: [...story.certificate.blocks, ...other.certificate.blocks] }),
    /: C10: slot: sealed by another order/,
  ],
  [
    'without a leaf',
    () => inBlock(0, (block) => ({ ...block, leaves: block.leaves.slice(1) })),
    /: C7: chain: not exactly the ordered slots/,
  ],
  [
    'without any leaf',
    () => inBlock(0, (block) => ({ ...block, leaves: [] })),
    /: B5: block: without an ordered event/,
  ],
  [
    'with its leaves in another order than their slots',
    () => inBlock(0, (block) => ({ ...block, leaves: swap(block.leaves) })),
    /: C8: slot: CHAIN_BROKEN/,
  ],
  [
    'with a leaf twice',
    () => inBlock(0, (block) => ({ ...block, leaves: [...block.leaves, ...block.leaves] })),
    /: B4: header: not in the signed block/,
  ],
  [
    'with the header of another event',
    () =>
      inBlock(0, (block) => ({
        ...block,
        leaves: block.leaves.map((leaf) => ({
          ...leaf,
          header: other.certificate.blocks[0]?.leaves[0]?.header ?? new Uint8Array(),
        })),
      })),
    /: B4: header: not in the signed block/,
  ],
  [
    'with the statement of another block',
    () =>
      inBlock(0, (block) => ({
        ...block,
        statement: story.certificate.blocks[1]?.statement ?? new Uint8Array(),
      })),
    /: B4: header: not in the signed block/,
  ],
  // the ledger chain
  [
    'without the record of a key release',
    () => inChain((chain) => chain.filter((_, index) => index !== 1)),
    /: C3: chain: a record is missing/,
  ],
  [
    'without the publication',
    () => inChain((chain) => chain.slice(1)),
    /: C3: chain: a record is missing/,
  ],
  [
    'without the seal',
    () => inChain((chain) => chain.slice(0, -1)),
    /: C12: chain: ends before the seal/,
  ],
  ['without a chain', () => inChain(() => []), /: C12: chain: ends before the seal/],
  [
    'with a record after the seal',
    () => inChain((chain) => [...chain, ...chain.slice(-1)]),
    /: C12: chain: goes on after the seal/,
  ],
  ['with its chain in another order', () => inChain(swap), /: C3: chain: a record is missing/],
  [
    'with a record of another block',
    () => inLink(1, (link) => story.certificate.blocks[1]?.chain[1] ?? link),
    /: C2: chain: a record of another block/,
  ],
  [
    'with a record signed again without its predecessor',
    () => inLink(1, (link) => relinked(link, { blockPrevious: new Uint8Array(32) as Hash })),
    /: C4: chain: a record does not follow/,
  ],
  [
    'with a record that claims a smaller block',
    () => inLink(1, (link) => relinked(link, { treeSize: 3 })),
    /: C5: chain: another tree size/,
  ],
  [
    'with a second publication in its chain',
    () => inLink(1, (link) => relinked(link, { kind: 'PUBLICATION' })),
    /: C6: chain: begins with the publication/,
  ],
  [
    'with a release turned into a seal',
    () => inLink(1, (link) => relinked(link, { kind: 'SEAL' })),
    /: C8: slot: CHAIN_BROKEN/,
  ],
  [
    'with a slot of the publication',
    () => inLink(0, (link) => ({ ...link, opened: [{ slot: new Uint8Array(), path: [] }] })),
    /: C6: chain: a publication has no slots/,
  ],
  [
    'with a slot left closed',
    () => inLink(1, (link) => ({ ...link, opened: link.opened.slice(1) })),
    /: C7: chain: not exactly the ordered slots/,
  ],
  [
    'with slots swapped',
    () => inLink(1, (link) => ({ ...link, opened: swap(link.opened) })),
    /: C8: slot: CHAIN_BROKEN/,
  ],
  [
    'with the empty slots of another record',
    () =>
      inChain((chain) =>
        chain.map((link, at) => (at === 1 ? { ...link, opened: chain[2]?.opened ?? [] } : link)),
      ),
    /: C8: slot: CHAIN_BROKEN/,
  ],
  [
    'about an event that another order had sealed before',
    () =>
      taken([A], (ledger) => {
        ledger.publish({ id: A }, { id: C });
        ledger.seal(officerOrder(federation, { orderId: orderId(301), ids: [A] }));
      }),
    /: C10: slot: sealed by another order/,
  ],
  [
    'about an event whose header names another origin',
    () => taken([A], (ledger) => ledger.publish({ id: A, origin: DE })),
    /: B3: header: names another origin/,
  ],
  [
    'whose seal leaves an ordered event of its block out',
    sealWithoutOne,
    /: C11: chain: an ordered event is not sealed/,
  ],
  [
    'in which one ordered event, published twice, stands for another',
    eventTwice,
    /: B6: blocks: an event stands twice/,
  ],
  [
    'whole, about the blocks, seals and holders of another order',
    () => ({ ...other.certificate, order: story.order }),
    /: SR2: /,
  ],
  // covers and approvals
  [
    'with an order whose reason is another than its cause',
    () =>
      change({
        order: officerOrder(federation, {
          orderId: orderId(101),
          ids: [E, A, C],
          cause: causeOf(DE),
        }),
      }),
    /: O5: /,
  ],
  [
    'with a child order that blames its own origin',
    () =>
      change({
        order: officerOrder(
          federation,
          { orderId: orderId(101), ids: [A], reason: 'parent_purged', cause: causeOf(UN) },
          byRule,
        ),
      }),
    /: O5: /,
  ],
  [
    'with an order that names one recipient twice',
    () =>
      change({
        order: officerOrder(federation, { orderId: orderId(101), ids: [A], recipients: [DE, DE] }),
      }),
    /: O4: /,
  ],
  [
    'whose seal record has a narrower cover than its order',
    () => withSeal({ recipients: [DE] }),
    /: SR4: seal record: another cover/,
  ],
  [
    'whose slots seal everything for an order about one recipient',
    () => narrowly({ recipients: [DE] }, { recipients: [] }),
    /: C11: slot: seals another cover/,
  ],
  [
    'whose slots seal another recipient than its order names',
    () => narrowly({ recipients: [DE] }, { recipients: [NL] }),
    /: C11: slot: seals another cover/,
  ],
  [
    'whose slots seal one section for an order about whole events',
    () => narrowly({}, { sections: ['remarks'] }),
    /: C11: slot: seals another cover/,
  ],
  [
    'that leaves out the seal of the second of two recipients',
    () => {
      const { certificate } = tell({ order: { recipients: [DE, FR] } });
      const blocks = certificate.blocks.map((block) => ({
        ...block,
        chain: block.chain.slice(0, -1),
      }));
      return { ...certificate, blocks };
    },
    /: C12: chain: ends before the seal/,
  ],
  [
    'with a key that left after its recipient was sealed',
    () =>
      tell({
        order: { recipients: [FR] },
        before: (ledger) => {
          ledger.seal(
            officerOrder(federation, { orderId: orderId(501), ids: [A, C], recipients: [DE] }),
          );
          ledger.release(DE, A);
        },
      }).certificate,
    /: C9: slot: released after it was sealed/,
  ],
  [
    'without the approval that its seal record counted',
    () => ({ ...tell({ approvals: (order) => [approvalOf(order)] }).certificate, approvals: [] }),
    /: A1: /,
  ],
  [
    'with an approval that its seal record did not count',
    () => change({ approvals: [approvalOf(story.order).bytes] }),
    /: A1: /,
  ],
  [
    "with another order's approval",
    () => tell({ approvals: () => [approvalOf(other.order)] }).certificate,
    /: A2: approval: of another order/,
  ],
  [
    'with the approval of who signed the order',
    () => tell({ approvals: (order) => [approvalOf(order, { officer: 1 })] }).certificate,
    /: A3: approval: by a person who signed already/,
  ],
  [
    'with the approval of who signed the order, by another key',
    () => tell({ approvals: (order) => [approvalOf(order, { officer: 3 })] }).certificate,
    /: A3: approval: by a person who signed already/,
  ],
  [
    'with one approval counted twice',
    () => tell({ approvals: (order) => [approvalOf(order), approvalOf(order)] }).certificate,
    /: A3: approval: by a person who signed already/,
  ],
  [
    'with an approval by a key of nobody',
    () => tell({ approvals: (order) => [approvalOf(order, { officer: 4 })] }).certificate,
    /: A3: approval: by a key that names no person/,
  ],
  [
    'with an approval by a key of another role',
    () => withApprovalByNode(),
    /: A1: PurgeApproval: KEY_ROLE_WRONG/,
  ],
];

function sealWithoutOne(): Certificate {
  return taken(
    [A, C],
    (ledger) => ledger.publish({ id: A }, { id: C }),
    ({ sealRecord, evidence }, records) => {
      const read = codec.decode('LedgerRecord', records.pop() ?? new Uint8Array());
      if (!read.ok) throw read.error;
      const table: SlotTable = {
        seed: new Uint8Array(32),
        kind: 'SEAL',
        recipient: '',
        orderId: orderId(300),
        leaves: [{ leaf: 0, sections: [] }],
      };
      const link = { statement: read.value.statement, opened: [] };
      const again = relinked(link, { root: slotRoot(codec, table, 2) });
      const body = codec.encode('SlotTable', table);
      records.push(codec.encode('LedgerRecord', { statement: again.statement, body }));
      const statementHash = hashOf(again.statement);
      const seals = [{ ledgerNumber: 2, statementHash }];
      return { sealRecord: sealedAgain(sealRecord, { seals }), evidence };
    },
  );
}

function eventTwice(): Certificate {
  return taken(
    [A, C],
    (ledger) => {
      ledger.publish({ id: A });
      ledger.publish({ id: A });
      ledger.publish({ id: C });
    },
    ({ sealRecord, evidence }) => {
      const proof = codec.decode('SealEvidence', evidence);
      if (!proof.ok) throw proof.error;
      const seals = sealOf(sealRecord).value.seals.slice(0, 2);
      return {
        sealRecord: sealedAgain(sealRecord, { seals }),
        evidence: codec.encode('SealEvidence', { blocks: proof.value.blocks.slice(0, 2) }),
      };
    },
  );
}

function causeOf(origin: OrderCause['origin']): OrderCause {
  return { origin, orderId: orderId(9), entryHash: sha256(new Uint8Array()), parents: [C] };
}

/** An order with one cover whose ledger and seal record were written for another. */
function narrowly(ordered: Partial<PurgeOrder>, written: Partial<PurgeOrder>): Certificate {
  const records: Uint8Array[] = [];
  const ledger = new TestLedger(federation, UN, (record) => records.push(record));
  ledger.publish({ id: A }, { id: C });
  ledger.release(DE, A);
  const place = { orderId: orderId(302), ids: [A] };
  const answer = ledger.seal(officerOrder(federation, { ...place, ...written }));
  const order = officerOrder(federation, { ...place, ...ordered });
  const { recipients = [], sections = [] } = ordered;
  const edit = { orderHash: hashOf(order), recipients, sections };
  const sealRecord = sealedAgain(answer.sealRecord, edit);
  return certified(federation, records, order, { ...answer, sealRecord }).certificate;
}

function withApprovalByNode(): Certificate {
  const bytes = officerApproval(federation, story.order, { role: 'node', officer: 1 });
  return { ...withSeal({ approvals: [hashOf(bytes)] }), approvals: [bytes] };
}
