import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { DE, NodeWorld, UN, contentOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';

type PublishRequest = concordat.node.v1.PublishRequest;

let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld();
  await world.start(UN, DE);
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };

function inMessages(events: readonly PublishRequest[], size: number) {
  const messages: { readonly events: readonly PublishRequest[] }[] = [];
  for (let at = 0; at < events.length; at += size) {
    messages.push({ events: events.slice(at, at + size) });
  }
  return messages;
}

const send = (events: readonly PublishRequest[], size = 256) =>
  world.node(UN).national.publishStream(inMessages(events, size), soon);
const requests = (count: number) => Array.from({ length: count }, (_, n) => world.request(n));

describe('a stream of events', () => {
  test('is published, with more events than may wait for a block', async () => {
    const count = 4_500;
    const answer = await send(requests(count));
    expect(answer).toMatchObject({ published: count, repeated: 0, refused: 0, refusals: [] });
    const positions = answer.runs.flatMap(({ first, count: n }) =>
      Array.from({ length: n }, (_, k) => first + k),
    );
    expect(positions).toEqual(Array.from({ length: count }, (_, n) => n));
    await world.readable(DE, count);
    expect(await world.read(DE, eventId(count - 1))).toMatchObject(contentOf(count - 1));
  }, 60_000);

  test('answers where each event stands, as a single call does', async () => {
    const { runs } = await send(requests(300), 100);
    for (const { first, count, lane, epoch, blockNumber, leaf } of runs) {
      const last = await world.publish(first + count - 1);
      const place = { lane, epoch, blockNumber, leaf: leaf + count - 1 };
      expect(last).toMatchObject({ ...place, repeated: true });
    }
  });

  test('goes on after a refused event, which is named by position, code and field', async () => {
    const events = requests(5);
    events[1] = world.request(1, { retainUntilMs: -1 });
    events[3] = world.request(3, {}, { ...contentOf(3), unheardOf: 1 });
    const answer = await send(events, 2);
    expect(answer).toMatchObject({ published: 3, refused: 2 });
    expect(answer.refusals).toMatchObject([
      { position: 1, code: 'REQUEST_INVALID', field: 'retain_until_ms' },
      { position: 3, code: 'EVENT_INVALID', field: '$.unheardOf' },
    ]);
    expect(await world.read(UN, eventId(4))).toMatchObject(contentOf(4));
  });

  test('sent again gets the first results', async () => {
    const first = await send(requests(600));
    const again = await send(requests(600), 7);
    expect(again).toMatchObject({ published: 0, repeated: 600, refused: 0 });
    expect(again.runs.map((run) => ({ ...run, repeated: false }))).toEqual(first.runs);
    expect((await world.status(UN)).published).toBe(600);
  });

  test('may name an event twice, and replace one that is only just ahead of it', async () => {
    const twice = world.request(1);
    const answer = await send([twice, twice, world.request(2, { supersedes: eventId(1) })]);
    expect(answer).toMatchObject({ published: 2, repeated: 1, refused: 0 });
    const [first, , last] = answer.runs;
    expect(last?.lane).toBe(first?.lane);
  });

  test('that breaks leaves what was published, and is sent again whole', async () => {
    const events = requests(1_000);
    async function* breaking() {
      yield* inMessages(events.slice(0, 600), 100);
      throw new Error('the line broke');
    }
    const broken = world.node(UN).national.publishStream(breaking(), soon);
    await expect(broken).rejects.toThrow('the line broke');
    const answer = await send(events);
    expect(answer.published + answer.repeated).toBe(1_000);
    expect(answer.repeated).toBeGreaterThan(0);
    expect((await world.status(UN)).published).toBe(1_000);
  });

  test.each([
    ['a message without events', () => [{ events: [] }], '1 to 256'],
    ['a message of more than 256', () => inMessages(requests(257), 257), '1 to 256'],
  ])('with %s is refused', async (_name, messages, expected) => {
    const call = world.node(UN).national.publishStream(messages(), soon);
    await expect(call).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining(expected),
    });
  });

  test('of more than 100,000 events is refused, and what came before stays', async () => {
    function* endless() {
      yield { events: [world.request(1)] };
      // small, and refused for its id before anything else is looked at: only the counting is of interest
      const small = world.request(2, { eventId: '', contentJson: new Uint8Array() });
      const events = new Array<PublishRequest>(256).fill(small);
      for (;;) yield { events };
    }
    const call = world.node(UN).national.publishStream(endless(), soon);
    await expect(call).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('at most 100000'),
    });
    expect((await world.status(UN)).published).toBe(1);
  }, 60_000);
});
