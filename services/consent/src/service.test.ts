import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFeedBlock } from '@concordat/common/domain/block.js';
import { EMPTY_HEAD, followChain } from '@concordat/common/domain/chain.js';
import { type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import { type LogClient, type LogRecord, SEND_BYTES_MAX } from '@concordat/common/io/log-client.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import type { LogFields, Logger } from '@concordat/common/io/logger.js';
import { MemoryLog, memoryLogClient } from '@concordat/common/io/memory-log.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Signer } from '@concordat/common/domain/statement.js';
import type { Served } from '@concordat/common/io/rpc/server.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { identityUri } from '@concordat/common/domain/identity.js';
import { codec, memberOf, testFederation } from '../../../test/support/federation.js';
import { type EventInput, NOW, TestOrigin, eventId } from '../../../test/support/origin.js';
import { until } from '../../../test/support/until.js';
import { ConsentStore } from './io/consent-store.js';
import { type Consent, startConsent } from './service.js';

type StatusResponse = concordat.consent.v1.StatusResponse;
type ExplainResponse = concordat.consent.v1.ExplainResponse;

const [un, de, fr, nl] = [memberOf('un'), memberOf('de'), memberOf('fr'), memberOf('nl')];
const RECIPIENTS = [de, fr, nl];
const LANES = 3;
const federation = testFederation([un, ...RECIPIENTS]);
const clock = { ...systemClock, nowMs: () => nowMs };

const rule = (id: string, recipient: MemberId, categories: string[], sections: string[]) => ({
  ...{ id, effect: 'permit', recipients: [recipient], categories, sections },
  ...{ purposes: ['screening'], retention: { days: 30 } },
});
const span = { from: '2015-01-01T00:00:00Z', until: '2035-01-01T00:00:00Z' };
const POLICY = {
  agreements: [
    {
      ...{ id: 'a1', version: 2, parties: [un, ...RECIPIENTS], ...span },
      rules: [
        rule('r-de', de, ['**'], ['*']),
        rule('r-fr', fr, ['listing.al-qaida.*'], ['identity', 'aliases']),
        rule('r-nl', nl, ['*.*.entity'], ['*']),
      ],
    },
  ],
  consents: [{ id: 'c1', agreementId: 'a1', origin: un, ...span }],
};

let dir: string;
let nowMs = NOW;
let memory: MemoryLog;
let origin: TestOrigin;
let said: { readonly text: string; readonly fields: LogFields | undefined }[];
let calls: readonly Served[] | undefined;
let running: Consent | undefined;
let fetchBlocks: FetchAgain;
/** No holder asks to share on. */
const fetchOnward = async (after: number) => ({ accepted: [], last: after });

beforeEach(() => {
  nowMs = NOW;
  dir = mkdtempSync(join(tmpdir(), 'consent-'));
  memory = new MemoryLog();
  memory.createTopic('events.un', LANES);
  memory.createTopic('quarantine.un', 1);
  memory.createTopic('membership.un', 1);
  for (const recipient of RECIPIENTS) memory.createTopic(`feed.un.${recipient}`, LANES);
  origin = new TestOrigin(un, federation.signer(un, 'node'));
  said = [];
  fetchBlocks = () => Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'the node is away'));
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true });
});

/** The agreements file from now on. */
function writePolicy(policy: unknown): void {
  writeFileSync(join(dir, 'agreements.json'), JSON.stringify(policy));
}
const readPolicy = () => readPolicyFile(join(dir, 'agreements.json'));

const note = (text: string, fields?: LogFields) => void said.push({ text, fields });
const logger: Logger = { debug: note, info: note, warn: note, error: note };

async function start(
  log: LogClient = memoryLogClient(memory, clock),
  policy: unknown = POLICY,
  signer: Signer = federation.signer(un, 'consent'),
): Promise<Consent> {
  writePolicy(policy);
  running = await startConsent(
    { member: un, dataDir: join(dir, 'data'), policy: readPolicy() },
    {
      ...{ clock, codec, keys: federation.keys, signer, log, logger, readPolicy },
      node: { fetchBlocks, fetchOnward },
      listen: async (services) => {
        calls = services;
        return { port: 1, close: async () => undefined };
      },
    },
  );
  return running;
}

async function stop(): Promise<void> {
  await running?.close();
  running = undefined;
}

async function call(method: string, request: unknown): Promise<unknown> {
  const endpoints = calls?.flatMap((served) => served.endpoints) ?? [];
  const endpoint = endpoints.find(({ path }) => path.endsWith(`/${method}`));
  const { federation: name } = federation.federation;
  const caller = { federation: name, member: un, service: 'operator' as const };
  expect(identityUri(caller)).toBe('concordat://test/un/operator');
  return endpoint?.handle(request, {
    caller,
    signal: new AbortController().signal,
    deadlineMs: NOW,
  });
}
const status = async () => (await call('Status', {})) as StatusResponse;
const explain = async (id: number, recipient: string) =>
  (await call('Explain', { eventId: eventId(id), recipient })) as ExplainResponse;

function publish(value: Uint8Array, lane = 0): void {
  memory.append('events.un', lane, [{ value }]);
}

function feed(recipient: MemberId, lane = 0): readonly LogRecord[] {
  return memory.lane(`feed.un.${recipient}`, lane).records;
}

/** The events of a feed as its recipient verifies them. */
function received(recipient: MemberId, lane = 0) {
  return feed(recipient, lane).map(({ value }) => {
    const read = readFeedBlock(codec, federation.keys, value, { origin: un, recipient });
    if (!read.ok) throw read.error;
    return read.value;
  });
}
const ids = (recipient: MemberId, lane = 0) =>
  received(recipient, lane).map(({ releases }) => releases.map(({ header }) => header.id));

/** Until the service has taken every record of the lane. */
async function taken(lane = 0): Promise<void> {
  const { high } = memory.lane('events.un', lane);
  await until(`lane ${String(lane)} is read to its end`, async () => {
    const { counters, outbox } = await status();
    const done =
      Object.entries(counters)
        .filter(([name]) => /^(events\.blocks|duplicate\.events|quarantined\..*)$/.test(name))
        .reduce((sum, [, n]) => sum + n, 0) >= Number(high);
    return done && outbox === 0;
  });
}

const individual = (n: number, more: Partial<EventInput> = {}): EventInput => ({
  id: eventId(n),
  sections: { identity: `name ${String(n)}`, documents: `number ${String(n)}`, remarks: 'text' },
  ...more,
});
const entity = (n: number): EventInput =>
  individual(n, { header: { category: 'listing.taliban.entity' } });

describe('a recipient', () => {
  test('gets what it may have, verifiably, and the others are counted by reason', async () => {
    await start();
    publish(origin.block([individual(1), entity(2), individual(3)]).value);
    await taken();
    expect(ids(de)).toEqual([[eventId(1), eventId(2), eventId(3)]]);
    expect(ids(fr)).toEqual([[eventId(1), eventId(3)]]);
    expect(ids(nl)).toEqual([[eventId(2)]]);
    expect(await status()).toMatchObject({
      member: 'un',
      decided: 3,
      recipients: [
        { recipient: 'de', released: 3, withheld: {} },
        { recipient: 'fr', released: 2, withheld: { NO_RULE: 1 } },
        { recipient: 'nl', released: 1, withheld: { NO_RULE: 2 } },
      ],
      gaps: [],
    });
  });

  test('gets no ciphertext of a section that it may not have', async () => {
    await start();
    const block = origin.block([individual(1)]);
    publish(block.value);
    await taken();
    const [forFr] = received(fr);
    expect(forFr?.releases[0]?.sections.map(({ name }) => name)).toEqual(['identity']);
    expect(forFr?.releases[0]?.release.sections).toEqual(['identity']);
    const decoded = codec.decode('Block', block.value);
    const sealed = decoded.ok ? (decoded.value.envelopes[0]?.sections ?? []) : [];
    const bytes = Buffer.from(feed(fr)[0]?.value ?? []);
    const found = sealed.filter((one) => bytes.includes(Buffer.from(one.sealed)));
    expect(found.map(({ name }) => name)).toEqual(['identity']);
  });

  test('gets one feed block per block, in one chain per lane', async () => {
    await start();
    for (const n of [1, 2, 3]) publish(origin.block([individual(n)]).value);
    publish(origin.block([individual(4)], 2).value, 2);
    await taken();
    await until('lane 2 is fed', () => feed(de, 2).length === 1);
    let head = EMPTY_HEAD;
    for (const { statement } of received(de)) {
      const step = followChain(head, { ...statement.value, hash: statement.hash });
      if (step.kind !== 'next') throw new Error(step.kind);
      head = step.head;
    }
    expect(head.number).toBe(3);
    expect(ids(de, 2)).toEqual([[eventId(4)]]);
    expect(received(de, 2)[0]?.statement.value).toMatchObject({ number: 1, lane: 2 });
  });

  test('gets records whose headers tell the chain and nothing else', async () => {
    await start();
    publish(origin.block([individual(1)]).value);
    await taken();
    expect(feed(fr)[0]?.headers).toEqual({
      ce_specversion: '1.0',
      ce_type: 'concordat.feed-block.v1',
      ce_source: '/members/un',
      ce_id: 'feed.un.fr/0/1/1',
      'content-type': 'application/avro',
    });
  });

  test('gets several feed blocks when one would be larger than a record may be', async () => {
    const long = Array.from('abcdefghijklmnop', (letter) => letter.repeat(64));
    const all = [{ ...rule('r-de', de, ['**'], ['*']), purposes: long }];
    const [agreement] = POLICY.agreements;
    await start(undefined, { ...POLICY, agreements: [{ ...agreement, rules: all }] });
    const events = Array.from({ length: 256 }, (_, n) => ({
      id: eventId(n),
      sections: { identity: 'a' },
      header: { purposes: long, legalBasis: '。'.repeat(512) },
    }));
    publish(origin.block(events).value);
    await taken();
    expect(feed(de).length).toBeGreaterThan(1);
    for (const { value } of feed(de)) expect(value.length).toBeLessThan(SEND_BYTES_MAX);
    expect(ids(de).flat()).toEqual(events.map(({ id }) => id));
  });
});

test('what waits on a lane is taken in order, several records to a commit', async () => {
  for (let n = 0; n < 150; n += 1) publish(origin.block([individual(n)]).value);
  await start();
  await taken();
  expect(ids(de)).toEqual(Array.from({ length: 150 }, (_, n) => [eventId(n)]));
  await stop();
  const store = new ConsentStore(join(dir, 'data'));
  expect(store.chains.position('events.un', 0)).toBe(150n);
  store.close();
});

test("the README's agreements can be read", () => {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, json = ''] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  const file = join(dir, 'readme.json');
  writeFileSync(file, json);
  expect(readPolicyFile(file).agreements).toHaveLength(1);
});

describe('an audience', () => {
  test('that is empty means nobody, and one of members these alone', async () => {
    await start();
    const nobody = { byAgreement: false, members: [] };
    const frAlone = { byAgreement: false, members: [fr] };
    publish(
      origin.block([individual(1, { audience: nobody }), individual(2, { audience: frAlone })])
        .value,
    );
    await taken();
    expect(ids(fr)).toEqual([[eventId(2)]]);
    expect(feed(de)).toEqual([]);
    const { recipients } = await status();
    expect(recipients[0]).toMatchObject({ released: 0, withheld: { AUDIENCE_EXCLUDES: 2 } });
    expect(recipients[1]).toMatchObject({ released: 1, withheld: { AUDIENCE_EXCLUDES: 1 } });
  });

  test.each<[string, string, EventInput['travels']]>([
    ['is missing', 'ENVELOPE_MALFORMED', (one) => ({ ...one, audience: null })],
    [
      'is not the one that was committed to',
      'COMMITMENT_MISMATCH',
      (one) => ({ ...one, audience: one.derivedFrom }),
    ],
  ])('that %s withholds its event from all, and no other event', async (_name, code, travels) => {
    await start();
    const bad = individual(2, { ...(travels && { travels }) });
    publish(origin.block([individual(1), bad, individual(3)]).value);
    await until('the block is taken', async () => (await status()).decided === 3);
    await until('it is sent', () => feed(de).length === 1);
    expect(ids(de)).toEqual([[eventId(1), eventId(3)]]);
    const { recipients, counters } = await status();
    expect(recipients.map(({ withheld }) => withheld['AUDIENCE_UNREADABLE'])).toEqual([1, 1, 1]);
    expect(counters).toMatchObject({ [`quarantined.${code}`]: 1 });
    await stop();
    const store = new ConsentStore(join(dir, 'data'));
    expect(store.chains.quarantined()).toMatchObject([{ source: 'events.un/0/block-1-1#1', code }]);
    store.close();
  });
});

describe('a record is quarantined and the line goes on', () => {
  const stranger = () => new TestOrigin(de, federation.signer(de, 'node'));
  test.each<[name: string, code: string, value: () => Uint8Array]>([
    [
      'of another member (D14)',
      'SENDER_NOT_TOPIC_OWNER',
      () => stranger().block([individual(9)]).value,
    ],
    [
      'that another member signed in our name',
      'SENDER_NOT_TOPIC_OWNER',
      () => new TestOrigin(un, federation.signer(de, 'node')).block([individual(9)]).value,
    ],
    [
      'that another of our services signed',
      'KEY_ROLE_WRONG',
      () => new TestOrigin(un, federation.signer(un, 'revocation')).block([individual(9)]).value,
    ],
    [
      'with a key that nobody knows',
      'KEY_UNKNOWN',
      () =>
        new TestOrigin(un, testFederation([memberOf('se')]).signer(memberOf('se'), 'node')).block([
          individual(9),
        ]).value,
    ],
    [
      'of another federation',
      'RECORD_MALFORMED',
      () => new TestOrigin(un, federation.signer(un, 'node'), 'other').fork([individual(9)]).value,
    ],
    ['that is no block', 'RECORD_MALFORMED', () => Uint8Array.of(1, 2, 3)],
    ['that is empty', 'RECORD_MALFORMED', () => new Uint8Array()],
    [
      'with a signature that does not fit',
      'SIGNATURE_INVALID',
      () => flipped(origin.fork([individual(9)]).value, (block) => signatureOf(block)),
    ],
    [
      'with a ciphertext that does not fit',
      'ENVELOPE_MALFORMED',
      () =>
        flipped(
          origin.fork([individual(9)]).value,
          (block) => block.envelopes[0]?.sections[0]?.sealed,
        ),
    ],
    ['of another lane', 'NOT_ADDRESSED_HERE', () => origin.fork([individual(9)], 1).value],
    [
      'that does not follow the one before',
      'CHAIN_BROKEN',
      () => origin.fork([individual(9)], 0, { previous: EMPTY_HEAD.hash }).value,
    ],
    [
      'of a number that another one has',
      'EQUIVOCATION',
      () => origin.fork([individual(9)], 0, { number: 1, previous: EMPTY_HEAD.hash }).value,
    ],
  ])('%s', async (_name, code, value) => {
    await start();
    publish(origin.block([individual(1)]).value);
    const bad = value();
    publish(bad);
    publish(origin.block([individual(2)]).value);
    await taken();
    expect(ids(de)).toEqual([[eventId(1)], [eventId(2)]]);
    const { counters, decided } = await status();
    expect(counters).toMatchObject({ [`quarantined.${code}`]: 1, 'events.blocks': 2 });
    expect(decided).toBe(2);
    await stop();
    const store = new ConsentStore(join(dir, 'data'));
    expect(store.chains.quarantined()).toMatchObject([{ source: 'events.un/0/1', code }]);
    expect(store.chains.position('events.un', 0)).toBe(3n);
    store.close();
  });

  /** A copy in which one byte of a part is another. */
  function flipped(
    value: Uint8Array,
    part: (block: ReturnType<typeof decodedBlock>) => Uint8Array | undefined,
  ): Uint8Array {
    const found = part(decodedBlock(value));
    const at = found ? Buffer.from(value).indexOf(found) : -1;
    const copy = Uint8Array.from(value);
    const last = at + (found?.length ?? 0) - 1;
    copy[last] = (copy[last] ?? 0) ^ 1;
    return copy;
  }

  function decodedBlock(value: Uint8Array) {
    const block = codec.decode('Block', value);
    if (!block.ok) throw block.error;
    return block.value;
  }

  function signatureOf({ statement }: ReturnType<typeof decodedBlock>): Uint8Array {
    const signed = codec.decode('Signed', statement);
    if (!signed.ok) throw signed.error;
    return signed.value.signature;
  }
});

test('an exact replay is ignored and counted (D15)', async () => {
  await start();
  const first = origin.block([individual(1)]).value;
  publish(first);
  publish(first);
  publish(origin.block([individual(2)]).value);
  publish(first);
  await taken();
  expect(ids(de)).toEqual([[eventId(1)], [eventId(2)]]);
  expect((await status()).counters).toMatchObject({ 'duplicate.events': 2, 'events.blocks': 2 });
});

test('an id stands for one event: a second block that holds it again releases nothing', async () => {
  await start();
  publish(origin.block([individual(1), individual(1, { header: { legalBasis: 'other' } })]).value);
  publish(origin.block([individual(1), individual(2)]).value);
  await taken();
  expect(ids(de)).toEqual([[eventId(1)], [eventId(2)]]);
  const { counters, decided, recipients } = await status();
  expect(counters['repeated.events']).toBe(6);
  expect(decided).toBe(2);
  expect(recipients[0]).toMatchObject({ recipient: 'de', released: 2, withheld: {} });
});

describe('a gap', () => {
  test('stops its lane, named, and other lanes go on; a restart stops at the same place', async () => {
    await start();
    publish(origin.block([individual(1)]).value);
    origin.block([individual(2)]);
    origin.block([individual(3)]);
    publish(origin.block([individual(4)]).value);
    publish(origin.block([individual(5)]).value);
    publish(origin.block([individual(6)], 1).value, 1);
    await until('lane 1 is fed', () => feed(de, 1).length === 1);
    await until('the gap is named', async () => (await status()).gaps.length === 1);
    expect((await status()).gaps[0]).toMatch(/^events\.un\/0: missing 2 to 3/);
    publish(origin.block([individual(7)]).value);
    publish(origin.block([individual(8)], 1).value, 1);
    await until('lane 1 goes on', () => feed(de, 1).length === 2);
    expect(ids(de)).toEqual([[eventId(1)]]);
    const named = said.filter(({ fields }) => isGap(fields));
    expect(named).toHaveLength(1);
    expect(named[0]?.fields).toMatchObject({ topic: 'events.un', lane: 0 });
    await stop();

    await start();
    publish(origin.block([individual(9)], 1).value, 1);
    await until('lane 1 goes on after a restart', () => feed(de, 1).length === 3);
    await until('the gap is named again', () => said.filter((o) => isGap(o.fields)).length === 2);
    expect(ids(de)).toEqual([[eventId(1)]]);
    await stop();
    const store = new ConsentStore(join(dir, 'data'));
    expect(store.chains.position('events.un', 0)).toBe(1n);
    store.close();
  });

  function isGap(fields: LogFields | undefined): boolean {
    return fields?.error instanceof ConcordatError && fields.error.code === 'CHAIN_GAP';
  }
});

describe('after a crash', () => {
  /** A broker that takes nothing, or takes and never says so. */
  function deaf(takes: boolean): LogClient {
    const log = memoryLogClient(memory, clock);
    let sent = 0;
    return {
      ...log,
      send: async (topic, lane, records) => {
        if (takes && sent++ < RECIPIENTS.length) memory.append(topic, lane, records);
        throw new ConcordatError('BROKER_UNAVAILABLE', 'no answer');
      },
    };
  }

  function outboxRows(): { topic: string; value: Uint8Array }[] {
    const store = new ConsentStore(join(dir, 'data'));
    const rows = store.chains
      .outboxLanes()
      .flatMap(({ topic, lane }) =>
        store.chains
          .outboxOf(topic, lane, 10)
          .map(({ record }) => ({ topic, value: record.value })),
      );
    store.close();
    return rows;
  }

  test('between commit and send the same bytes are sent', async () => {
    await start(deaf(false));
    publish(origin.block([individual(1)]).value);
    await until('it is committed', async () => (await status()).outbox === 2);
    await stop();
    const rows = outboxRows();
    expect(feed(de)).toEqual([]);
    await start();
    await until('it is sent', async () => (await status()).outbox === 0);
    expect([...feed(de), ...feed(fr)].map(({ topic, value }) => ({ topic, value }))).toEqual(rows);
  });

  test('between send and acknowledgement the resend is byte-identical, without a gap (D2)', async () => {
    await start(deaf(true));
    publish(origin.block([individual(1)]).value);
    await until('it is there', () => feed(de).length === 1 && feed(fr).length === 1);
    await stop();
    await start();
    publish(origin.block([individual(2)]).value);
    await until('all is sent', async () => {
      const { outbox, decided } = await status();
      return outbox === 0 && decided === 2;
    });
    const [first, second, third] = feed(de);
    expect(second?.value).toEqual(first?.value);
    const numbers = received(de).map(({ statement }) => statement.value.number);
    expect(numbers.filter((number, i) => numbers.indexOf(number) === i)).toEqual([1, 2]);
    expect(third).toBeDefined();
  });

  test('reading resumes where the last commit left it', async () => {
    await start();
    publish(origin.block([individual(1)]).value);
    await taken();
    await stop();
    publish(origin.block([individual(2)]).value);
    await start();
    await taken();
    expect(ids(de)).toEqual([[eventId(1)], [eventId(2)]]);
    const { counters } = await status();
    expect(counters).toMatchObject({ 'events.blocks': 2 });
    expect(counters).not.toHaveProperty(['duplicate.events']);
  });
});

describe('a database that is older than the topic', () => {
  async function lose(): Promise<void> {
    await stop();
    rmSync(join(dir, 'data'), { recursive: true });
  }

  test('takes over the numbers of its own feeds: none is used twice', async () => {
    await start();
    publish(origin.block([individual(1)]).value);
    publish(origin.block([individual(2)]).value);
    await taken();
    await lose();
    await start();
    await taken();
    const numbers = received(de).map(({ statement }) => statement.value.number);
    expect(numbers).toEqual([1, 2, 3, 4]);
    expect(said.filter(({ text }) => text.includes('ahead of the database'))).toHaveLength(2);
  });

  test("is not misled by a stranger's record at the end", async () => {
    await start();
    publish(origin.block([individual(1)]).value);
    await taken();
    const [forFr] = feed(fr);
    await lose();
    memory.append('feed.un.de', 0, [
      { value: Uint8Array.of(1) },
      { value: forFr?.value ?? new Uint8Array() },
    ]);
    await start();
    await taken();
    const verified = [feed(de)[0], feed(de).at(-1)].map((record) => {
      const value = record?.value ?? new Uint8Array();
      const read = readFeedBlock(codec, federation.keys, value, { origin: un, recipient: de });
      if (!read.ok) throw read.error;
      return read.value.statement;
    });
    const [first, next] = verified;
    expect(next?.value).toMatchObject({ number: 2, previous: first?.hash });
  });

  test('and speaks against it is not written on', async () => {
    await start();
    publish(origin.block([individual(1)]).value);
    await taken();
    await stop();
    const store = new ConsentStore(join(dir, 'data'));
    const head = store.chains.ownHead('feed.un.de/0');
    store.chains.advanceOwn('feed.un.de/0', head, { ...head, hash: EMPTY_HEAD.hash });
    store.close();
    await expect(start()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
  });
});

describe('a start is refused', () => {
  test('while another process has the data directory, and only so long', async () => {
    await start();
    const first = running;
    await expect(start()).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
    await first?.close();
    await start();
  });

  test("with a key that is not this member's consent key", async () => {
    const other = federation.signer(un, 'node');
    await expect(start(undefined, POLICY, other)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('without the topic of a possible recipient, and lets go of everything', async () => {
    memory.deleteTopic('feed.un.nl');
    await expect(start()).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
    memory.createTopic('feed.un.nl', LANES);
    await start();
  });

  test('with fewer lanes in a feed than in the events', async () => {
    memory.createTopic('feed.un.nl', LANES - 1);
    await expect(start()).rejects.toMatchObject({ code: 'TOPIC_DIFFERS' });
  });
});

test('a feed that can never be sent ends the service', async () => {
  const { died } = await start();
  memory.deleteTopic('feed.un.fr');
  publish(origin.block([individual(1)]).value);
  await expect(died).resolves.toMatchObject({ code: 'TOPIC_MISSING' });
});

describe('an operator is told', () => {
  beforeEach(async () => {
    await start();
    publish(origin.block([individual(1), entity(2)]).value);
    await taken();
  });

  test('on which terms an event was released', async () => {
    expect(await explain(1, 'fr')).toEqual({
      outcome: 'RELEASED',
      reason: '',
      ruleId: 'r-fr',
      agreementId: 'a1',
      agreementVersion: 2,
      sections: ['identity'],
      purposes: ['screening'],
      deleteByMs: NOW + 30 * 86_400_000,
      decidedAtMs: NOW,
      category: 'listing.al-qaida.individual',
      policyVersion: expect.stringMatching(/^[\w-]{43}$/),
      policyChanged: false,
      facts: expect.arrayContaining(['agreement a1 v2: in force']),
    });
  });

  test('what a decision rested on', async () => {
    const { facts } = await explain(2, 'fr');
    expect(facts).toContainEqual(
      expect.stringMatching(/^rule r-fr: in force, does not speak of listing.taliban.entity, /),
    );
    expect((await explain(1, 'se')).facts).toEqual(['no agreement between un and se']);
  });

  test('that agreements have changed since, rather than facts that it did not rest on', async () => {
    const before = await explain(1, 'fr');
    await stop();
    nowMs = asUnixMs(NOW + 1);
    await start(undefined, { ...POLICY, consents: [] });
    expect(await explain(1, 'fr')).toEqual({ ...before, facts: [], policyChanged: true });
  });

  test('why an event was withheld', async () => {
    expect(await explain(2, 'fr')).toMatchObject({
      outcome: 'WITHHELD',
      reason: 'NO_RULE',
      category: 'listing.taliban.entity',
    });
  });

  test('that no agreement reaches a member', async () => {
    expect(await explain(1, 'se')).toMatchObject({ outcome: 'WITHHELD', reason: 'NO_AGREEMENT' });
  });

  test.each<[string, unknown, string]>([
    [
      'an event that was never decided on',
      { eventId: eventId(9), recipient: 'fr' },
      'EVENT_UNKNOWN',
    ],
    ['one that no agreement reaches', { eventId: eventId(9), recipient: 'se' }, 'EVENT_UNKNOWN'],
    ['an id that is none', { eventId: '9', recipient: 'fr' }, 'REQUEST_INVALID'],
    ['a member that is none', { eventId: eventId(1), recipient: 'FR' }, 'REQUEST_INVALID'],
    ['itself', { eventId: eventId(1), recipient: 'un' }, 'REQUEST_INVALID'],
  ])('nothing about %s', async (_name, request, code) => {
    await expect(call('Explain', request)).rejects.toMatchObject({ code });
  });
});
