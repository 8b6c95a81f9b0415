import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { utf8 } from '../../domain/bytes.js';
import { ConcordatError } from '../../domain/errors.js';
import type { Clock } from '../../domain/ports.js';
import type { LogClient } from '../log-client.js';
import { SEND_BYTES_MAX } from '../log-client.js';
import { MemoryLog, memoryLogClient } from '../memory-log.js';
import { systemClock } from '../system-ports.js';
import { CHAIN_SCHEMA, ChainTables } from './chain-tables.js';
import { Outbox } from './outbox.js';
import { Sqlite } from './sqlite.js';

/** Pauses are over at once; what a pause does is not what is tried here. */
const clock: Clock = {
  ...systemClock,
  sleep: (_ms, signal) => delay(1, undefined, signal ? { signal } : {}),
};

let dir: string;
let db: Sqlite;
let tables: ChainTables;
let memory: MemoryLog;
let outbox: Outbox;
let deaths: ConcordatError[];
let retries: number;

function open(log: LogClient = memoryLogClient(memory, clock)): Outbox {
  outbox = new Outbox({
    ...{ tables, log, clock },
    onRetry: () => (retries += 1),
    onDeath: (cause) => deaths.push(cause),
  });
  return outbox;
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outbox-'));
  db = new Sqlite(join(dir, 'a.db'), CHAIN_SCHEMA);
  tables = new ChainTables(db);
  memory = new MemoryLog();
  memory.createTopic('t', 2);
  deaths = [];
  retries = 0;
  open();
});
afterEach(async () => {
  await outbox.close();
  db.close();
  rmSync(dir, { recursive: true });
});

const put = (text: string, lane = 0) => tables.enqueue('t', lane, { value: utf8(text) });
const sent = (lane = 0) =>
  memory.lane('t', lane).records.map(({ value }) => Buffer.from(value).toString());

test('rows are sent in the order of their commit, and acknowledged in it', async () => {
  const done: number[] = [];
  const seqs = Array.from({ length: 200 }, (_, n) => put(String(n)));
  await Promise.all(seqs.map((seq) => outbox.acknowledged('t', 0, seq).then(() => done.push(seq))));
  expect(sent()).toEqual(seqs.map((_, n) => String(n)));
  expect(done).toEqual(seqs);
  expect(tables.outboxSize()).toBe(0);
});

test('a process that stops in order leaves nothing to send again', async () => {
  await outbox.acknowledged('t', 0, put('a'));
  await outbox.close();
  expect(new ChainTables(db).outboxSize()).toBe(0);
});

test('after a kill, the next process sends again what was acknowledged last, and it is the same', async () => {
  await outbox.acknowledged('t', 0, put('a'));
  tables = new ChainTables(db);
  open().start();
  await outbox.idle('t', 0);
  expect(sent()).toEqual(['a', 'a']);
});

test('an earlier process’s rows are sent at the start', async () => {
  put('a', 0);
  const last = put('b', 1);
  outbox.start();
  await outbox.acknowledged('t', 1, last);
  await outbox.idle('t', 0);
  expect([sent(0), sent(1)]).toEqual([['a'], ['b']]);
});

test('an unknown outcome is followed by the very same bytes', async () => {
  memory.failSends('unknown-but-there', 'lost', 'lost');
  await outbox.acknowledged('t', 0, put('a'));
  expect(sent()).toEqual(['a', 'a']);
  expect(retries).toBe(3);
});

test('a lane that fails holds up no other', async () => {
  const log = memoryLogClient(memory, clock);
  await outbox.close();
  let isCut = true;
  open({
    ...log,
    send: (topic, lane, records) =>
      lane === 0 && isCut
        ? Promise.reject(new ConcordatError('BROKER_UNAVAILABLE', 'cut off'))
        : log.send(topic, lane, records),
  });
  const first = outbox.acknowledged('t', 0, put('a', 0));
  await outbox.acknowledged('t', 1, put('b', 1));
  expect(sent(0)).toEqual([]);
  isCut = false;
  await first;
});

test('what was acknowledged long ago is answered at once, also without a broker', async () => {
  const seq = put('a');
  await outbox.acknowledged('t', 0, seq);
  memory.setReachable(false);
  put('b');
  outbox.wake('t', 0);
  await outbox.acknowledged('t', 0, seq);
  expect(tables.outboxSize()).toBe(1);
});

test('a lane is idle when its waiters learn it, so that they can send at once', async () => {
  put('a');
  const idle = outbox.idle('t', 0).then(() => outbox.isSending('t', 0));
  expect(outbox.isSending('t', 0)).toBe(true);
  expect(await idle).toBe(false);
});

test('rows that are together too large are sent one after the other', async () => {
  const large = 'x'.repeat(SEND_BYTES_MAX / 2);
  const seqs = ['a', 'b', 'c'].map((text) => put(text + large));
  await Promise.all(seqs.map((seq) => outbox.acknowledged('t', 0, seq)));
  expect(sent().map((text) => text.charAt(0))).toEqual(['a', 'b', 'c']);
  expect(deaths).toEqual([]);
});

test('a row that can never be sent ends sending on its lane: its waiters learn why, and later ones too', async () => {
  const stuck = outbox.acknowledged('t', 0, put('x'.repeat(SEND_BYTES_MAX)));
  await expect(stuck).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
  await expect(outbox.acknowledged('t', 0, put('b'))).rejects.toMatchObject({
    code: 'RECORD_TOO_LARGE',
  });
  expect(deaths).toHaveLength(1);
  expect(sent()).toEqual([]);
  await outbox.acknowledged('t', 1, put('c', 1));
});

test('closing ends every wait, and the rows stay for the next process', async () => {
  memory.setReachable(false);
  const seq = put('a');
  const waits = [outbox.acknowledged('t', 0, seq), outbox.idle('t', 0)];
  const outcomes = Promise.allSettled(waits);
  await outbox.close();
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(outbox.acknowledged('t', 0, seq)).rejects.toMatchObject({
    code: 'BROKER_UNAVAILABLE',
  });
  memory.setReachable(true);
  await open().acknowledged('t', 0, seq);
  expect(sent()).toEqual(['a']);
});
