import { describe, expect, test } from '@jest/globals';
import {
  type Story,
  answeredHolders,
  certificateFile,
  certified,
  entriesFor,
  resealed,
  tellStory,
} from '../../../../test/support/certificate.js';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { TestHolder } from '../../../../test/support/holder.js';
import {
  TestLedger,
  type TestSeal,
  officerOrder,
  orderId,
  signAs,
} from '../../../../test/support/ledger.js';
import { eventId } from '../../../../test/support/origin.js';
import { verifyCertificate } from './certificate.js';
import { verifyDsse } from './dsse-json.js';
import type { EventId, Hash } from './ids.js';
import type {
  Certificate,
  CertifiedBlock,
  CertifiedHolder,
  ChainLink,
  LedgerStatement,
  Receipt,
  SlotTable,
} from './records.js';
import { slotRoot } from './slots.js';
import { statementHash, verifyStatement } from './statement.js';

const [UN, DE, FR, NL] = ['un', 'de', 'fr', 'nl'].map(memberOf) as [
  ReturnType<typeof memberOf>,
  ReturnType<typeof memberOf>,
  ReturnType<typeof memberOf>,
  ReturnType<typeof memberOf>,
];
const federation = testFederation([UN, DE, FR, NL]);
const story = tellStory(federation);
const other = tellStory(federation, 2);
const [A, C, E] = [eventId(11), eventId(13), eventId(15)];

/** As a stranger checks a file that the origin's revocation service signed, whatever it says. */
function verify(certificate: Certificate) {
  const file = certificateFile(federation, certificate);
  const signed = verifyDsse(codec, federation.keys, 'Certificate', file);
  if (!signed.ok) throw signed.error;
  return verifyCertificate(codec, federation.keys, signed.value.value);
}

function verdict(certificate: Certificate): string {
  const verified = verify(certificate);
  return verified.ok ? 'valid' : `${verified.error.code}: ${verified.error.message}`;
}

describe('a true certificate', () => {
  test('says who held what, and proves that all of them answered', () => {
    const verified = verify(story.certificate);
    if (!verified.ok) throw verified.error;
    const { origin, holders, order } = verified.value;
    expect(origin).toBe(UN);
    expect(order.value.ids).toEqual([E, A, C]);
    const held = new Map(holders.map(({ recipient, ids }) => [recipient, [...ids].sort()]));
    expect(held).toEqual(
      new Map([
        [DE, [A, C, E]],
        [FR, [A]],
      ]),
    );
  });

  test('opens the slots of ordered events only', () => {
    const [first] = story.certificate.blocks;
    const opened = first?.chain.map((link) => link.opened.length);
    // publication, key for de, key for nl, the order before, key for fr, seal
    expect(opened).toEqual([0, 2, 2, 2, 2, 2]);
    const text = Buffer.from(codec.encode('Certificate', story.certificate)).toString('latin1');
    const hidden = Buffer.from(eventId(12).replaceAll('-', ''), 'hex').toString('latin1');
    expect(text).not.toContain(hidden);
  });
});

function change(part: Partial<Certificate>): Certificate {
  return { ...story.certificate, ...part };
}

function inBlock(at: number, edit: (block: CertifiedBlock) => CertifiedBlock): Certificate {
  const { blocks } = story.certificate;
  return change({ blocks: blocks.map((block, index) => (index === at ? edit(block) : block)) });
}

function inChain(edit: (chain: readonly ChainLink[]) => readonly ChainLink[]): Certificate {
  return inBlock(0, (block) => ({ ...block, chain: edit(block.chain) }));
}

function inLink(at: number, edit: (link: ChainLink) => ChainLink): Certificate {
  return inChain((chain) => chain.map((link, index) => (index === at ? edit(link) : link)));
}

function inHolder(
  recipient: string,
  edit: (holder: CertifiedHolder) => CertifiedHolder,
): Certificate {
  const holders = story.certificate.holders.map((holder) =>
    holder.recipient === recipient ? edit(holder) : holder,
  );
  return change({ holders });
}

function holderOf(recipient: string, of: Story = story): CertifiedHolder {
  const holder = of.certificate.holders.find((one) => one.recipient === recipient);
  if (!holder) throw new Error(`${recipient} is no holder`);
  return holder;
}

function swap<T>(list: readonly T[]): readonly T[] {
  return [...list].reverse();
}

/** A ledger record that the node signs again with something else in it. */
function relinked(link: ChainLink, edit: Partial<LedgerStatement>): ChainLink {
  const read = verifyStatement(codec, federation.keys, 'LedgerStatement', link.statement, {
    signer: UN,
  });
  if (!read.ok) throw read.error;
  const value = { ...read.value.value, ...edit };
  const by = { member: UN, role: 'node' } as const;
  return { ...link, statement: signAs(federation, by, 'LedgerStatement', value).bytes };
}

/** fr's receipt for its own entry, but changed. */
function receiptOfFr(edit: Partial<Receipt>): Certificate {
  return inHolder('fr', (holder) => {
    const fr = new TestHolder(federation, FR);
    const [entry = new Uint8Array()] = holder.entries;
    const { bytes } = fr.next(fr.readEntry(entry), { change: edit });
    return { ...holder, receipts: [bytes] };
  });
}

/** The whole file as it would be had the seal record said something else. */
function withSeal(edit: Parameters<typeof resealed>[2]): Certificate {
  const seal = resealed(federation, story.seal, edit);
  return change({ sealRecord: seal.bytes, holders: answeredHolders(federation, seal) });
}

function sealOf(bytes: Uint8Array): Story['seal'] {
  const seal = verifyStatement(codec, federation.keys, 'SealRecord', bytes, { signer: UN });
  if (!seal.ok) throw seal.error;
  return seal.value;
}

function sealedAgain(bytes: Uint8Array, edit: Parameters<typeof resealed>[2]): Uint8Array {
  return resealed(federation, sealOf(bytes), edit).bytes;
}

function hashOf(statement: Uint8Array): Hash {
  const read = codec.decode('Signed', statement);
  if (!read.ok) throw read.error;
  return statementHash(read.value);
}

const byRule = { member: UN, role: 'revocation' } as const;
const [deHolder, frHolder] = [holderOf('de'), holderOf('fr')];

describe('a certificate, signed by a dishonest origin, is refused', () => {
  test.each<[what: string, certificate: () => Certificate, why: RegExp]>([
    // the order
    ['with another order', () => change({ order: other.order }), /seal record: of another order/],
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
      /seal record: of another order/,
    ],
    [
      "with an officer's order signed by the rule key",
      () =>
        change({
          order: officerOrder(federation, { orderId: orderId(101), ids: [E, A, C] }, byRule),
        }),
      /order: role revocation may not order/,
    ],
    [
      "with a rule's order signed by an officer",
      () =>
        change({
          order: officerOrder(federation, { orderId: orderId(101), ids: [A], reason: 'retention' }),
        }),
      /order: role purge-officer may not order/,
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
      /PurgeOrder: SENDER_NOT_TOPIC_OWNER/,
    ],
    [
      'with an order of nothing',
      () => change({ order: officerOrder(federation, { orderId: orderId(101), ids: [] }) }),
      /order: covers nothing/,
    ],
    [
      'with an order of one event twice',
      () => change({ order: officerOrder(federation, { orderId: orderId(101), ids: [A, A] }) }),
      /order: an id stands twice/,
    ],
    // the seal record
    [
      'with the seal record of another order',
      () => change({ sealRecord: other.certificate.sealRecord }),
      /seal record: of another order/,
    ],
    [
      'whose seal record covers less',
      () => withSeal({ ids: [A, C] }),
      /seal record: covers other events/,
    ],
    [
      'whose seal record leaves a holder out',
      () => withSeal({ holders: story.seal.value.holders.slice(0, 1) }),
      /seal record: other holders than the ledger/,
    ],
    [
      'whose seal record leaves an event of a holder out',
      () => {
        const [de, ...rest] = story.seal.value.holders;
        return withSeal({ holders: [{ recipient: DE, ids: de?.ids.slice(1) ?? [] }, ...rest] });
      },
      /seal record: other holders than the ledger/,
    ],
    [
      'whose seal record names a holder that the ledger does not',
      () => withSeal({ holders: [...story.seal.value.holders, { recipient: NL, ids: [A] }] }),
      /seal record: other holders than the ledger/,
    ],
    [
      'whose seal record names one holder twice and another not at all',
      () => {
        const [de] = story.seal.value.holders;
        return withSeal({ holders: de ? [de, de] : [] });
      },
      /seal record: a holder stands twice/,
    ],
    [
      'whose seal record names another seal',
      () =>
        withSeal({
          seals: story.seal.value.seals.map((seal) => ({ ...seal, ledgerNumber: 99 })),
        }),
      /chain: the seal record names another seal/,
    ],
    [
      'whose seal record names one seal more',
      () =>
        withSeal({
          seals: [...story.seal.value.seals, { ledgerNumber: 99, statementHash: story.seal.hash }],
        }),
      /seal record: names other seals/,
    ],
    // blocks and leaves
    [
      'without one of its blocks',
      () => change({ blocks: story.certificate.blocks.slice(1) }),
      /blocks: not exactly the ordered events/,
    ],
    [
      'with a block twice',
      () => change({ blocks: [...story.certificate.blocks, ...story.certificate.blocks] }),
      /a block stands twice/,
    ],
    [
      'with the block of another order',
      () => change({ blocks: [...story.certificate.blocks, ...other.certificate.blocks] }),
      /blocks: not exactly the ordered events|the seal record names another seal|another order/,
    ],
    [
      'without a leaf',
      () => inBlock(0, (block) => ({ ...block, leaves: block.leaves.slice(1) })),
      /chain: not exactly the ordered slots/,
    ],
    [
      'without any leaf',
      () => inBlock(0, (block) => ({ ...block, leaves: [] })),
      /block: without an ordered event/,
    ],
    [
      'with its leaves in another order than their slots',
      () => inBlock(0, (block) => ({ ...block, leaves: swap(block.leaves) })),
      /slot: CHAIN_BROKEN/,
    ],
    [
      'with a leaf twice',
      () => inBlock(0, (block) => ({ ...block, leaves: [...block.leaves, ...block.leaves] })),
      /header: not in the signed block/,
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
      /header: not in the signed block/,
    ],
    [
      'with the statement of another block',
      () =>
        inBlock(0, (block) => ({
          ...block,
          statement: story.certificate.blocks[1]?.statement ?? new Uint8Array(),
        })),
      /header: not in the signed block/,
    ],
    // the ledger chain
    [
      'without the record of a key release',
      () => inChain((chain) => chain.filter((_, index) => index !== 1)),
      /chain: a record is missing/,
    ],
    [
      'without the publication',
      () => inChain((chain) => chain.slice(1)),
      /chain: a record is missing/,
    ],
    [
      'without the seal',
      () => inChain((chain) => chain.slice(0, -1)),
      /chain: ends before the seal/,
    ],
    ['without a chain', () => inChain(() => []), /chain: ends before the seal/],
    [
      'with a record after the seal',
      () => inChain((chain) => [...chain, ...chain.slice(-1)]),
      /chain: goes on after the seal/,
    ],
    ['with its chain in another order', () => inChain(swap), /chain: a record is missing/],
    [
      'with a record of another block',
      () => inLink(1, (link) => story.certificate.blocks[1]?.chain[1] ?? link),
      /chain: a record of another block/,
    ],
    [
      'with a record signed again without its predecessor',
      () => inLink(1, (link) => relinked(link, { blockPrevious: new Uint8Array(32) as Hash })),
      /chain: a record does not follow/,
    ],
    [
      'with a record that claims a smaller block',
      () => inLink(1, (link) => relinked(link, { treeSize: 3 })),
      /chain: another tree size/,
    ],
    [
      'with a second publication in its chain',
      () => inLink(1, (link) => relinked(link, { kind: 'PUBLICATION' })),
      /chain: begins with the publication/,
    ],
    [
      'with a release turned into a seal',
      () => inLink(1, (link) => relinked(link, { kind: 'SEAL' })),
      /slot: CHAIN_BROKEN/,
    ],
    [
      'with a slot of the publication',
      () => inLink(0, (link) => ({ ...link, opened: [{ slot: new Uint8Array(), path: [] }] })),
      /chain: a publication has no slots/,
    ],
    [
      'with a slot left closed',
      () => inLink(1, (link) => ({ ...link, opened: link.opened.slice(1) })),
      /chain: not exactly the ordered slots/,
    ],
    [
      'with slots swapped',
      () => inLink(1, (link) => ({ ...link, opened: swap(link.opened) })),
      /slot: CHAIN_BROKEN/,
    ],
    [
      'with the empty slots of another record',
      () =>
        inChain((chain) =>
          chain.map((link, at) => (at === 1 ? { ...link, opened: chain[2]?.opened ?? [] } : link)),
        ),
      /slot: CHAIN_BROKEN/,
    ],
    // the holders
    [
      'without a holder',
      () => change({ holders: [deHolder] }),
      /holders: not exactly those in the ledger/,
    ],
    [
      'with a holder twice',
      () => change({ holders: [deHolder, deHolder] }),
      /a holder stands twice/,
    ],
    [
      'with another holder in the place of one',
      () => change({ holders: [deHolder, { ...frHolder, recipient: NL }] }),
      /holders: not exactly those in the ledger/,
    ],
    [
      'without an entry and its receipt',
      () =>
        inHolder('de', ({ entries, receipts, ...rest }) => ({
          ...rest,
          entries: entries.slice(1),
          receipts: receipts.slice(1),
        })),
      /de: an entry is missing/,
    ],
    [
      'without the last entry and its receipt',
      () =>
        inHolder('de', ({ entries, receipts, ...rest }) => ({
          ...rest,
          entries: entries.slice(0, -1),
          receipts: receipts.slice(0, -1),
        })),
      /de: an entry is missing/,
    ],
    [
      'without any entry',
      () => inHolder('fr', (holder) => ({ ...holder, entries: [], receipts: [] })),
      /fr: entries leave events out/,
    ],
    [
      'with an entry replayed',
      () =>
        inHolder('fr', ({ entries, receipts, ...rest }) => ({
          ...rest,
          entries: [...entries, ...entries],
          receipts: [...receipts, ...receipts],
        })),
      /fr: an entry is missing/,
    ],
    [
      'with an entry for another member',
      () => inHolder('fr', (holder) => ({ ...holder, entries: deHolder.entries.slice(1) })),
      /fr: an entry for another member/,
    ],
    [
      "with another order's entry",
      () => inHolder('fr', () => holderOf('fr', other)),
      /fr: another order's entry/,
    ],
    [
      'with an entry under another seal record',
      () =>
        inHolder('fr', (holder) => {
          const entries = entriesFor(
            federation,
            story.seal,
            { recipient: FR, ids: [A] },
            { sealRecordHash: other.seal.hash },
          );
          const fr = new TestHolder(federation, FR);
          return { ...holder, entries, receipts: entries.map((entry) => fr.answer(entry)) };
        }),
      /fr: an entry names another seal record/,
    ],
    [
      'with an entry about other events',
      () =>
        inHolder('fr', (holder) => {
          const entries = entriesFor(federation, story.seal, { recipient: FR, ids: [C] });
          const fr = new TestHolder(federation, FR);
          return { ...holder, entries, receipts: entries.map((entry) => fr.answer(entry)) };
        }),
      /fr: entries leave events out/,
    ],
    // the receipts
    [
      'without a receipt',
      () => inHolder('fr', (holder) => ({ ...holder, receipts: [] })),
      /fr: a receipt is missing/,
    ],
    [
      'with receipts swapped',
      () => inHolder('de', (holder) => ({ ...holder, receipts: swap(holder.receipts) })),
      /de: a receipt for another entry/,
    ],
    [
      'with the receipt of another holder',
      () => inHolder('fr', (holder) => ({ ...holder, receipts: deHolder.receipts.slice(1) })),
      /fr: receipt: SENDER_NOT_TOPIC_OWNER/,
    ],
    [
      'with the receipt for another order',
      () => inHolder('fr', (holder) => ({ ...holder, receipts: holderOf('fr', other).receipts })),
      /fr: a receipt for another entry/,
    ],
    [
      'with a receipt that names another order',
      () => receiptOfFr({ orderId: other.seal.value.orderId }),
      /fr: a receipt for another entry/,
    ],
    [
      'with a receipt that names another entry',
      () => receiptOfFr({ entryNumber: 2 }),
      /fr: a receipt for another entry/,
    ],
    [
      'with a receipt for other contents of its entry',
      () => receiptOfFr({ entryHash: other.seal.hash }),
      /fr: a receipt for another entry/,
    ],
    [
      'with a receipt to another origin',
      () => receiptOfFr({ origin: NL }),
      /fr: a receipt for another entry/,
    ],
    [
      'with a receipt that leaves an event out',
      () => receiptOfFr({ outcomes: [] }),
      /fr: a receipt leaves events out/,
    ],
    [
      'with a receipt whose stage is not its outcomes',
      () => receiptOfFr({ stage: 'NOT_HELD' }),
      /fr: a receipt's stage is not its outcomes/,
    ],
    [
      'with a receipt that the origin signed itself',
      () =>
        inHolder('fr', (holder) => {
          const fr = new TestHolder(federation, FR);
          const { value } = fr.next(fr.readEntry(holder.entries[0] ?? new Uint8Array()));
          const by = { member: UN, role: 'node' } as const;
          return { ...holder, receipts: [signAs(federation, by, 'Receipt', value).bytes] };
        }),
      /fr: receipt: SENDER_NOT_TOPIC_OWNER/,
    ],
  ])('%s', (_what, certificate, why) => {
    expect(verdict(certificate())).toMatch(why);
    expect(verdict(certificate())).toMatch(/^CERTIFICATE_INVALID: /);
  });

  /** Takes back what a test says of a ledger that it wrote, as if all were in order. */
  function taken(
    ids: readonly EventId[],
    write: (ledger: TestLedger) => void,
    lie: (answer: TestSeal, records: Uint8Array[]) => TestSeal = (answer) => answer,
  ): Certificate {
    const records: Uint8Array[] = [];
    const ledger = new TestLedger(federation, UN, (record) => records.push(record));
    write(ledger);
    const order = officerOrder(federation, { orderId: orderId(300), ids });
    const answer = lie(ledger.seal(order, { isHonest: false }), records);
    return certified(federation, records, order, answer).certificate;
  }

  test('about an event that another order had sealed before', () => {
    const certificate = taken([A], (ledger) => {
      ledger.publish({ id: A }, { id: C });
      ledger.seal(officerOrder(federation, { orderId: orderId(301), ids: [A] }));
    });
    expect(verdict(certificate)).toMatch(/slot: sealed by another order/);
  });

  test('about an event whose header names another origin', () => {
    const certificate = taken([A], (ledger) => ledger.publish({ id: A, origin: DE }));
    expect(verdict(certificate)).toMatch(/header: names another origin/);
  });

  test('when a seal leaves an ordered event of its block out', () => {
    const certificate = taken(
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
    expect(verdict(certificate)).toMatch(/chain: an ordered event is not sealed/);
  });

  test('when one ordered event, published twice, stands for another', () => {
    const certificate = taken(
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
    expect(verdict(certificate)).toMatch(/blocks: an event stands twice/);
  });

  test('whole, about the blocks, seals and holders of another order', () => {
    expect(verdict({ ...other.certificate, order: story.order })).toMatch(/^CERTIFICATE_INVALID/);
    const { holders } = other.certificate;
    expect(verdict(change({ holders }))).toMatch(/^CERTIFICATE_INVALID/);
  });
});
