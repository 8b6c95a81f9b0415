import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ZERO_HASH } from '@concordat/common/domain/bytes.js';
import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import { asUnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { DataStore } from '@concordat/node/io/data-store.js';
import { StateStore } from '@concordat/node/io/state-store.js';
import { codec, memberOf, testFederation } from '../../support/federation.js';
import { orderId } from '../../support/ledger.js';
import { eventId } from '../../support/origin.js';
import type { AnsweredCall } from '../world/connections.js';
import { NothingTold } from './nothing-told.js';
import { OneReceipt } from './one-receipt.js';
import { ReadsCurrent } from './reads-current.js';
import type { Scene } from './scene.js';
import { Sight } from './sight/sight.js';
import { StaysPurged } from './stays-purged.js';
import { WithCause } from './with-cause.js';
import type { Place, Witness } from './witness.js';

const [UN, DE] = [memberOf('un'), memberOf('de')];
const AT_DE: Place = { member: DE, process: 'node' };
const EVENT = idBytes(eventId(1));
const federation = testFederation([UN, DE]);

let dir: string;
let said: string[];
let step: number;
let scene: Scene;
let sight: Sight;
let state: StateStore;
let data: DataStore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'witness-'));
  [said, step] = [[], 1];
  scene = {
    ...{ codec, keys: federation.keys, step: () => step, nowMs: () => 1_000, skewOf: () => 0 },
    policy: () => ({ agreements: [], consents: [] }),
    orderOf: () => undefined,
    violated: (text) => said.push(text),
  };
  sight = new Sight(scene);
  state = new StateStore(join(dir, 'state.db'));
  data = new DataStore(join(dir, 'data.db'));
});

afterEach(() => {
  state.close();
  data.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Each statement is a commit of the node of `de` that this witness looks at. */
function commit(witness: Witness, store: Sqlite, sql: string, ...params: (string | Uint8Array)[]) {
  step += 1;
  store.run(sql, ...params);
  sight.committed(AT_DE, store);
  witness.committed?.(AT_DE, store);
}

/** Both stores were seen when nothing was in them. */
function open(witness: Witness): void {
  for (const store of [state.db, data.db]) commit(witness, store, 'SELECT 1');
}

const BURY = "INSERT INTO tombstone VALUES('un', ?, ?, 0, NULL)";
const ROW = "INSERT INTO event VALUES('un', ?, 'readable', 1, 1, NULL)";
const order = idBytes(orderId(1));

describe('a witness of the simulator says', () => {
  it('S1: what is purged is taken in again', () => {
    const witness = new StaysPurged(scene, sight);
    open(witness);
    commit(witness, state.db, BURY, EVENT, order);
    expect(said).toEqual([]);
    commit(witness, data.db, ROW, EVENT);
    expect(said).toEqual([expect.stringMatching(/^S1, step \d+, de: takes in a row of un\//)]);
  });

  it('S7: a node serves with what is purged', () => {
    const witness = new StaysPurged(scene, sight);
    open(witness);
    commit(witness, data.db, ROW, EVENT);
    commit(witness, state.db, BURY, EVENT, order);
    expect(said).toEqual([]);
    witness.started(AT_DE);
    expect(said).toEqual([expect.stringMatching(/^S7, .*has a row of un\//)]);
  });

  it('S8: a tombstone is gone', () => {
    const witness = new StaysPurged(scene, sight);
    open(witness);
    commit(witness, state.db, BURY, EVENT, order);
    commit(witness, state.db, 'DELETE FROM tombstone');
    expect(said).toEqual([expect.stringMatching(/^S8, .*the tombstone of un\//)]);
  });

  it('S3: something is purged that no entry and no seal covers', () => {
    const witness = new WithCause(scene, sight);
    open(witness);
    commit(witness, state.db, BURY, EVENT, order);
    expect(said).toEqual([expect.stringMatching(/^S3, .*which covers no such/)]);
  });

  it('S11: something is deleted that nobody took back', () => {
    const witness = new WithCause(scene, sight);
    open(witness);
    witness.started(AT_DE);
    commit(witness, data.db, ROW, EVENT);
    commit(witness, data.db, 'DELETE FROM event');
    expect(said).toEqual([expect.stringMatching(/^S11, .*which nobody took back/)]);
  });

  it('S5: a reading is answered that is not fresh', () => {
    const who = { member: DE, as: 'system' };
    new ReadsCurrent(scene, sight).answered({
      ...{ caller: who, callee: who, method: 'NationalService.read', outcome: 'answered' },
      ...{ request: { origin: UN, eventId: eventId(1) }, answer: {} },
    } as unknown as AnsweredCall);
    expect(said).toEqual([expect.stringMatching(/^S5, .*is not fresh/)]);
  });

  it('S13: an entry has two receipts of one stage', () => {
    const witness = new OneReceipt(scene, sight);
    const record = (timeMs: number) => ({
      ...{ topic: 'receipts.de.un', lane: 0, offset: 0n, headers: {}, value: receiptAt(timeMs) },
    });
    witness.appended(record(1));
    witness.appended(record(1));
    expect(said).toEqual([]);
    witness.appended(record(2));
    expect(said).toEqual([expect.stringMatching(/^S13, .*two final receipts/)]);
  });

  it('S12: the broker has content', async () => {
    const value = Buffer.from('xx An invented report');
    const records = () => [{ topic: 'feed.un.de', lane: 0, offset: 0n, headers: {}, value }];
    await new NothingTold(scene, { records, logged: () => [] }).healed();
    expect(said).toEqual([expect.stringMatching(/^S12, .*has content on feed\.un\.de/)]);
  });
});

function receiptAt(timeMs: number): Uint8Array {
  const signer = federation.signer(DE, 'node');
  return signStatement(codec, signer, 'Receipt', {
    ...{ suite: SUITE, federation: 'test', origin: UN, keyId: signer.keyId, holder: DE },
    ...{ ...nextLink(EMPTY_HEAD), timeMs: asUnixMs(timeMs), orderId: orderId(1), entryNumber: 1 },
    ...{ entryHash: ZERO_HASH, stage: 'NOT_HELD', holds: [], children: [], opened: null },
    outcomes: [{ id: eventId(1), outcome: 'NOT_HELD' }],
  }).bytes;
}
