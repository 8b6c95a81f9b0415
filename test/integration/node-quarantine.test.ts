import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sha256 } from '@concordat/common/domain/bytes.js';
import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import { type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { FeedStatement, QuarantinedRecord } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { codec, memberOf, schemasDir, testFederation } from '../support/federation.js';
import { DE, LANES, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

const FEED = 'feed.un.de';
const soon = { timeoutMs: 1 };

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const items = async () => (await world.node(DE).quarantine.list({}, soon)).items;
const replay = (source: string) => world.node(DE).quarantine.replay({ source }, soon);
const digest = () => world.node(DE).operator.stateDigest({}, soon);
const firstOn = (lane: number): Uint8Array => {
  const [first] = world.records(FEED, lane);
  if (!first) throw new Error(`nothing on lane ${String(lane)}`);
  return first.value;
};

/** What stands on the member's topic, decoded. */
function copies(member: MemberId = DE): QuarantinedRecord[] {
  return world.records(`quarantine.${member}`).map(({ value }) => {
    const record = codec.decode('QuarantinedRecord', value);
    if (!record.ok) throw record.error;
    return record.value;
  });
}

/** A feed block of `un` for `de` with nothing in it, signed by whom the test wants. */
function feedBlock(
  change: Partial<FeedStatement> = {},
  signer = world.members.signer(UN, 'consent'),
): Uint8Array {
  const { bytes } = signStatement(codec, signer, 'FeedStatement', {
    ...{
      suite: SUITE,
      federation: 'test',
      origin: UN,
      keyId: signer.keyId,
      recipient: DE,
      lane: 0,
    },
    ...{ ...nextLink(EMPTY_HEAD), timeMs: asUnixMs(Date.now()), releases: [] },
    ...change,
  });
  return codec.encode('FeedBlock', { statement: bytes, blocks: [] });
}

function append(value: Uint8Array, lane = 0): void {
  world.log.append(FEED, lane, [{ value }]);
}

/** Publishes one event for each lane and waits until de reads them. */
async function exchange(): Promise<void> {
  for (let n = 0; n < LANES; n += 1) await world.publish(n);
  await world.readable(DE, LANES);
}

/** Makes every insert of this event fail in the node's own database, as a mistake of ours would. */
function breakInsertOf(member: MemberId, n: number): { repair: () => void } {
  const db = new Sqlite(join(world.dir, `node-${member}`, 'data.db'), 'SELECT 1');
  const id = eventId(n).replaceAll('-', '');
  db.run(
    `CREATE TRIGGER broken BEFORE INSERT ON event WHEN hex(NEW.id) = upper('${id}')
     BEGIN SELECT RAISE(ABORT, 'broken'); END`,
  );
  return {
    repair: () => {
      db.run('DROP TRIGGER broken');
      db.close();
    },
  };
}

describe('D10: an event whose effect always fails', () => {
  test('is set aside after three tries, the line goes on within 5 s, and a replay brings it in', async () => {
    await world.start(UN, DE);
    const { repair } = breakInsertOf(DE, 0);
    const startMs = performance.now();
    for (let n = 0; n < 6; n += 1) await world.publish(n);
    await world.readable(DE, 5);
    expect(performance.now() - startMs).toBeLessThan(5_000);
    const [item] = await items();
    expect(item).toMatchObject({ code: 'RECORD_FAILED' });
    const tries = world.said.filter(({ text }) => text === 'reading again');
    expect(tries).toHaveLength(3);
    expect(world.deaths).toEqual([]);
    expect(await world.partner(DE)).toMatchObject({ gaps: [] });

    const source = item?.source ?? '';
    await expect(replay(source)).rejects.toThrow();
    expect(await items()).toHaveLength(1);
    repair();
    expect(await replay(source)).toMatchObject({ outcome: 'APPLIED' });
    await world.readable(DE, 6);
    expect(await world.read(DE, eventId(0))).toBeDefined();
    expect(await items()).toEqual([]);
  });

  test('that stands alone leads to no restart loop: the next start goes on behind it', async () => {
    await world.start(UN, DE);
    const { repair } = breakInsertOf(DE, 0);
    await world.publish(0);
    await world.counted(DE, 'quarantined.RECORD_FAILED', 1);
    await world.restart(DE);
    for (let n = 1; n <= LANES; n += 1) await world.publish(n);
    await world.readable(DE, LANES);
    expect(await world.counter(DE, 'quarantined.RECORD_FAILED')).toBe(1);
    repair();
  });
});

describe('D13: a feed block', () => {
  const XX = memberOf('xx');
  const stranger = testFederation([XX]).signer(XX, 'consent');
  test.each<[name: string, code: string, value: () => Uint8Array]>([
    [
      'with a wrong signature',
      'SIGNATURE_INVALID',
      () => {
        const block = codec.decode('FeedBlock', feedBlock());
        const signed = block.ok && codec.decode('Signed', block.value.statement);
        if (!signed || !signed.ok) throw new Error('our own block');
        const signature = Uint8Array.from(signed.value.signature);
        signature[5] = (signature[5] ?? 0) ^ 1;
        const statement = codec.encode('Signed', { ...signed.value, signature });
        return codec.encode('FeedBlock', { statement, blocks: [] });
      },
    ],
    ['of an unknown key', 'KEY_UNKNOWN', () => feedBlock({}, stranger)],
    [
      'of a key of another member',
      'SENDER_NOT_TOPIC_OWNER',
      () => feedBlock({}, world.members.signer(DE, 'consent')),
    ],
  ])('%s is refused as %s; nothing is opened, and the line goes on', async (_name, code, value) => {
    await world.start(UN, DE);
    await exchange();
    const before = await digest();
    append(value());
    await world.counted(DE, `quarantined.${code}`, 1);
    expect((await items()).map((item) => item.code)).toEqual([code]);
    expect(await digest()).toEqual(before);
    await world.publish(10);
    await world.publish(11);
    await world.readable(DE, LANES + 2);
  });
});

describe('D16: one number signed twice with other contents', () => {
  test('the first stays, both hashes are evidence, and neither a flood nor a replay removes it', async () => {
    await world.start(UN, DE);
    await exchange();
    const before = await digest();
    const second = feedBlock({ timeMs: asUnixMs(1) });
    append(second);
    await world.counted(DE, 'quarantined.EQUIVOCATION', 1);
    expect(await digest()).toEqual(before);
    const evidence = (await items())[0];
    expect(evidence).toMatchObject({ code: 'EQUIVOCATION', size: second.length });
    expect(evidence?.message).toMatch(/number 1: signed before as [\w-]{43}, now as [\w-]{43}$/);
    expect(await replay(evidence?.source ?? '')).toMatchObject({
      outcome: 'REFUSED',
      code: 'EQUIVOCATION',
    });
    for (let n = 0; n < 1_100; n += 1) append(Uint8Array.of(n & 255, n >> 8));
    await world.counted(DE, 'quarantined.RECORD_MALFORMED', 1_100);
    const kept = await items();
    expect(kept.filter(({ code }) => code === 'EQUIVOCATION')).toEqual([evidence]);
    await until('the copy is there', () => copies().length > 0);
    expect(copies()[0]).toMatchObject({
      ...{ member: DE, service: 'node', source: evidence?.source, code: 'EQUIVOCATION' },
      valueHash: sha256(second),
    });
    expect(copies()[0]?.value).toEqual(Buffer.from(second));
    // the first block is the one that counts: its event is still here, and readable
    expect(await world.read(DE, eventId(0))).toBeDefined();
  });
});

describe('D17: a record of a schema that is not known', () => {
  /** The same record under the fingerprint of a version that does not exist yet. */
  const newer = (value: Uint8Array): Uint8Array => {
    const bytes = Uint8Array.from(value);
    bytes[9] = (bytes[9] ?? 0) ^ 1;
    return bytes;
  };

  test('is quarantined, not dropped; the lane waits for it, and goes on when it can be read', async () => {
    await world.start(UN);
    for (let n = 0; n < 2 * LANES; n += 1) await world.publish(n);
    await until('all were released', () =>
      world.log.lanes(FEED).every(({ records }) => records.length === 2),
    );
    const known = firstOn(0);
    const records = world.records(FEED, 0).map(({ value }) => ({ value }));
    world.log.deleteTopic(FEED);
    world.log.createTopic(FEED, LANES);
    await world.stopConsent(); // who could be asked for the missing one
    world.log.append(FEED, 0, [{ value: newer(known) }, ...records.slice(1)]);
    await world.startNode(DE);
    await world.counted(DE, 'quarantined.SCHEMA_UNKNOWN', 1);
    await until('the gap is named', async () => (await world.partner(DE)).gaps.length === 1);
    const source = `${FEED}/0/0`;
    expect(await items()).toMatchObject([{ source, code: 'SCHEMA_UNKNOWN' }]);
    expect(await replay(source)).toMatchObject({ outcome: 'REFUSED', code: 'SCHEMA_UNKNOWN' });

    // the same bytes, and a service that knows their schema
    await world.stopNode(DE);
    const db = new Sqlite(join(world.dir, 'node-de', 'data.db'), 'SELECT 1');
    db.run('UPDATE quarantine SET value = ? WHERE source = ?', known, source);
    db.close();
    await world.startNode(DE);
    await world.readable(DE, 2);
    expect(await items()).toEqual([]);
    expect(await world.partner(DE)).toMatchObject({ gaps: [] });
  });
});

describe('D17: an event of a category schema that is not known', () => {
  test('is kept with its keys, not readable, and opens by itself once the schema is approved', async () => {
    const here = join(world.dir, 'schemas');
    const approved = join(world.dir, 'approved');
    cpSync(schemasDir, here, { recursive: true });
    rmSync(join(here, 'listing.v1.avsc'));
    mkdirSync(approved);
    await world.start(UN);
    await world.startNode(DE, { schemasDir: here, approvedSchemasDir: approved });
    await world.publish(0);
    await world.readable(DE, 1);
    const reading = () => world.read(DE, eventId(0));
    expect(await refusalOf(reading())).toMatchObject({ code: 'SCHEMA_UNKNOWN' });

    // there, but approved by nobody; then approved by another hash
    const file = 'listing.v1.avsc';
    cpSync(join(schemasDir, file), join(approved, file));
    const list = (hash: string) =>
      writeFileSync(join(approved, 'approved.json'), JSON.stringify({ [file]: hash }));
    expect(await refusalOf(reading())).toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    list('00'.repeat(32));
    expect(await refusalOf(reading())).toMatchObject({ code: 'SCHEMA_INVALID' });
    list(Buffer.from(sha256(readFileSync(join(approved, file)))).toString('hex'));
    expect(await reading()).toMatchObject({ secondName: 'Countess Lovelace' });
  });
});

describe('a replay', () => {
  test('of what is not there is refused', async () => {
    await world.start(UN, DE);
    for (const source of ['', 'nowhere/0/1', `${FEED}/0/7`, `${FEED}/0/7#3`]) {
      expect(await refusalOf(replay(source))).toMatchObject({ code: 'REQUEST_INVALID' });
    }
  });

  test('of a purge entry has its whole effect, and reading goes on behind it', async () => {
    await world.start(UN, DE);
    await exchange();
    world.cutLedger();
    const first = world.purges.next(DE, [eventId(0)]);
    world.log.append('purge.un.de', 0, [{ value: Uint8Array.of(1) }]);
    world.purges.purge(DE, eventId(1));
    await until('the gap is named', async () => (await world.partner(DE)).gaps.length === 1);
    await world.stopNode(DE);
    const db = new Sqlite(join(world.dir, 'node-de', 'state.db'), 'SELECT 1');
    db.run("UPDATE quarantine SET value = ?, code = 'RECORD_FAILED'", first);
    db.close();
    await world.startNode(DE);
    await until('the gap is named', async () => (await world.partner(DE)).gaps.length === 1);
    expect(world.records('receipts.de.un')).toEqual([]);
    expect(await replay('purge.un.de/0/0')).toMatchObject({ outcome: 'APPLIED' });
    expect(await world.receipts(DE, 2)).toHaveLength(2);
    expect(await refusalOf(world.open(DE, eventId(0)))).toMatchObject({ code: 'PURGED' });
    expect(await refusalOf(world.open(DE, eventId(1)))).toMatchObject({ code: 'PURGED' });
    expect(await world.partner(DE)).toMatchObject({ gaps: [] });
  });
});
