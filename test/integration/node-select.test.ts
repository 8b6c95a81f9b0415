import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { Vault } from '@concordat/node/io/vault.js';
import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { systemRandom } from '@concordat/common/io/system-ports.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { DE, FR, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };
const DAY_MS = 86_400_000;

type Selector = concordat.node.v1.Selector;
const NOTHING: Selector = {
  ...{ eventIds: [], subjects: [], categories: [], agreements: [], holders: [] },
  ...{ publishedFromMs: 0, publishedBeforeMs: 0, collectedFromMs: 0, collectedBeforeMs: 0 },
};
const ask = (selector: Partial<Selector>, after = 0) =>
  world.node(UN).operator.selectEvents({ selector: { ...NOTHING, ...selector }, after }, soon);

/** Events by number, `1 de fr`: who holds them. */
async function taken(selector: Partial<Selector>): Promise<string[]> {
  const found: string[] = [];
  let after = 0;
  do {
    const page = await ask(selector, after);
    for (const { eventIds, holders } of page.events) {
      found.push(...eventIds.map((id) => [numberOf(id), ...holders].join(' ')));
    }
    after = page.next;
  } while (after > 0);
  return found.sort((one, other) => parseInt(one, 10) - parseInt(other, 10));
}

function numberOf(id: string): number {
  for (let n = 0; n < 10_000; n += 1) if (eventId(n) === id) return n;
  throw new Error('not an event of this test');
}

/** 1 and 2 go to `de` and `fr`, 3 only to `de`. */
async function three(): Promise<void> {
  await world.start(UN, DE, FR);
  await world.publish(1);
  await world.publish(2, {}, { firstName: 'Ada', secondName: 'Lovelace' });
  await world.publish(3, {
    category: 'listing.taliban.entity',
    collectedAtMs: Date.now() - 40 * DAY_MS,
    retainUntilMs: Date.now() + DAY_MS,
  });
  await world.readable(DE, 2);
  await world.readable(FR, 2);
}

describe('own events are found', () => {
  const QUESTIONS: readonly [string, Partial<Selector>, string[]][] = [
    ['by id', { eventIds: [eventId(3), eventId(1)] }, ['1 de fr', '3']],
    ['by subject: a name', { subjects: ['name:LOVELACE, Ada'] }, ['2 de fr']],
    ['by subject: an alias', { subjects: ['name:canary alias 1'] }, ['1 de fr']],
    ['by subject: a document', { subjects: ['document:K-1000003'] }, ['3']],
    ['by one of several subjects', { subjects: ['document:x', 'document:k1000001'] }, ['1 de fr']],
    ['by category', { categories: ['listing.taliban.*'] }, ['3']],
    ['all of them', { categories: ['**'] }, ['1 de fr', '2 de fr', '3']],
    ['by agreement', { agreements: ['a1'] }, ['1 de fr', '2 de fr']],
    ['by another agreement: none', { agreements: ['a2'] }, []],
    ['by who holds them', { holders: [FR] }, ['1 de fr', '2 de fr']],
    ['by time of collection', { collectedBeforeMs: Date.now() - DAY_MS }, ['3']],
    [
      'by time of publication: none yet',
      { publishedFromMs: Date.now() + DAY_MS, publishedBeforeMs: Date.now() + 2 * DAY_MS },
      [],
    ],
    [
      'by all that is asked at once',
      { categories: ['listing.**'], holders: [FR], subjects: ['name:ada lovelace'] },
      ['2 de fr'],
    ],
  ];

  test('by each kind of question, and by all together', async () => {
    await three();
    const answers: [string, string[]][] = [];
    for (const [name, selector] of QUESTIONS) answers.push([name, await taken(selector)]);
    expect(answers).toEqual(QUESTIONS.map(([name, , expected]) => [name, expected]));
  });

  test('under the agreement and to the member that are asked for together', async () => {
    await three();
    expect(await taken({ agreements: ['a1'], holders: [FR] })).toEqual(['1 de fr', '2 de fr']);
    expect(await taken({ agreements: ['a2'], holders: [FR] })).toEqual([]);
  });

  test('by the moment of their publication: from is in it, before is not', async () => {
    await world.start(UN);
    await world.publish(1);
    world.ahead.wallMs += 10_000;
    const laterMs = world.clock.nowMs();
    await world.publish(2);
    expect(await taken({ publishedFromMs: laterMs })).toEqual(['2']);
    expect(await taken({ publishedBeforeMs: laterMs })).toEqual(['1']);
  });

  test('after a restart too', async () => {
    await three();
    await world.restart(UN);
    expect(await taken({ subjects: ['name:canary alias 1'] })).toEqual(['1 de fr']);
    expect(await taken({ agreements: ['a1'] })).toEqual(['1 de fr', '2 de fr']);
  });

  test('page by page, each once, also while others are published', async () => {
    await world.start(UN);
    const numbers = Array.from({ length: 2_600 }, (_, at) => at);
    await Promise.all(numbers.map((n) => world.publish(n)));
    const first = await ask({ categories: ['**'] });
    await world.publish(5_000);
    expect(first.next).toBeGreaterThan(0);
    const second = await ask({ categories: ['**'] }, first.next);
    const ids = [first, second].flatMap(({ events }) => events.flatMap(({ eventIds }) => eventIds));
    expect(second.next).toBe(0);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(2_601);
  });
});

test('what is taken back is found no more, and by its id it is named as gone', async () => {
  await three();
  expect(await taken({ subjects: ['name:Canary 1 Ada Countess Lovelace'] })).toEqual(['1 de fr']);
  const order = officerOrder(world.members, { orderId: orderId(1), ids: [eventId(1)] });
  await world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ approvals: [], order }, soon);
  expect(await taken({ categories: ['**'] })).toEqual(['2 de fr', '3']);
  expect(await taken({ subjects: ['name:canary alias 1'] })).toEqual([]);
  expect(await ask({ eventIds: [eventId(1), eventId(2)] })).toMatchObject({
    takenBack: [eventId(1)],
    events: [{ eventIds: [eventId(2)], holders: [DE, FR] }],
  });
  // and nothing tells any more whom it was about
  await world.stopNode(UN);
  const dir = join(world.dir, `node-${UN}`);
  const vault = new Vault(join(dir, 'vault.db'), join(dir, 'keks'), systemRandom);
  const subjects = ['name:1 ada canary countess lovelace', 'name:ada lovelace'];
  expect([...vault.about(UN, [eventId(1), eventId(2)], subjects)]).toEqual([eventId(2)]);
  vault.close();
});

test('of a held event, the agreement is the one of its release, not one of today', async () => {
  await world.start(UN, DE);
  await world.publish(1);
  await world.readable(DE, 1);
  const policy = { ...world.policy, agreements: [], consents: [] };
  await world.stopNode(UN);
  await world.startNode(UN, { policy });
  expect(await taken({ agreements: ['a1'] })).toEqual(['1 de']);
});

describe('a question is refused', () => {
  test.each<[string, Partial<Selector>, string]>([
    ['that says nothing', {}, 'selector'],
    ['about a subject of no kind', { subjects: ['Ada Lovelace'] }, 'selector.subjects[0]'],
    ['with a pattern that is none', { categories: ['a', 'A b'] }, 'selector.categories[1]'],
    ['about no member', { holders: ['DE'] }, 'selector.holders[0]'],
    ['with an id that is none', { eventIds: ['1'] }, 'selector.event_ids[0]'],
    [
      'about a time that ends before it begins',
      { publishedFromMs: 2, publishedBeforeMs: 2 },
      'selector.published_before_ms',
    ],
    [
      'with more ids than an answer has room for',
      { eventIds: Array.from({ length: 4_097 }, (_, n) => eventId(n)) },
      'selector.event_ids',
    ],
  ])('%s', async (_name, selector, field) => {
    await world.start(UN);
    const refusal = await refusalOf(ask(selector));
    expect(refusal).toMatchObject({ code: 'REQUEST_INVALID', details: { fields: [{ field }] } });
    expect(refusal.message).not.toContain('Lovelace');
  });

  test('about an event that was not published here', async () => {
    await world.start(UN);
    expect(await refusalOf(ask({ eventIds: [eventId(7)] }))).toMatchObject({
      code: 'EVENT_UNKNOWN',
    });
  });
});

test('releases of which nobody knows the agreement any more are counted, not guessed', async () => {
  await three();
  await world.stopNode(UN);
  // as after a loss of the state store: the ledger's topic does not say it
  const state = new Sqlite(join(world.dir, `node-${UN}`, 'state.db'), '');
  state.run('DELETE FROM release_agreement');
  state.close();
  await world.startNode(UN);
  expect(await ask({ agreements: ['a1'] })).toMatchObject({
    ...{ events: [], releasesWithoutAgreement: 4 },
  });
  expect(await taken({ holders: [FR] })).toEqual(['1 de fr', '2 de fr']);
});

test('no call of it leaves the subject anywhere', async () => {
  await three();
  await taken({ subjects: ['name:Sought Person'] });
  expect(JSON.stringify(world.said).toLowerCase()).not.toContain('sought');
});
