import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { EMPTY_HEAD, type Head, nextLink } from '@concordat/common/domain/chain.js';
import {
  type EventId,
  type Hash,
  type MemberId,
  asUnixMs,
  parseEventId,
} from '@concordat/common/domain/ids.js';
import { leafHash, merkleRoot } from '@concordat/common/domain/merkle.js';
import type {
  Audience,
  BlockStatement,
  Envelope,
  Header,
  Opening,
} from '@concordat/common/domain/records.js';
import {
  HEADER_VERSION,
  commit,
  keyCommitment,
  sealSection,
} from '@concordat/common/domain/sealing.js';
import { SUITE, type Signer, signStatement } from '@concordat/common/domain/statement.js';
import { bytesOf, codec } from './federation.js';

export const NOW = asUnixMs(1_700_000_000_000);
const DAY_MS = 86_400_000;

/** The `n`-th event id. */
export function eventId(n: number): EventId {
  const id = parseEventId(`018bcfe5-6800-7000-8000-${n.toString(16).padStart(12, '0')}`);
  if (!id.ok) throw new Error(`no event id for ${String(n)}`);
  return id.value;
}

/** What a test says about an event; the rest is usual. */
export interface EventInput {
  readonly id: EventId;
  readonly sections?: Readonly<Record<string, string>>;
  readonly audience?: Audience;
  readonly header?: Partial<
    Pick<
      Header,
      'category' | 'collectedAtMs' | 'retainUntilMs' | 'purposes' | 'legalBasis' | 'supersedes'
    >
  >;
  /** Changes what travels beside the header, after the header was made. */
  readonly travels?: (envelope: Envelope) => Envelope;
}

export const ANYBODY: Audience = { byAgreement: true, members: [] };

export interface SealedEvent {
  readonly header: Header;
  readonly envelope: Envelope;
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

export function sealEvent(origin: MemberId, input: EventInput): SealedEvent {
  const { id, sections = { identity: 'a name', documents: 'a number' } } = input;
  const schemaHash = sha256(utf8('schema'));
  const keys = new Map<string, Uint8Array>();
  const sealed = Object.entries(sections).map(([name, text]) => {
    const place = { origin, id, section: name, schemaHash };
    const key = bytesOf(`key ${id} ${name}`);
    const nonce = bytesOf(`nonce ${id} ${name}`).subarray(0, 12);
    const bytes = sealSection(utf8(text), place, { key, nonce });
    if (!bytes) throw new Error(`section ${name} is too large`);
    keys.set(name, key);
    return { name, sealed: bytes, commitment: keyCommitment(place, key) };
  });
  const opening = (name: string, value: Uint8Array): Opening => ({
    salt: bytesOf(`salt ${id} ${name}`) as Hash,
    value,
  });
  const audience = opening('audience', codec.encode('Audience', input.audience ?? ANYBODY));
  const derivedFrom = opening('derived-from', codec.encode('DerivedFrom', { parents: [] }));
  const header: Header = {
    version: HEADER_VERSION,
    origin,
    id,
    category: 'listing.al-qaida.individual',
    schemaHash,
    collectedAtMs: NOW,
    retainUntilMs: asUnixMs(NOW + 1_000 * DAY_MS),
    purposes: ['screening'],
    legalBasis: 'a resolution',
    handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 1 },
    supersedes: null,
    ...input.header,
    sections: sealed.map(({ name, sealed: bytes, commitment }) => ({
      name,
      ciphertextHash: sha256(bytes),
      keyCommitment: commitment,
    })),
    audience: commit('audience', audience),
    derivedFrom: commit('derived-from', derivedFrom),
  };
  const envelope: Envelope = {
    header: codec.encode('Header', header),
    audience,
    derivedFrom,
    sections: sealed.map(({ name, sealed: bytes }) => ({ name, sealed: bytes })),
  };
  return { header, envelope: input.travels?.(envelope) ?? envelope, keys };
}

export interface SignedBlock {
  readonly value: Uint8Array;
  readonly number: number;
  readonly hash: Hash;
}

/** Makes an origin's blocks, each after the one before of its lane. */
export class TestOrigin {
  readonly member: MemberId;
  readonly #signer: Signer;
  readonly #federation: string;
  readonly #heads = new Map<number, Head>();

  constructor(member: MemberId, signer: Signer, federation = 'test') {
    this.member = member;
    this.#signer = signer;
    this.#federation = federation;
  }

  /** The next block of the lane. */
  block(events: readonly EventInput[], lane = 0): SignedBlock {
    const signed = this.fork(events, lane);
    this.#heads.set(lane, { epoch: 1, number: signed.number, hash: signed.hash });
    return signed;
  }

  /** A block for the same place as the next one: the lane's head stays. */
  fork(events: readonly EventInput[], lane = 0, change: Partial<BlockStatement> = {}): SignedBlock {
    const envelopes = events.map((event) => sealEvent(this.member, event).envelope);
    const statement: BlockStatement = {
      suite: SUITE,
      federation: this.#federation,
      origin: this.member,
      keyId: this.#signer.keyId,
      lane,
      ...nextLink(this.#heads.get(lane) ?? EMPTY_HEAD),
      timeMs: NOW,
      treeSize: envelopes.length,
      root: merkleRoot(envelopes.map(({ header }) => leafHash(header))),
      ...change,
    };
    const { bytes, hash } = signStatement(codec, this.#signer, 'BlockStatement', statement);
    const value = codec.encode('Block', { statement: bytes, envelopes });
    return { value, number: statement.number, hash };
  }
}
