import { expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import type { NationalService, concordat } from '@concordat/common/io/rpc/definitions.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { type Outcome, publishMany } from './publish-many.js';

type Client = ClientOf<typeof NationalService>;
type PublishRequest = concordat.node.v1.PublishRequest;

const requests = (count: number, bytes = 10): PublishRequest[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ eventId: `event-${n}`, category: 'c', schemaHash: new Uint8Array(32) },
    ...{ contentJson: new Uint8Array(bytes), collectedAtMs: 1, retainUntilMs: 2, purposes: [] },
    ...{ legalBasis: '', supersedes: '', derivedFrom: [] },
  }));

/** A node that takes streams apart; every tenth event is refused. */
function nodeOf(
  streams: PublishRequest[][][],
  failures: Error[] = [],
): Pick<Client, 'publishStream'> {
  return {
    async publishStream(messages) {
      const stream: PublishRequest[][] = [];
      for await (const { events } of messages) stream.push([...events]);
      streams.push(stream);
      const failure = failures.shift();
      if (failure) throw failure;
      const refused = (at: number) => at % 10 === 9;
      const all = stream.flat().map((_, at) => at);
      const place = { lane: 0, epoch: 1, blockNumber: 1, repeated: false };
      return {
        ...{ published: all.filter((at) => !refused(at)).length, repeated: 0 },
        refused: all.filter(refused).length,
        runs: all
          .filter((at) => at % 10 === 0)
          .map((at) => ({ first: at, count: Math.min(9, all.length - at), ...place, leaf: at })),
        refusals: all
          .filter(refused)
          .map((position) => ({ position, code: 'EVENT_INVALID', field: '$', message: '$: no' })),
      };
    },
  };
}

async function run(all: readonly PublishRequest[], failures: Error[] = []) {
  const streams: PublishRequest[][][] = [];
  const node = nodeOf(streams, failures) as Client;
  const outcomes: Outcome[] = [];
  const ports = { node, clock: systemClock };
  for await (const one of publishMany(ports, all, { timeoutMs: 1 }, () => undefined)) {
    outcomes.push(one);
  }
  return { streams, outcomes };
}

test('every event has one outcome, in the order sent', async () => {
  const { outcomes } = await run(requests(1_005));
  expect(outcomes.map(({ position }) => position)).toEqual(
    Array.from({ length: 1_005 }, (_, n) => n),
  );
  expect(outcomes[19]).toMatchObject({ kind: 'refused', refusal: { code: 'EVENT_INVALID' } });
  expect(outcomes[23]).toMatchObject({
    kind: 'published',
    place: { eventId: 'event-23', leaf: 23 },
  });
});

test('messages stay below 256 events and a mebibyte, streams below 100,000 events', async () => {
  const { streams, outcomes } = await run([...requests(100_100), ...requests(5, 200_000)]);
  expect(outcomes).toHaveLength(100_105);
  expect(streams.map((stream) => stream.flat().length)).toEqual([100_000, 105]);
  for (const message of streams.flat()) {
    expect(message.length).toBeLessThanOrEqual(256);
    const bytes = message.reduce((sum, { contentJson }) => sum + contentJson.length, 0);
    expect(bytes).toBeLessThanOrEqual(512 << 10);
  }
});

test('a stream that breaks is sent again with the same ids', async () => {
  const broken = new ConcordatError('PEER_UNAVAILABLE', 'the connection failed');
  const { streams, outcomes } = await run(requests(300), [broken]);
  expect(streams).toHaveLength(2);
  expect(streams[1]).toEqual(streams[0]);
  expect(outcomes).toHaveLength(300);
});

test('a refused stream is not sent again', async () => {
  const refused = new ConcordatError('CALLER_NOT_ALLOWED', 'expected another certificate');
  await expect(run(requests(3), [refused])).rejects.toBe(refused);
});
