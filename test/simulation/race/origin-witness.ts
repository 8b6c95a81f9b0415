import { equalBytes } from '@concordat/common/domain/bytes.js';
import { type EventId, type MemberId, idBytes } from '@concordat/common/domain/ids.js';
import { isWhole } from '@concordat/common/domain/purge-order.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import type { KeyReply } from '@concordat/node/flows/apply-keys.js';
import type { MemoryLog } from '@concordat/common/io/memory-log.js';
import { type Sqlite, bytesOf, numberOf } from '@concordat/common/io/store/sqlite.js';
import { UN } from '../../support/node-world.js';
import type { Branch } from './branches.js';
import { type RaceOrder, takes, takesAll } from './orders.js';
import { isInStore } from '../witness/in-store.js';
import type { FedStatement, RaceTemplate } from './template.js';

export interface Told {
  /** the number of the present step */
  readonly now: () => number;
  readonly violated: (text: string) => void;
  readonly reached: (branch: Branch) => void;
}

export interface WantedKeys {
  readonly fed: FedStatement;
  readonly wanted: Uint8Array;
}

interface Given {
  readonly recipient: MemberId;
  readonly id: EventId;
  readonly sections: readonly string[];
}

/** Sees every key that leaves the origin and every seal that it commits, and says what must not be. */
export class OriginWitness {
  readonly #template: RaceTemplate;
  readonly #log: MemoryLog;
  readonly #orders: readonly RaceOrder[];
  readonly #told: Told;
  readonly #given: Given[] = [];
  /** recipient and id of every key that arrived */
  readonly #arrived = new Set<string>();
  #ledgerHead = 0;

  constructor(template: RaceTemplate, log: MemoryLog, orders: readonly RaceOrder[], told: Told) {
    this.#template = template;
    this.#log = log;
    this.#orders = orders;
    this.#told = told;
  }

  committed(store: Sqlite): void {
    if (!store.file.endsWith('state.db')) return;
    this.#ledgerHead = ownNumber(store, 'ledger.un');
    for (const row of store.all('SELECT order_id FROM seal')) {
      const id = Buffer.from(bytesOf(row, 'order_id'));
      const order = this.#orders.find((one) => id.equals(idBytes(one.orderId)));
      if (order) order.sealedAt ??= this.#told.now();
    }
  }

  /** An answer with keys leaves the origin. */
  answered(
    recipient: MemberId,
    asked: readonly WantedKeys[],
    reply: KeyReply,
    begunAt: number,
  ): void {
    for (const { statement, release: at, item } of reply.answers) {
      const release = asked[statement]?.fed.releases[at];
      if (!release) continue;
      const { id } = release;
      if (item.kind === 'shredded') this.#toldShredded(id, begunAt);
      if (item.kind !== 'released') continue;
      const sections = [...item.keys.keys()];
      for (const place of item.records) this.#demandOnLedger(reply.records[place]);
      for (const order of this.#orders) {
        const isTaken = sections.some((section) => takes(order, { recipient, id, section }));
        const { sealedAt } = order;
        if (sealedAt === undefined) continue;
        if (isTaken && sealedAt < this.#told.now()) {
          this.#told.violated(`${recipient} is given a key of ${id} after its seal`);
        }
        if (!isTaken && sealedAt > begunAt && order.ids.includes(id)) {
          this.#told.reached(
            'a release waits for the broker while a narrower cover is sealed, and leaves that out',
          );
        }
      }
      if (this.#given.some((one) => one.recipient === recipient && one.id === id)) {
        this.#told.reached('a release is asked for again, and answered with its old record');
      }
      this.#given.push({ recipient, id, sections });
    }
  }

  /** An answer is with who asked. */
  arrived(recipient: MemberId, asked: readonly WantedKeys[], reply: KeyReply): void {
    for (const { statement, release, item } of reply.answers) {
      const id = asked[statement]?.fed.releases[release]?.id;
      if (id !== undefined && item.kind === 'released') this.#arrived.add(`${recipient} ${id}`);
    }
  }

  /** @param files of the origin in this moment */
  sealed(order: RaceOrder, sealRecord: Uint8Array, files: ReadonlyMap<string, Uint8Array>): void {
    const { violated, reached } = this.#told;
    if (order.sealRecord) {
      if (!equalBytes(order.sealRecord, sealRecord)) violated('an order has two seal records');
      reached('an order is sent again, and answered with the same seal');
      return;
    }
    order.sealRecord = sealRecord;
    const { codec } = this.#template.schemas;
    const { keys } = this.#template.world.members;
    const read = verifyStatement(codec, keys, 'SealRecord', sealRecord, { signer: UN });
    if (!read.ok) {
      violated(read.error.message);
      return;
    }
    order.record = read.value.value;
    const onLedger = this.#ledgerHashes();
    for (const { statementHash } of order.record.seals) {
      if (!onLedger.some((hash) => equalBytes(hash, statementHash))) {
        violated('an order is answered before the broker has its seal');
      }
    }
    if (isWhole(order)) this.demandGone(order.ids, files, 'at the answer to its order');
  }

  demandGone(ids: readonly EventId[], files: ReadonlyMap<string, Uint8Array>, when: string): void {
    for (const id of ids) {
      if (isInStore(files, 'vault', idBytes(id))) {
        this.#told.violated(`the origin has keys of ${id} ${when}`);
      }
      if (this.#hasCiphertext(id, files)) {
        this.#told.violated(`the origin has ciphertext of ${id} ${when}`);
      }
    }
  }

  died(files: ReadonlyMap<string, Uint8Array>): void {
    const sealed = this.#orders.filter((one) => isWhole(one) && one.sealedAt !== undefined);
    const ids = sealed.flatMap((one) => one.ids);
    if (ids.some((id) => isInStore(files, 'vault', idBytes(id)))) {
      this.#told.reached('the origin dies between a seal and the deletion of its keys');
    } else if (ids.some((id) => this.#hasCiphertext(id, files))) {
      this.#told.reached('the origin dies between the deletion of keys and of ciphertexts');
    }
    if (this.#ledgerHead > this.#log.lane('ledger.un', 0).records.length) {
      this.#told.reached('the origin dies with a ledger record committed and not sent');
    }
  }

  /** Nobody ever had a key who is not in the seal record. */
  demandHolders(): void {
    for (const order of this.#orders) {
      if (!order.record) continue;
      const named = order.record.holders.flatMap(({ recipient, ids }) =>
        ids.map((id) => `${recipient} ${id}`),
      );
      if (named.some((one) => !this.#arrived.has(one))) {
        this.#told.reached('a recipient is a holder and never got its answer');
      }
      for (const { recipient, id, sections } of this.#given) {
        if (!sections.some((section) => takes(order, { recipient, id, section }))) continue;
        const holder = order.record.holders.find((one) => one.recipient === recipient);
        if (!holder?.ids.includes(id)) {
          this.#told.violated(`${recipient} holds ${id} and is not in its seal record`);
        }
      }
    }
  }

  sealOf(id: EventId): RaceOrder | undefined {
    return this.#orders.find((one) => takesAll(one, id) && one.sealedAt !== undefined);
  }

  #toldShredded(id: EventId, begunAt: number): void {
    const sealedAt = this.sealOf(id)?.sealedAt;
    if (sealedAt === undefined) {
      this.#told.violated(`${id} is answered shredded and is not sealed`);
      return;
    }
    this.#told.reached(
      sealedAt > begunAt
        ? 'a release waits for the broker while its event is sealed, and is answered shredded'
        : 'a release is asked for after the seal',
    );
  }

  #demandOnLedger(record: Uint8Array | undefined): void {
    const { records } = this.#log.lane('ledger.un', 0);
    if (record && records.some(({ value }) => equalBytes(value, record))) return;
    this.#told.violated('a key leaves before the broker has its ledger record');
  }

  #ledgerHashes(): Uint8Array[] {
    const { codec } = this.#template.schemas;
    const { keys } = this.#template.world.members;
    return this.#log.lane('ledger.un', 0).records.flatMap(({ value }) => {
      const record = codec.decode('LedgerRecord', value);
      if (!record.ok) return [];
      const { statement } = record.value;
      const read = verifyStatement(codec, keys, 'LedgerStatement', statement, { signer: UN });
      return read.ok ? [read.value.hash] : [];
    });
  }

  #hasCiphertext(id: EventId, files: ReadonlyMap<string, Uint8Array>): boolean {
    const pieces = [...(this.#template.ciphertexts.get(id)?.values() ?? [])];
    return pieces.some((piece) => isInStore(files, 'data', piece));
  }
}

/** Of the own chain in this state store. */
export function ownNumber(store: Sqlite, chain: string): number {
  const row = store.get('SELECT number FROM own_head WHERE chain = ?', chain);
  return row ? numberOf(row, 'number') : 0;
}
