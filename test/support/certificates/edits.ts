import type { EventId, Hash } from '@concordat/common/domain/ids.js';
import type {
  Certificate,
  CertifiedBlock,
  CertifiedHolder,
  ChainLink,
  LedgerStatement,
  Receipt,
} from '@concordat/common/domain/records.js';
import { statementHash, verifyStatement } from '@concordat/common/domain/statement.js';
import { type Story, answeredHolders, certified, resealed, tellStory } from '../certificate.js';
import { codec } from '../federation.js';
import { TestHolder } from '../holder.js';
import { TestLedger, type TestSeal, officerOrder, orderId, signAs } from '../ledger.js';
import { eventId } from '../origin.js';
import { FR, UN, federation } from './told.js';

/** A true certificate, and another one about other events: forgers cut and paste. */
export const story = tellStory(federation);
export const other = tellStory(federation, 2);
/** The third of the ordered events, in a block of its own. */
export const E = eventId(15);

/** What a forger made: a certificate that the origin would sign whatever it says, or a file's text. */
export type Forged = readonly [what: string, made: () => Certificate | string, why: RegExp];

export function change(part: Partial<Certificate>): Certificate {
  return { ...story.certificate, ...part };
}

export function inBlock(at: number, edit: (block: CertifiedBlock) => CertifiedBlock): Certificate {
  const { blocks } = story.certificate;
  return change({ blocks: blocks.map((block, index) => (index === at ? edit(block) : block)) });
}

export function inChain(edit: (chain: readonly ChainLink[]) => readonly ChainLink[]): Certificate {
  return inBlock(0, (block) => ({ ...block, chain: edit(block.chain) }));
}

export function inLink(at: number, edit: (link: ChainLink) => ChainLink): Certificate {
  return inChain((chain) => chain.map((link, index) => (index === at ? edit(link) : link)));
}

export function inHolder(
  recipient: string,
  edit: (holder: CertifiedHolder) => CertifiedHolder,
): Certificate {
  const holders = story.certificate.holders.map((holder) =>
    holder.recipient === recipient ? edit(holder) : holder,
  );
  return change({ holders });
}

export function holderOf(recipient: string, of: Story = story): CertifiedHolder {
  const holder = of.certificate.holders.find((one) => one.recipient === recipient);
  if (!holder) throw new Error(`${recipient} is no holder`);
  return holder;
}

export function swap<T>(list: readonly T[]): readonly T[] {
  return [...list].reverse();
}

/** A ledger record that the node signs again with something else in it. */
export function relinked(link: ChainLink, edit: Partial<LedgerStatement>): ChainLink {
  const read = verifyStatement(codec, federation.keys, 'LedgerStatement', link.statement, {
    signer: UN,
  });
  if (!read.ok) throw read.error;
  const value = { ...read.value.value, ...edit };
  const by = { member: UN, role: 'node' } as const;
  return { ...link, statement: signAs(federation, by, 'LedgerStatement', value).bytes };
}

/** fr's receipt for its own entry, but changed. */
export function receiptOfFr(edit: Partial<Receipt>): Certificate {
  return inHolder('fr', (holder) => {
    const fr = new TestHolder(federation, FR);
    const [entry = new Uint8Array()] = holder.entries;
    const { bytes } = fr.next(fr.readEntry(entry), { change: edit });
    return { ...holder, receipts: [bytes] };
  });
}

/** The whole file as it would be had the seal record said something else. */
export function withSeal(edit: Parameters<typeof resealed>[2]): Certificate {
  const seal = resealed(federation, story.seal, edit);
  return change({ sealRecord: seal.bytes, holders: answeredHolders(federation, seal) });
}

export function sealOf(bytes: Uint8Array): Story['seal'] {
  const seal = verifyStatement(codec, federation.keys, 'SealRecord', bytes, { signer: UN });
  if (!seal.ok) throw seal.error;
  return seal.value;
}

export function sealedAgain(bytes: Uint8Array, edit: Parameters<typeof resealed>[2]): Uint8Array {
  return resealed(federation, sealOf(bytes), edit).bytes;
}

export function hashOf(statement: Uint8Array): Hash {
  const read = codec.decode('Signed', statement);
  if (!read.ok) throw read.error;
  return statementHash(read.value);
}

export const byRule = { member: UN, role: 'revocation' } as const;
export const [deHolder, frHolder] = [holderOf('de'), holderOf('fr')];

/** Takes back what a forger says of a ledger that it wrote, as if all were in order. */
export function taken(
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
