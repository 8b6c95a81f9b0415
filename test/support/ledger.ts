import { blockRef } from '@concordat/common/domain/block.js';
import { equalBytes, sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { EMPTY_HEAD, type Head, nextLink } from '@concordat/common/domain/chain.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import {
  type EventId,
  type Hash,
  type MemberId,
  type OrderId,
  type UnixMs,
  asUnixMs,
  orderIdOf,
} from '@concordat/common/domain/ids.js';
import { inclusionPath, leafHash, merkleRoot } from '@concordat/common/domain/merkle.js';
import { WHOLE_COVER, isWhole, meets } from '@concordat/common/domain/purge-order.js';
import type {
  Header,
  LedgerKind,
  PurgeApproval,
  PurgeOrder,
  PurgeReason,
  RecordTypes,
  SealRecord,
  SealTable,
  SlotTable,
} from '@concordat/common/domain/records.js';
import { type Slots, slotRoot } from '@concordat/common/domain/slots.js';
import {
  SUITE,
  type StatementName,
  type Verified,
  signStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { type Officer, type TestFederation, codec } from './federation.js';
import { NOW } from './origin.js';

export const DAY_MS = 86_400_000;
export function orderId(n: number): OrderId {
  const id = orderIdOf(sha256(utf8(`order ${n}`)).subarray(0, 16));
  if (!id.ok) throw new Error(id.error);
  return id.value;
}

export interface TestEvent {
  readonly id: EventId;
  readonly retainUntilMs?: UnixMs;
  readonly supersedes?: EventId;
  /** of the header, when it lies */
  readonly origin?: MemberId;
}

interface OwnBlock {
  readonly statement: Verified<'BlockStatement'>;
  readonly events: readonly { readonly id: EventId; readonly header: Uint8Array }[];
  /** the block's own chain of ledger records */
  chainHead: Hash;
  chainLength: number;
}

export interface TestSeal {
  readonly sealRecord: Uint8Array;
  readonly evidence: Uint8Array;
}

type Unsigned<Name extends StatementName> = Omit<
  RecordTypes[Name],
  'suite' | 'federation' | 'origin' | 'keyId'
>;

/**
 * What of a node the revocation service sees, with real keys and hashes and nothing else: it publishes, records key
 * releases, and seals. It stands for another process, so it remembers while a service under test comes and goes.
 */
export class TestLedger {
  readonly origin: MemberId;
  readonly #federation: TestFederation;
  readonly #onRecord: (record: Uint8Array) => void;
  readonly #blocks: OwnBlock[] = [];
  /** by event: who was given keys of which sections */
  readonly #released = new Map<
    EventId,
    { readonly recipient: MemberId; readonly sections: readonly string[] }[]
  >();
  readonly #seals = new Map<OrderId, TestSeal & { readonly orderHash: Hash }>();
  readonly #sealed = new Set<EventId>();
  #head: Head = EMPTY_HEAD;
  #blockHead: Head = EMPTY_HEAD;
  #seeds = 0;

  /** @param onRecord takes each Avro LedgerRecord, in order */
  constructor(
    federation: TestFederation,
    origin: MemberId,
    onRecord: (record: Uint8Array) => void = () => undefined,
  ) {
    this.#federation = federation;
    this.origin = origin;
    this.#onRecord = onRecord;
  }

  /** of the newest record */
  get number(): number {
    return this.#head.number;
  }

  /** One block with these events. */
  publish(...events: readonly TestEvent[]): void {
    const headers = events.map((event) => ({ id: event.id, ...this.#header(event) }));
    const leaves = headers.map(({ bytes }) => leafHash(bytes));
    const link = nextLink(this.#blockHead);
    const statement = this.#sign('BlockStatement', {
      ...link,
      timeMs: NOW,
      lane: 0,
      treeSize: leaves.length,
      root: merkleRoot(leaves),
    });
    this.#blockHead = { epoch: 1, number: link.number, hash: statement.hash };
    const block: OwnBlock = {
      statement,
      events: headers.map(({ id, bytes }) => ({ id, header: bytes })),
      chainHead: EMPTY_HEAD.hash,
      chainLength: 0,
    };
    this.#blocks.push(block);
    const rows = headers.map(({ id, header }, leaf) => ({
      id,
      headerHash: leaves[leaf] ?? EMPTY_HEAD.hash,
      category: header.category,
      retainUntilMs: header.retainUntilMs,
      supersedes: header.supersedes,
    }));
    const body = codec.encode('PublicationTable', { rows });
    this.#append(block, 'PUBLICATION', sha256(body), body);
  }

  /** One record per touched block: these events' keys went to `recipient`. */
  release(recipient: MemberId, ...ids: readonly EventId[]): void {
    this.releaseSections(recipient, ['identity', 'remarks'], ...ids);
  }

  releaseSections(
    recipient: MemberId,
    sections: readonly string[],
    ...ids: readonly EventId[]
  ): void {
    for (const id of ids) {
      this.#released.set(id, [...(this.#released.get(id) ?? []), { recipient, sections }]);
    }
    for (const { block, leaves } of this.#touched(ids)) {
      this.#appendSlots(block, {
        kind: 'RELEASE',
        recipient,
        orderId: null,
        leaves: leaves.map((leaf) => ({ leaf, sections })),
      });
    }
  }

  /** What a node answers to DestroyKeys, idempotent by order id; a dishonest one seals again what is sealed. */
  seal(
    orderBytes: Uint8Array,
    how: Partial<Pick<SealRecord, 'grants' | 'approvals'>> & { readonly isHonest?: boolean } = {},
  ): TestSeal {
    const { isHonest = true, grants = [], approvals = [] } = how;
    const order = verifyStatement(codec, this.#federation.keys, 'PurgeOrder', orderBytes, {
      signer: this.origin,
    });
    if (!order.ok) throw order.error;
    const { value, hash } = order.value;
    const before = this.#seals.get(value.orderId);
    if (before && !equalBytes(before.orderHash, hash)) {
      throw new ConcordatError('ORDER_INVALID', 'this order id was sealed for another order');
    }
    if (before) return before;
    if (isHonest && value.ids.some((id) => this.#sealed.has(id))) {
      throw new ConcordatError('ORDER_INVALID', 'covers an event that is purged already');
    }
    const published = this.#blocks.flatMap(({ events }) => events.map(({ id }) => id));
    if (!value.ids.every((id) => published.includes(id))) {
      throw new ConcordatError('ORDER_INVALID', 'covers an event not published here');
    }
    const touched = this.#touched(value.ids);
    const seals = touched.flatMap(({ block, leaves }) => this.#appendSeals(block, leaves, value));
    const { bytes } = this.#sign('SealRecord', {
      orderId: value.orderId,
      orderHash: hash,
      timeMs: NOW,
      ids: value.ids,
      seals,
      holders: this.#holdersOf(value),
      recipients: value.recipients,
      sections: value.sections,
      grants,
      approvals,
    });
    if (isWhole(value)) for (const id of value.ids) this.#sealed.add(id);
    const answer = { sealRecord: bytes, evidence: this.#evidence(touched), orderHash: hash };
    this.#seals.set(value.orderId, answer);
    return answer;
  }

  /** One for all, or one for each recipient of a narrower cover. */
  #appendSeals(block: OwnBlock, leaves: readonly number[], order: PurgeOrder) {
    const { orderId, recipients, sections } = order;
    if (isWhole(order)) {
      return [this.#appendSlots(block, { leaves: leaves.map((leaf) => ({ leaf, orderId })) })];
    }
    const each = recipients.length === 0 ? (['' as const] as const) : recipients;
    return each.map((recipient) =>
      this.#appendSlots(block, {
        ...{ kind: 'SEAL', recipient, orderId },
        leaves: leaves.map((leaf) => ({ leaf, sections })),
      }),
    );
  }

  #holdersOf({ ids, ...cover }: PurgeOrder) {
    return this.#federation.federation.members.flatMap(({ id: recipient }) => {
      const held = ids.filter((id) =>
        this.#released.get(id)?.some((one) => one.recipient === recipient && meets(cover, one)),
      );
      return held.length === 0 ? [] : [{ recipient, ids: held }];
    });
  }

  #evidence(touched: readonly { readonly block: OwnBlock; readonly leaves: readonly number[] }[]) {
    return codec.encode('SealEvidence', {
      blocks: touched.map(({ block, leaves }) => {
        const hashes = block.events.map(({ header }) => leafHash(header));
        return {
          statement: block.statement.bytes,
          leaves: leaves.map((leaf) => ({
            leaf,
            header: block.events[leaf]?.header ?? new Uint8Array(),
            path: inclusionPath(hashes, leaf),
          })),
        };
      }),
    });
  }

  #touched(ids: readonly EventId[]) {
    return this.#blocks.flatMap((block) => {
      const leaves = block.events.flatMap(({ id }, leaf) => (ids.includes(id) ? [leaf] : []));
      return leaves.length > 0 ? [{ block, leaves }] : [];
    });
  }

  #appendSlots(block: OwnBlock, slots: Omit<SlotTable, 'seed'> | Omit<SealTable, 'seed'>) {
    this.#seeds += 1;
    const table: Slots = { seed: sha256(utf8(`seed ${this.#seeds}`)), ...slots };
    const isSlots = 'kind' in table;
    const body = isSlots ? codec.encode('SlotTable', table) : codec.encode('SealTable', table);
    const root = slotRoot(codec, table, block.events.length);
    return this.#append(block, isSlots ? table.kind : 'SEAL', root, body);
  }

  #append(block: OwnBlock, kind: LedgerKind, root: Hash, body: Uint8Array) {
    const link = nextLink(this.#head);
    const statement = this.#sign('LedgerStatement', {
      ...link,
      timeMs: NOW,
      block: blockRef(block.statement),
      blockNumber: block.chainLength,
      blockPrevious: block.chainHead,
      kind,
      treeSize: block.events.length,
      root,
    });
    block.chainLength += 1;
    block.chainHead = statement.hash;
    this.#head = { epoch: 1, number: link.number, hash: statement.hash };
    this.#onRecord(codec.encode('LedgerRecord', { statement: statement.bytes, body }));
    return { ledgerNumber: link.number, statementHash: statement.hash };
  }

  #header({ id, retainUntilMs, supersedes, origin }: TestEvent) {
    const some = sha256(utf8(id));
    const header: Header = {
      version: 1,
      origin: origin ?? this.origin,
      id,
      category: 'listing.al-qaida.individual',
      schemaHash: some,
      collectedAtMs: asUnixMs(NOW - DAY_MS),
      retainUntilMs: retainUntilMs ?? asUnixMs(NOW + 1000 * DAY_MS),
      purposes: ['screening'],
      legalBasis: 'resolution 1267',
      handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 1 },
      supersedes: supersedes ?? null,
      sections: [{ name: 'identity', ciphertextHash: some, keyCommitment: some }],
      audience: some,
      derivedFrom: some,
    };
    return { header, bytes: codec.encode('Header', header) };
  }

  #sign<Name extends StatementName>(name: Name, value: Unsigned<Name>): Verified<Name> {
    const signer = this.#federation.signer(this.origin, 'node');
    return signAs(this.#federation, { member: this.origin, role: 'node' }, name, {
      suite: SUITE,
      federation: 'test',
      origin: this.origin,
      keyId: signer.keyId,
      ...value,
    } as unknown as RecordTypes[Name]);
  }
}

/** Signs as a member's role; what a test wants signed is signed, sense or not. */
export function signAs<Name extends StatementName>(
  members: TestFederation,
  who: {
    readonly member: MemberId;
    readonly role: 'node' | 'consent' | 'revocation' | 'purge-officer';
    readonly officer?: Officer;
  },
  name: Name,
  value: RecordTypes[Name],
): Verified<Name> {
  const signer = members.signer(who.member, who.role, who.officer);
  const { keyId } = signer;
  const signed = signStatement(codec, signer, name, { ...value, keyId });
  const key = members.keys.find(keyId);
  if (!key) throw new Error(`${who.member} has no such key`);
  return { value, ...signed, key };
}

/** An approval of an order as another purge officer signs it, changed where the test says so. */
export function officerApproval(
  members: TestFederation,
  order: Uint8Array,
  who: { readonly officer?: Officer; readonly role?: 'purge-officer' | 'node' } = {},
  change: Partial<PurgeApproval> = {},
): Uint8Array {
  const un = 'un' as MemberId;
  const read = verifyStatement(codec, members.keys, 'PurgeOrder', order, { signer: un });
  if (!read.ok) throw read.error;
  const { value, hash } = read.value;
  const signer = { member: un, role: 'purge-officer', officer: 2, ...who } as const;
  return signAs(members, signer, 'PurgeApproval', {
    ...{ suite: SUITE, federation: 'test', origin: un, keyId: '' },
    ...{ orderId: value.orderId, orderHash: hash, timeMs: NOW },
    ...change,
  }).bytes;
}

/** An order as a purge officer signs it, changed where the test says so. */
export function officerOrder(
  members: TestFederation,
  order: Partial<PurgeOrder> & Pick<PurgeOrder, 'orderId' | 'ids'>,
  who: Parameters<typeof signAs>[1] = { member: 'un' as MemberId, role: 'purge-officer' },
): Uint8Array {
  const reason: PurgeReason = 'delisted';
  return signAs(members, who, 'PurgeOrder', {
    suite: SUITE,
    federation: 'test',
    origin: 'un' as MemberId,
    keyId: '',
    issuedAtMs: NOW,
    deadlineMs: asUnixMs(NOW + DAY_MS),
    reason,
    supersededBy: null,
    ...WHOLE_COVER,
    cause: null,
    ...order,
  }).bytes;
}
