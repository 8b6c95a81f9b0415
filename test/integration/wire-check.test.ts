import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { concatBytes } from '@concordat/common/domain/bytes.js';
import type { EventId, Hash } from '@concordat/common/domain/ids.js';
import type { RecordName, RecordTypes } from '@concordat/common/domain/records.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import type { KeyReply, Wanted } from '@concordat/node/flows/apply-keys.js';
import { codec, schemasDir } from '../support/federation.js';
import { officerOrder, orderId, signAs } from '../support/ledger.js';
import { DE, FR, NodeWorld, UN, contentOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { runPython } from '../support/python.js';
import { Capture } from '../support/wire-check.js';

/** Enough at once that they come to stand in few blocks. */
const AT_ONCE = 30;
const TOPICS = [
  'events.un',
  'feed.un.de',
  'feed.un.fr',
  'ledger.un',
  'purge.un.de',
  'receipts.de.un',
];

let world: NodeWorld;
/** section keys that the origin gave to `de`, by `<origin>/<id>/<section>` */
const keysOfDe = new Map<string, Uint8Array>();
let lastCapture = 0;

beforeAll(async () => {
  world = new NodeWorld();
  world.aroundKeys = (ask) => async (wanted, signal) => {
    const reply = await ask(wanted, signal);
    keepKeys(wanted, reply);
    return reply;
  };
  await world.start(UN, DE, FR);
  const first = await world.publish(0);
  const rest = Array.from({ length: AT_ONCE }, (_, n) =>
    world.publish(n + 1, {}, contentOf(n + 1)),
  );
  await Promise.all([...rest, world.publish(99, { supersedes: first.id })]);
  await world.readable(DE, AT_ONCE + 2);
  await world.readable(FR, AT_ONCE + 2);
  const order = officerOrder(world.members, { orderId: orderId(1), ids: [first.id, eventId(7)] });
  const revocation = world.keyService({ member: UN, service: 'revocation' });
  await revocation.destroyKeys({ approvals: [], order }, { timeoutMs: 1 });
  world.purges.purge(DE, first.id, eventId(7));
  world.purges.purge(DE, eventId(1_000));
  await world.receipts(DE, 2);
});
afterAll(() => world.dispose());

function keepKeys(wanted: readonly Pick<Wanted, 'statement'>[], { answers }: KeyReply): void {
  for (const { statement, release, item } of answers) {
    const bytes = wanted[statement]?.statement ?? new Uint8Array();
    const feed = verifyStatement(codec, world.members.keys, 'FeedStatement', bytes, { signer: UN });
    if (!feed.ok || item.kind !== 'released') throw new Error('expected keys for a feed statement');
    const { id } = feed.value.value.releases[release] ?? {};
    if (feed.value.value.recipient !== DE) continue;
    for (const [section, key] of item.keys) keysOfDe.set(`un/${String(id)}/${section}`, key);
  }
}

function newCapture(): Capture {
  lastCapture += 1;
  return new Capture(join(world.dir, `capture-${String(lastCapture)}`), world.federation);
}

function valuesOf(topic: string): readonly (readonly Uint8Array[])[] {
  return world.log.lanes(topic).map(({ records }) => records.map(({ value }) => value));
}

/** All records of the run, by their names in the report. */
function captureAll(capture: Capture): string[] {
  return TOPICS.flatMap((topic) =>
    valuesOf(topic).flatMap((values, lane) =>
      values.map((value, place) => capture.put(topic, lane, place, value)),
    ),
  );
}

function decoded<Name extends RecordName>(name: Name, bytes: Uint8Array): RecordTypes[Name] {
  const value = codec.decode(name, bytes);
  if (!value.ok) throw value.error;
  return value.value;
}

/** With one bit of it turned. */
function flipped(bytes: Uint8Array, at = bytes.length - 1): Uint8Array {
  return bytes.map((byte, place) => (place === at ? byte ^ 1 : byte));
}

function changed<Name extends RecordName>(
  name: Name,
  bytes: Uint8Array,
  change: (value: RecordTypes[Name]) => Partial<RecordTypes[Name]>,
): Uint8Array {
  const value = decoded(name, bytes);
  return codec.encode(name, { ...value, ...change(value) });
}

/** The block with most envelopes, and what hangs from it. */
function largest(topic: 'events.un' | 'feed.un.fr'): Uint8Array {
  const [first = new Uint8Array()] = valuesOf(topic)
    .flat()
    .toSorted((a, b) => b.length - a.length);
  return first;
}

const ofKind = (kind: string): Uint8Array => {
  const found = valuesOf('ledger.un')
    .flat()
    .find((value) => {
      const { statement } = decoded('LedgerRecord', value);
      return decoded('LedgerStatement', decoded('Signed', statement).payload).kind === kind;
    });
  if (!found) throw new Error(`no ${kind} on the ledger`);
  return found;
};

test('a program that is not ours computes the check values and first bytes of docs/wire-format.md', async () => {
  const page = readFileSync(join(schemasDir, '../docs/wire-format.md'), 'utf8');
  const [, table = ''] = page.split('## 9. Check values');
  const prefixes = [...page.matchAll(/^\| `(\w+)`(?: \(v\d\))? +\| `(c301[0-9a-f]{16})` \|$/gm)];
  const out = await runPython('wire_check.py', ['values', '--schemas', schemasDir], '');
  expect(JSON.parse(out)).toEqual({
    values: [...table.matchAll(/^\| .+? +\| `([\w-]+)` +\|$/gm)].map(([, value]) => value),
    prefixes: Object.fromEntries(prefixes.map(([, name, prefix]) => [name, prefix])),
  });
});

describe('a program that is not ours', () => {
  test('verifies every record of a run, its chains, and which receipt answers which entry', async () => {
    const capture = newCapture();
    const names = captureAll(capture);
    const { records } = await capture.check({ chains: true });
    expect(Object.keys(records).toSorted()).toEqual(names.toSorted());
    expect(Object.entries(records).filter(([, { refused }]) => refused !== undefined)).toEqual([]);
    const idsOn = (topic: string): readonly string[] =>
      names
        .filter((name) => name.startsWith(`${topic}/`))
        .flatMap((name) => records[name]?.ids ?? []);
    const published = [0, 99, ...Array.from({ length: AT_ONCE }, (_, n) => n + 1)].map(eventId);
    for (const topic of ['events.un', 'feed.un.de', 'feed.un.fr']) {
      expect(idsOn(topic).toSorted()).toEqual(published.toSorted());
    }
    expect(new Set(names.map((name) => records[name]?.kind))).toEqual(
      new Set([undefined, 'PUBLICATION', 'RELEASE', 'SEAL']),
    );
    const receipts = names
      .filter((name) => name.startsWith('receipts.'))
      .map((name) => records[name]);
    expect(receipts.map((one) => [one?.stage, one?.answers])).toEqual([
      ['DELETED', true],
      ['NOT_HELD', true],
    ]);
  });

  test('opens sections with the keys that the origin gave, field by field', async () => {
    const capture = newCapture();
    captureAll(capture);
    const { opened } = await capture.check({ chains: false }, keysOfDe);
    expect(Object.keys(opened)).toHaveLength(AT_ONCE + 2);
    for (const n of [1, 7, AT_ONCE]) expect(opened[eventId(n)]).toMatchObject(contentOf(n));
  });

  test('does not open a section with the key of another', async () => {
    const [name = '', other = ''] = [...keysOfDe.keys()];
    const capture = newCapture();
    captureAll(capture);
    const wrong = keysOfDe.get(other) ?? new Uint8Array();
    const { records } = await capture.check({ chains: false }, new Map([[name, wrong]]));
    const refusals = Object.values(records).flatMap(({ refused }) => refused ?? []);
    expect(new Set(refusals)).toEqual(
      new Set(['section: the key is not the one that the header commits to']),
    );
  });

  test('refuses a record that is left out or comes in another place', async () => {
    const capture = newCapture();
    const ledger = valuesOf('ledger.un').flat();
    const [a, b, c] = ledger;
    if (!a || !b || !c) throw new Error('expected three records on the ledger');
    const names = [a, c, b].map((value, place) => capture.put('ledger.un', 0, place, value));
    const { records } = await capture.check({ chains: true });
    expect(names.map((name) => records[name]?.refused !== undefined)).toEqual([false, true, false]);
  });
});

/** Each is made of a record of the run: what the program says of it. */
const ALTERED: Readonly<Record<string, [topic: string, said: string, make: () => Uint8Array]>> = {
  'a block whose statement has another bit': [
    ...(['events.un', 'the signature does not hold'] as const),
    () =>
      changed('Block', largest('events.un'), ({ statement }) => ({
        statement: changed('Signed', statement, ({ payload }) => ({ payload: flipped(payload) })),
      })),
  ],
  'a block whose signature has another bit': [
    ...(['events.un', 'the signature does not hold'] as const),
    () =>
      changed('Block', largest('events.un'), ({ statement }) => ({
        statement: changed('Signed', statement, ({ signature }) => ({
          signature: flipped(signature),
        })),
      })),
  ],
  'a block whose signature is of another block': [
    ...(['events.un', 'the signature does not hold'] as const),
    () => {
      const [another = new Uint8Array()] = valuesOf('events.un')
        .flat()
        .filter((one) => one !== largest('events.un'));
      const { signature } = decoded('Signed', decoded('Block', another).statement);
      return changed('Block', largest('events.un'), ({ statement }) => ({
        statement: changed('Signed', statement, () => ({ signature })),
      }));
    },
  ],
  'a block that a role signed which may not': [
    ...(['events.un', 'role may not sign'] as const),
    () =>
      changed('Block', largest('events.un'), ({ statement }) => {
        const value = decoded('BlockStatement', decoded('Signed', statement).payload);
        const who = { member: UN, role: 'consent' } as const;
        return { statement: signAs(world.members, who, 'BlockStatement', value).bytes };
      }),
  ],
  'a block that another member signed': [
    ...(['events.un', 'not one of un'] as const),
    () =>
      changed('Block', largest('events.un'), ({ statement }) => {
        const value = decoded('BlockStatement', decoded('Signed', statement).payload);
        const who = { member: DE, role: 'node' } as const;
        return { statement: signAs(world.members, who, 'BlockStatement', value).bytes };
      }),
  ],
  'a block with another bit in a header': [
    ...(['events.un', 'do not lead to the root'] as const),
    () =>
      changed('Block', largest('events.un'), ({ envelopes: [first, ...rest] }) => ({
        envelopes: first ? [{ ...first, header: flipped(first.header) }, ...rest] : [],
      })),
  ],
  'a block with two envelopes in each other’s place': [
    ...(['events.un', 'do not lead to the root'] as const),
    () =>
      changed('Block', largest('events.un'), ({ envelopes: [first, second, ...rest] }) => ({
        envelopes: first && second ? [second, first, ...rest] : [],
      })),
  ],
  'a block without its last envelope': [
    ...(['events.un', 'not as many envelopes'] as const),
    () =>
      changed('Block', largest('events.un'), ({ envelopes }) => ({
        envelopes: envelopes.slice(0, -1),
      })),
  ],
  'a block with another bit in a ciphertext': [
    ...(['events.un', 'ciphertext is not its header'] as const),
    () =>
      changed('Block', largest('events.un'), ({ envelopes: [first, ...rest] }) => {
        const sections = first?.sections.map((one) => ({ ...one, sealed: flipped(one.sealed) }));
        return { envelopes: first && sections ? [{ ...first, sections }, ...rest] : [] };
      }),
  ],
  'a block with another audience': [
    ...(['events.un', 'the opening of audience'] as const),
    () =>
      changed('Block', largest('events.un'), ({ envelopes: [first, ...rest] }) => {
        if (!first?.audience) throw new Error('expected an audience');
        const value = codec.encode('Audience', { byAgreement: false, members: [FR] });
        return { envelopes: [{ ...first, audience: { ...first.audience, value } }, ...rest] };
      }),
  ],
  'a block with a byte too many': [
    ...(['events.un', 'bytes are left over'] as const),
    () => concatBytes(largest('events.un'), Uint8Array.of(0)),
  ],
  'a feed block in another member’s feed': [
    ...(['feed.un.de', 'for another recipient'] as const),
    () => largest('feed.un.fr'),
  ],
  'a feed block with a section that was not released': [
    ...(['feed.un.fr', 'other sections than it should have'] as const),
    () => {
      const whole = new Map(
        valuesOf('events.un')
          .flat()
          .flatMap((value) => decoded('Block', value).envelopes)
          .map(({ header, sections }) => [Buffer.from(header).toString('hex'), sections]),
      );
      return changed('FeedBlock', largest('feed.un.fr'), ({ blocks: [block, ...rest] }) => ({
        blocks: block
          ? [
              {
                ...block,
                envelopes: block.envelopes.map((one) => ({
                  ...one,
                  sections: whole.get(Buffer.from(one.header).toString('hex')) ?? [],
                })),
              },
              ...rest,
            ]
          : [],
      }));
    },
  ],
  'a feed block with a hash too many in its proof': [
    ...(['feed.un.fr', 'a hash of the proof is left over'] as const),
    () =>
      changed('FeedBlock', largest('feed.un.fr'), ({ blocks }) => ({
        blocks: blocks.map((one) => ({
          ...one,
          proof: [...one.proof, new Uint8Array(32) as Hash],
        })),
      })),
  ],
  'a feed block without one of its envelopes': [
    ...(['feed.un.fr', 'a hash of the proof is missing'] as const),
    () =>
      changed('FeedBlock', largest('feed.un.fr'), ({ blocks }) => ({
        blocks: blocks.map((one) => ({ ...one, envelopes: one.envelopes.slice(0, -1) })),
      })),
  ],
  'a publication with another table': [
    ...(['ledger.un', 'the table is not the signed one'] as const),
    () => changed('LedgerRecord', ofKind('PUBLICATION'), ({ body }) => ({ body: flipped(body) })),
  ],
  'a release that names another recipient': [
    ...(['ledger.un', 'the slots do not lead to the root'] as const),
    () =>
      changed('LedgerRecord', ofKind('RELEASE'), ({ body }) => ({
        body: changed('SlotTable', body, ({ recipient }) => ({
          recipient: recipient === DE ? FR : DE,
        })),
      })),
  ],
  'a seal that leaves an event out': [
    ...(['ledger.un', 'the slots do not lead to the root'] as const),
    () =>
      changed('LedgerRecord', ofKind('SEAL'), ({ body }) => ({
        body: changed('SealTable', body, ({ leaves }) => ({ leaves: leaves.slice(1) })),
      })),
  ],
  'a purge entry of another event': [
    ...(['purge.un.de', 'the signature does not hold'] as const),
    () => {
      const [entry = new Uint8Array()] = valuesOf('purge.un.de').flat();
      return changed('Signed', entry, ({ payload }) => ({
        payload: changed('PurgeEntry', payload, () => ({ ids: [eventId(8)] as EventId[] })),
      }));
    },
  ],
  'a receipt in another member’s name': [
    ...(['receipts.fr.un', 'not one of fr'] as const),
    () => valuesOf('receipts.de.un').flat()[0] ?? new Uint8Array(),
  ],
};

describe('a program that is not ours refuses', () => {
  test('what was altered, each for its reason', async () => {
    const capture = newCapture();
    const made = Object.entries(ALTERED).map(([name, [topic, said, make]], place) => {
      return { name, said, file: capture.put(topic, 0, place, make()) };
    });
    const { records } = await capture.check({ chains: false });
    expect(made.map(({ name, file }) => [name, records[file]?.refused])).toEqual(
      made.map(({ name, said }) => [name, expect.stringContaining(said)]),
    );
  });

  test('a block and a feed block with one bit turned, wherever it is', async () => {
    const capture = newCapture();
    const files = (['events.un', 'feed.un.de'] as const).flatMap((topic) => {
      const [[record = new Uint8Array()] = []] = valuesOf(topic).filter(({ length }) => length > 0);
      const places = Array.from({ length: Math.ceil(record.length / 11) }, (_, n) => n * 11);
      return places.map((at, place) => capture.put(topic, 0, place, flipped(record, at)));
    });
    expect(files.length).toBeGreaterThan(400);
    const { records } = await capture.check({ chains: false });
    expect(files.filter((file) => records[file]?.refused === undefined)).toEqual([]);
  });

  test('a trust file with a key that is no good point', async () => {
    const [first, ...rest] = world.federation.members;
    if (!first?.keys[0]) throw new Error('expected a key');
    // of order 4: y is 0
    const keys = [{ ...first.keys[0], publicKey: Buffer.alloc(32).toString('base64url') }];
    const members = [{ ...first, keys }, ...rest];
    const capture = new Capture(join(world.dir, 'bad-trust'), { ...world.federation, members });
    await expect(capture.check({ chains: false })).rejects.toThrow('no good point');
  });
});
