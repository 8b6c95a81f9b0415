import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { DataStore } from '@concordat/node/io/data-store.js';
import { backupNode, restoreNode } from '@concordat/node/maintain.js';
import { schemasDir } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { STORES, lose } from '../support/losses.js';
import { DE, FR, NodeWorld, UN, contentOf, receiptOf, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const soon = { timeoutMs: 1 };

let world: NodeWorld;
let file: string;
beforeEach(() => {
  world = new NodeWorld();
  file = join(world.dir, 'data.backup');
});
afterEach(() => world.dispose());

const settings = (member: MemberId) => ({
  ...{ member, schemasDir, federation: world.federation },
  dataDir: join(world.dir, `node-${member}`),
});
const backup = (member: MemberId, to = file) =>
  backupNode(settings(member), to, world.clock.nowMs());
const restore = (member: MemberId, from = file) =>
  restoreNode(settings(member), from, world.clock.nowMs());

async function purge(n: number): Promise<void> {
  const order = officerOrder(world.members, { orderId: orderId(n), ids: [eventId(n)] });
  await world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ order, approvals: [] }, soon);
  world.purges.purge(DE, eventId(n));
}

/** The origin seals these sections for everybody, and the holder answers. */
async function take(n: number, sections: readonly string[]): Promise<void> {
  const ids = [eventId(n)];
  const order = officerOrder(world.members, { orderId: orderId(n), ids, sections });
  await world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ order, approvals: [] }, soon);
  const value = world.purges.next(DE, ids, { sections });
  world.log.append('purge.un.de', 0, [{ value }]);
  await world.receipts(DE, 1);
}

const takeRemarks = (n: number) => take(n, ['remarks']);

/** Of which sections the data store has ciphertext while the node does not run. */
function sectionsHeld(n: number): string[] {
  const store = new DataStore(join(world.dir, 'node-de', 'data.db'));
  try {
    return store.sections(UN, eventId(n)).map(({ name }) => name);
  } finally {
    store.close();
  }
}

async function outcome(member: MemberId, id: EventId): Promise<string> {
  try {
    await world.open(member, id);
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

async function shared(): Promise<void> {
  await world.start(UN, DE);
  for (const n of [1, 2, 3, 4]) await world.publish(n);
  await world.readable(DE, 4);
}

/** Nobody has older feed blocks any more: neither the topic, nor consent. */
async function forgetFeeds(): Promise<void> {
  await world.stopConsent();
  const db = new Sqlite(join(world.dir, 'consent', 'consent.db'), '');
  db.run('DELETE FROM kept');
  db.close();
  for (const [lane, { high }] of world.log.lanes('feed.un.de').entries()) {
    world.log.deleteRecordsBefore('feed.un.de', lane, high);
  }
  await world.startConsent();
}

describe('a backup', () => {
  test('of a running node has its data, a manifest, and neither keys nor state', async () => {
    await shared();
    const manifest = await backup(DE);
    expect(manifest).toMatchObject({
      ...{ format: 1, federation: 'test', member: 'de' },
      counts: { events: 4 },
      bytes: statSync(file).size,
    });
    expect(manifest.heads.map(({ chain }) => chain)).toContain('feed.un.de/0');
    expect(JSON.parse(readFileSync(`${file}.manifest.json`, 'utf8'))).toEqual(manifest);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const end of ['-wal', '-shm', '-journal']) expect(existsSync(file + end)).toBe(false);
    const db = new Sqlite(file, '');
    const tables = db.all("SELECT name FROM sqlite_master WHERE type = 'table'");
    expect(tables.map(({ name }) => name)).not.toContain('tombstone');
    expect(tables.map(({ name }) => name)).not.toContain('event_key');
    for (const table of ['quarantine', 'outbox', 'kept', 'store_mark']) {
      expect(db.all(`SELECT * FROM ${table}`)).toEqual([]);
    }
    db.close();
    // the node works on
    await purge(1);
    await world.receipts(DE, 1);
  });

  test('overwrites nothing', async () => {
    await shared();
    await backup(DE);
    const before = readFileSync(file);
    expect(await refusalOf(backup(DE))).toMatchObject({ code: 'REQUEST_INVALID' });
    expect(readFileSync(file)).toEqual(before);
    writeFileSync(join(world.dir, 'other.manifest.json'), 'mine');
    const other = backup(DE, join(world.dir, 'other'));
    expect(await refusalOf(other)).toMatchObject({ code: 'REQUEST_INVALID' });
    expect(existsSync(join(world.dir, 'other'))).toBe(false);
  });

  test('is not restored into a running node, nor into another one, nor with a changed byte', async () => {
    await shared();
    await world.startNode(FR);
    await backup(DE);
    expect(await refusalOf(restore(DE))).toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await world.stopNode(FR);
    expect(await refusalOf(restore(FR))).toMatchObject({ code: 'BACKUP_INVALID' });
    await world.stopNode(DE);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    expect(await refusalOf(restore(DE))).toMatchObject({ code: 'BACKUP_INVALID' });
  });
});

describe('restoring', () => {
  test('an old backup over what is there brings nothing back that was purged, and says so', async () => {
    await shared();
    await backup(DE);
    await purge(1);
    await world.receipts(DE, 1);
    await world.publish(5);
    await world.readable(DE, 4);
    await world.stopNode(DE);
    expect(await restore(DE)).toMatchObject({
      events: 4,
      restored: { waiting: 0, published: 0, refused: 0 },
      filtered: { KNOWN: 3, PURGED: 1, RETENTION: 0, UNPUBLISHED: 0, UNVERIFIED: 0 },
      feeds: [],
    });
    await world.startNode(DE);
    await world.readable(DE, 4);
    expect(await outcome(DE, eventId(1))).toBe('PURGED');
  });

  test.each<[string, readonly (typeof STORES)[number][]]>([
    ['data', ['data']],
    ['data and vault', ['data', 'vault']],
    ['data and state', ['data', 'state']],
    ['everything', STORES],
  ])('after a loss of %s has back what nobody else has', async (_name, stores) => {
    await shared();
    await backup(DE);
    await purge(1);
    const receipts = await world.receipts(DE, 1);
    await forgetFeeds();
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    lose(dataDir, ...stores);
    const report = await restore(DE);
    const isStateLost = stores.includes('state');
    expect(report.restored).toEqual({ waiting: isStateLost ? 4 : 3, published: 0, refused: 0 });
    expect(report.filtered.PURGED).toBe(isStateLost ? 0 : 1);
    expect(report.feeds.length).toBeGreaterThan(0);
    world.purges.isUp = false;
    await world.startNode(DE);
    for (const n of [1, 2]) expect(await outcome(DE, eventId(n))).toMatch(/NOT_FRESH|PURGED/);
    world.purges.isUp = true;
    await world.readable(DE, 3);
    await world.publish(5);
    await world.readable(DE, 4);
    expect(await outcome(DE, eventId(1))).toBe('PURGED');
    for (const n of [2, 3, 4, 5]) {
      expect(await world.read(DE, eventId(n))).toMatchObject(contentOf(n));
    }
    expect((await world.partner(DE)).gaps).toEqual([]);
    const { rows, keys, tombstones } = await world.inventory(DE);
    expect([...rows, ...keys].filter((name) => tombstones.includes(name))).toEqual([]);
    expect(await world.receipts(DE, 1)).toEqual(receipts);
  });

  describe.each<[when: string, isBefore: boolean]>([
    ['before the backup', true],
    ['after the backup', false],
  ])('what is left of an event of which a section was taken back %s', (_when, isBefore) => {
    test.each<[string, readonly (typeof STORES)[number][]]>([
      ['data', ['data']],
      ['everything', STORES],
    ])('after a loss of %s', async (_name, stores) => {
      await shared();
      if (!isBefore) await backup(DE);
      await takeRemarks(1);
      if (isBefore) await backup(DE);
      await forgetFeeds();
      const { dataDir } = world.node(DE);
      await world.stopNode(DE);
      lose(dataDir, ...stores);
      const { restored, filtered } = await restore(DE);
      expect(restored.waiting).toBe(4);
      expect(filtered).toMatchObject({ PURGED: 0, UNVERIFIED: 0 });
      if (!stores.includes('state')) expect(sectionsHeld(1)).not.toContain('remarks');
      await world.startNode(DE);
      await world.readable(DE, 4);
      const left: Record<string, unknown> = { ...contentOf(1) };
      delete left['remarks'];
      await until('what is left is read', async () => (await outcome(DE, eventId(1))) === 'READ');
      expect(await world.read(DE, eventId(1))).toMatchObject(left);
      expect(await world.read(DE, eventId(1))).not.toHaveProperty('remarks');
      expect(await world.read(DE, eventId(2))).toMatchObject(contentOf(2));
      await world.stopNode(DE);
      expect(sectionsHeld(1)).not.toContain('remarks');
    });
  });

  test('no event of which all sections were taken back', async () => {
    await shared();
    await backup(DE);
    const all = ['addresses', 'aliases', 'documents', 'identity', 'listing', 'remarks'];
    await take(1, all);
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    lose(dataDir, 'data');
    expect((await restore(DE)).filtered).toMatchObject({ PURGED: 1, UNVERIFIED: 0 });
  });

  test('no event that lacks a section which nobody took back', async () => {
    await shared();
    const { dataDir } = world.node(DE);
    await take(4, ['remarks']); // the node has heard of purges
    await world.stopNode(DE);
    const store = new DataStore(join(dataDir, 'data.db'));
    store.deleteSections(UN, eventId(1), new Set(['remarks']));
    store.close();
    await backup(DE);
    lose(dataDir, 'data');
    expect((await restore(DE)).filtered).toMatchObject({ UNVERIFIED: 1 });
  });

  test('own rows at an origin, of which its topic has none any more', async () => {
    await shared();
    await backup(UN);
    await purge(1);
    await world.receipts(DE, 1);
    const { dataDir } = world.node(UN);
    await world.stopNode(UN);
    for (const [lane, { high }] of world.log.lanes('events.un').entries()) {
      world.log.deleteRecordsBefore('events.un', lane, high);
    }
    lose(dataDir, 'data', 'state');
    expect((await restore(UN)).restored).toEqual({ waiting: 0, published: 4, refused: 0 });
    await world.startNode(UN);
    for (const n of [2, 3, 4]) expect(await outcome(UN, eventId(n))).toBe('READ');
    expect(await outcome(UN, eventId(1))).toBe('PURGED');
    // with the header there is a proof, and what is proven can be taken back
    await purge(2);
    await world.receipts(DE, 2);
  });

  test('takes nothing in that its origin did not sign, and nothing whose term is over', async () => {
    await world.start(UN, DE);
    const nowMs = Date.now();
    await world.publish(1);
    await world.publish(2);
    await world.publish(3, { retainUntilMs: nowMs + 60_000 });
    await world.readable(DE, 3);
    await world.stopNode(DE);
    const changed = new Sqlite(join(world.dir, 'node-de', 'data.db'), '');
    const body = changed.get('SELECT row, bytes FROM body ORDER BY row LIMIT 1');
    const bytes = Buffer.from(body?.['bytes'] as Uint8Array);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    changed.run('UPDATE body SET bytes = ? WHERE row = ?', bytes, body?.['row'] ?? null);
    changed.close();
    await backup(DE);
    lose(join(world.dir, 'node-de'), 'data');
    world.ahead.wallMs = 120_000;
    expect(await restore(DE)).toMatchObject({
      restored: { waiting: 1 },
      filtered: { UNVERIFIED: 1, RETENTION: 1 },
    });
  });

  test('names the copy systems again', async () => {
    await shared();
    await world.node(DE).national.registerSystem({ systemId: 'db', kind: 'copy' }, soon);
    await backup(DE);
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    lose(dataDir, ...STORES);
    expect(await restore(DE)).toMatchObject({ systems: 1 });
    await world.startNode(DE);
    await world.readable(DE, 4);
    await purge(1);
    await until('the purge is applied', async () => (await world.partner(DE)).purgeApplied === 1);
    const { systems } = await world.node(DE).national.listSystems({}, soon);
    expect(systems).toMatchObject([{ systemId: 'db', outstanding: 1 }]);
    const stages = (await world.receipts(DE, 1)).map(
      (bytes) => receiptOf(world, bytes).value.stage,
    );
    expect(stages).toEqual(['OPEN']);
  });
});

test('the command line backs up and restores by the node’s own program', async () => {
  await shared();
  await world.stopNode(DE);
  const files = world.members.write(join(world.dir, 'files'), DE, 'node');
  const agreements = join(world.dir, 'agreements.json');
  const env = {
    ...{ PATH: process.env['PATH'] ?? '', KAFKA_BROKERS: '127.0.0.1:1' },
    ...{ CONCORDAT_MEMBER: DE, CONCORDAT_PROFILE: 'demo', CONCORDAT_SCHEMAS_DIR: schemasDir },
    ...{ CONCORDAT_FEDERATION_FILE: files.federationFile, CONCORDAT_AGREEMENTS_FILE: agreements },
    ...{ CONCORDAT_DATA_DIR: join(world.dir, 'node-de'), CONCORDAT_GRPC__LISTEN: '127.0.0.1:0' },
    CONCORDAT_TLS__CERT_FILE: files.tls.certFile,
    CONCORDAT_TLS__KEY_FILE: files.tls.keyFile,
    CONCORDAT_SIGNING_KEY_FILE: files.signingKeyFile,
  };
  const bin = fileURLToPath(new URL('../../services/cli/bin/concordat.js', import.meta.url));
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      execFile(
        process.execPath,
        [bin, 'node', ...args, '--output', 'json'],
        { env },
        (e, out, err) => resolve({ code: typeof e?.code === 'number' ? e.code : 0, out, err }),
      );
    });
  const made = await run('backup', file);
  expect(made).toMatchObject({ code: 0 });
  expect(JSON.parse(made.out)).toMatchObject({ member: 'de', counts: { events: 4 } });
  expect(await run('backup', file)).toMatchObject({
    code: 2,
    err: expect.stringContaining('REQUEST_INVALID') as unknown,
  });
  lose(join(world.dir, 'node-de'), 'data');
  const restored = await run('restore', file);
  expect(restored).toMatchObject({
    code: 0,
    err: expect.stringContaining('start the node') as unknown,
  });
  expect(JSON.parse(restored.out)).toMatchObject({ restored: { waiting: 4 } });
  copyFileSync(`${file}.manifest.json`, file);
  expect(await run('restore', file)).toMatchObject({
    code: 5,
    err: expect.stringContaining('BACKUP_INVALID') as unknown,
  });
  await world.startNode(DE);
  await world.readable(DE, 4);
});
