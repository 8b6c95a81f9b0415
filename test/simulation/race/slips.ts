import { setImmediate as turn } from 'node:timers/promises';
import { Outbox } from '@concordat/common/io/store/outbox.js';
import { DataStore } from '@concordat/node/io/data-store.js';
import { LedgerTable } from '@concordat/node/io/state/ledger-table.js';
import { SealTable } from '@concordat/node/io/state/seal-table.js';
import { Tombstones } from '@concordat/node/io/state/tombstones.js';
import { Vault } from '@concordat/node/io/vault.js';
import { all, replace } from '../slips/replace.js';
import { watchTransactions } from '../slips/transactions.js';

/** A mistake that somebody could make in the services, made on purpose. */
export interface Slip {
  readonly name: string;
  /** what has to be said of it */
  readonly caught: RegExp;
  /** the first race to look at: one shortly before that in which it showed when this was written */
  readonly from: number;
  /** Makes the mistake. @returns what undoes it */
  readonly make: () => () => void;
}

export const SLIPS: readonly Slip[] = [
  {
    name: 'a release does not look at the seals again when the broker has answered',
    from: 12,
    caught: /after its seal/,
    make: () => {
      const transactions = watchTransactions();
      const undo = replace(
        Tombstones.prototype,
        'sealNumbers',
        (original) =>
          function (this: Tombstones, ...args) {
            return transactions.isOpen() ? original.apply(this, args) : new Map();
          },
      );
      return all(transactions.undo, undo);
    },
  },
  {
    name: 'a key leaves, and an order is answered, before the broker has the ledger record',
    from: 1,
    caught: /before the broker has its/,
    make: () =>
      replace(
        Outbox.prototype,
        'acknowledged',
        (original) =>
          function (this: Outbox, topic, lane, seq) {
            if (topic.startsWith('ledger.')) return Promise.resolve();
            return original.call(this, topic, lane, seq);
          },
      ),
  },
  {
    name: 'the holders of a seal are read without the newest release',
    from: 1,
    caught: /is not in its seal record/,
    make: () =>
      replace(
        LedgerTable.prototype,
        'releasesOf',
        (original) =>
          function (this: LedgerTable, block, recipient) {
            const rows = original.call(this, block, recipient);
            return recipient === undefined ? rows.slice(0, -1) : rows;
          },
      ),
  },
  {
    name: 'the receipt and the answer to an order do not wait for the deletion',
    from: 1,
    caught: /has (?:keys|ciphertext) of/,
    make: () => {
      let calls = 0;
      return replace(
        Tombstones.prototype,
        'unfinished',
        (original) =>
          function (this: Tombstones, limit) {
            calls += 1;
            return calls % 2 === 0 ? original.call(this, limit) : [];
          },
      );
    },
  },
  {
    name: 'the journals are not emptied before the receipt',
    from: 1,
    caught: /has (?:keys|ciphertext) of/,
    make: () =>
      all(
        replace(Vault.prototype, 'settle', () => () => undefined),
        replace(DataStore.prototype, 'settle', () => () => undefined),
      ),
  },
  {
    name: 'an event is taken in, and its key stored, although it is purged',
    from: 1,
    caught: /has (?:keys|ciphertext) of/,
    make: () => replace(Tombstones.prototype, 'buriedAmong', () => () => new Set()),
  },
  {
    name: 'the tombstone comes after the deletion',
    from: 1,
    caught: /reads .*, which is purged|has (?:keys|ciphertext) of|expected PURGED/,
    make: () => {
      const waiting = new WeakMap<Tombstones, (() => void)[]>();
      return all(
        replace(
          Tombstones.prototype,
          'bury',
          (original) =>
            function (this: Tombstones, events, by) {
              const bury = (): void => original.call(this, events, by);
              waiting.set(this, [...(waiting.get(this) ?? []), bury]);
              this.deleteAgain(events);
            },
        ),
        replace(
          Tombstones.prototype,
          'finish',
          (original) =>
            function (this: Tombstones, events) {
              for (const bury of waiting.get(this) ?? []) bury();
              waiting.delete(this);
              original.call(this, events);
            },
        ),
      );
    },
  },
  {
    name: 'the place in the purge ledger is committed before the tombstone',
    from: 14,
    caught: /reads .*, which is purged|has (?:keys|ciphertext) of|expected PURGED/,
    make: () =>
      replace(
        Tombstones.prototype,
        'bury',
        (original) =>
          function (this: Tombstones, events, by) {
            if (by.ledgerNumber !== undefined) {
              original.call(this, events, by);
              return;
            }
            void turn()
              .then(() => original.call(this, events, by))
              .catch(() => undefined); // it died before
          },
      ),
  },
  {
    name: 'what a crash left to delete is forgotten',
    from: 1,
    caught: /has (?:keys|ciphertext) of .* after a start/,
    make: () => {
      const known = new WeakMap<Tombstones, ReturnType<Tombstones['unfinished']>>();
      const listOf = (tombstones: Tombstones) => {
        const list = known.get(tombstones) ?? [];
        known.set(tombstones, list);
        return list;
      };
      return all(
        replace(
          Tombstones.prototype,
          'deleteAgain',
          () =>
            function (this: Tombstones, events) {
              listOf(this).push(...events.map((one) => ({ ...one, orderId: null })));
            },
        ),
        replace(
          Tombstones.prototype,
          'unfinished',
          () =>
            function (this: Tombstones) {
              return listOf(this).splice(0);
            },
        ),
      );
    },
  },
  {
    name: 'an order that comes again is not recognised',
    from: 1,
    caught: /a sealed order is refused/,
    make: () => replace(SealTable.prototype, 'find', () => () => undefined),
  },
];
