import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import {
  BATCH_RECORDS_MAX,
  HANDLE_ATTEMPTS_MAX,
  type LogClient,
  type LogReader,
  type LogRecord,
  type ReadOptions,
  SEND_BYTES_MAX,
} from '@concordat/common/io/log-client.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { until } from '../support/until.js';

/** A log to try an adapter of `LogClient` on, and what an operator may do to it. */
export interface LogWorld {
  open(clock: Clock): LogClient;
  /** A topic with a fresh name, or made anew under its old one. */
  createTopic(lanes: number, name?: string): Promise<string>;
  deleteTopic(topic: string): Promise<void>;
  deleteRecordsBefore(topic: string, lane: number, low: bigint): Promise<void>;
  close(): Promise<void>;
}

/** What a reader was handed, and how it ended. */
interface Seen {
  readonly reader: LogReader;
  readonly records: LogRecord[];
  readonly batches: (readonly LogRecord[])[];
  readonly deaths: Error[];
}

const hurried: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
};

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(record: LogRecord | undefined): string | undefined {
  return record && new TextDecoder().decode(record.value);
}

function numbered(prefix: string, count: number, from = 0): { readonly value: Uint8Array }[] {
  return Array.from({ length: count }, (_, index) => ({
    value: bytes(`${prefix}${String(from + index)}`),
  }));
}

/** The contract of `LogClient`: every sentence of the port is a test, every adapter passes all of them. */
export function describeLogClient(name: string, openWorld: () => Promise<LogWorld>): void {
  describe(name, () => {
    let world: LogWorld;
    let log: LogClient;

    beforeEach(async () => {
      world = await openWorld();
      log = world.open(systemClock);
    });
    afterEach(async () => {
      await log.close();
      await world.close();
    });

    async function reading(
      topic: string,
      options: Partial<ReadOptions> = {},
      client = log,
    ): Promise<Seen> {
      const records: LogRecord[] = [];
      const batches: (readonly LogRecord[])[] = [];
      const deaths: Error[] = [];
      const reader = await client.read({
        name: 'contract',
        topics: [topic],
        position: () => 0n,
        onDeath: (cause) => deaths.push(cause),
        ...options,
        handle: async (batch) => {
          await options.handle?.(batch);
          records.push(...batch);
          batches.push(batch);
        },
      });
      return { reader, records, batches, deaths };
    }

    async function codeOf(call: Promise<unknown>): Promise<string> {
      const cause: unknown = await call.then(
        () => 'nothing was thrown',
        (error: unknown) => error,
      );
      return cause instanceof ConcordatError ? cause.code : String(cause);
    }

    describe('send', () => {
      test('appends the records of one call together and in order', async () => {
        const topic = await world.createTopic(1);
        expect(await log.send(topic, 0, numbered('a', 3))).toEqual({ baseOffset: 0n });
        expect(await log.send(topic, 0, numbered('b', 2))).toEqual({ baseOffset: 3n });
        const { records } = await reading(topic);
        await until('five records', () => records.length === 5);
        expect(records.map(text)).toEqual(['a0', 'a1', 'a2', 'b0', 'b1']);
        expect(records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n]);
      });

      test('keeps to the lane it is told', async () => {
        const topic = await world.createTopic(3);
        await log.send(topic, 2, numbered('x', 1));
        expect(await log.ends(topic)).toEqual([
          { lane: 0, low: 0n, high: 0n },
          { lane: 1, low: 0n, high: 0n },
          { lane: 2, low: 0n, high: 1n },
        ]);
      });

      test('keeps the order of calls that did not wait for each other', async () => {
        const topic = await world.createTopic(2);
        const calls = Array.from({ length: 40 }, (_, i) =>
          log.send(topic, i % 2, numbered('', 1, i)),
        );
        const answers = await Promise.all(calls);
        expect(answers.map(({ baseOffset }) => baseOffset)).toEqual(
          Array.from({ length: 40 }, (_, i) => BigInt(Math.floor(i / 2))),
        );
        const { records } = await reading(topic);
        await until('forty records', () => records.length === 40);
        const odd = records.filter(({ lane }) => lane === 1).map((record) => Number(text(record)));
        expect(odd).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i + 1));
      });

      test('carries bytes and headers as they are', async () => {
        const topic = await world.createTopic(1);
        const value = Uint8Array.from({ length: 256 }, (_, i) => i);
        const headers = { 'ce-type': 'block', ['__proto__']: 'ü' };
        await log.send(topic, 0, [{ value, headers }, { value: new Uint8Array() }]);
        const { records } = await reading(topic);
        await until('two records', () => records.length === 2);
        expect(Uint8Array.from(records[0]?.value ?? [])).toEqual(value);
        expect(Object.entries(records[0]?.headers ?? {})).toEqual(Object.entries(headers));
        expect(records[1]?.value.length).toBe(0);
        expect(records[1]?.headers).toEqual({});
      });

      test('takes a record of nearly 1 MiB and hands it over whole', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, [{ value: new Uint8Array(SEND_BYTES_MAX - 200).fill(7) }]);
        const { records } = await reading(topic);
        await until('the record', () => records.length === 1);
        expect(records[0]?.value.length).toBe(SEND_BYTES_MAX - 200);
      });

      test('refuses more than SEND_BYTES_MAX and sends nothing of it', async () => {
        const topic = await world.createTopic(1);
        const half = { value: new Uint8Array(SEND_BYTES_MAX / 2) };
        expect(await codeOf(log.send(topic, 0, [half, half]))).toBe('RECORD_TOO_LARGE');
        expect(await log.ends(topic)).toEqual([{ lane: 0, low: 0n, high: 0n }]);
      });

      test('refuses an empty call, and a lane that is not there', async () => {
        const topic = await world.createTopic(1);
        expect(await codeOf(log.send(topic, 0, []))).toBe('REQUEST_INVALID');
        expect(await codeOf(log.send(topic, 1, numbered('x', 1)))).toBe('REQUEST_INVALID');
      });
    });

    describe('a topic that does not exist', () => {
      test('is TOPIC_MISSING for every call', async () => {
        const topic = 'never-created';
        const calls = [
          log.send(topic, 0, numbered('x', 1)),
          reading(topic),
          log.tails(topic),
          log.scan(topic, 0, 0n, () => undefined),
          log.laneCount(topic),
          log.ends(topic),
        ];
        expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'TOPIC_MISSING'));
      });
    });

    describe('read', () => {
      test('hands over every record of every lane once, in order, in batches of one lane', async () => {
        const topic = await world.createTopic(3);
        for (const lane of [0, 1, 2])
          await log.send(topic, lane, numbered(`${String(lane)}-`, 700));
        const { records, batches } = await reading(topic);
        await until('all records', () => records.length >= 2100);
        for (const lane of [0, 1, 2]) {
          const of = records.filter((record) => record.lane === lane);
          expect(of.map(({ offset }) => offset)).toEqual(
            Array.from({ length: 700 }, (_, i) => BigInt(i)),
          );
        }
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(BATCH_RECORDS_MAX);
          expect(new Set(batch.map(({ lane }) => lane)).size).toBe(1);
        }
      });

      test('hands over what is sent while it reads', async () => {
        const topic = await world.createTopic(2);
        const { records, reader } = await reading(topic);
        for (let i = 0; i < 20; i++) await log.send(topic, i % 2, numbered('n', 1, i));
        await until('twenty records', () => records.length === 20);
        await until('progress', () => reader.progress().every(({ next }) => next === 10n));
        expect(reader.progress()).toEqual([
          { topic, lane: 0, next: 10n },
          { topic, lane: 1, next: 10n },
        ]);
      });

      test('begins at the position of the caller, the end included', async () => {
        const topic = await world.createTopic(2);
        for (const lane of [0, 1]) await log.send(topic, lane, numbered('n', 5));
        const { records } = await reading(topic, { position: (_, lane) => (lane === 0 ? 3n : 5n) });
        await log.send(topic, 1, numbered('late', 1));
        await until('three records', () => records.length === 3);
        expect(records.map(text).sort()).toEqual(['late0', 'n3', 'n4']);
      });

      test('is LOG_RESTARTED for a position after the end', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 2));
        expect(await codeOf(reading(topic, { position: () => 3n }))).toBe('LOG_RESTARTED');
      });

      test('is LOG_RESTARTED for a position whose records are gone', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 5));
        await world.deleteRecordsBefore(topic, 0, 3n);
        expect(await codeOf(reading(topic, { position: () => 2n }))).toBe('LOG_RESTARTED');
      });

      test('begins at what is left for position 0', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 5));
        await world.deleteRecordsBefore(topic, 0, 3n);
        const { records } = await reading(topic);
        await until('two records', () => records.length === 2);
        expect(records.map(({ offset }) => offset)).toEqual([3n, 4n]);
      });

      test('dies of LOG_RESTARTED when the topic is made anew meanwhile', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 5));
        const { records, deaths } = await reading(topic);
        await until('five records', () => records.length === 5);
        await world.deleteTopic(topic);
        await world.createTopic(1, topic);
        const other = world.open(systemClock);
        await other.send(topic, 0, numbered('new', 2));
        await other.close();
        await until('its death', () => deaths.length > 0, 60_000);
        const codes = deaths.map((cause) => cause instanceof ConcordatError && cause.code);
        expect(codes).toHaveLength(1);
        expect(['LOG_RESTARTED', 'TOPIC_MISSING']).toContain(codes[0]);
        expect(records).toHaveLength(5);
      });

      test.each<[name: string, position: bigint, low: bigint]>([
        ['after the end', 9n, 0n],
        ['whose records are gone', 1n, 3n],
      ])('tells of a position %s, and begins where its caller then says', async (_, at, low) => {
        const topic = await world.createTopic(2);
        for (const lane of [0, 1]) await log.send(topic, lane, numbered('n', 5));
        if (low > 0n) await world.deleteRecordsBefore(topic, 0, low);
        const positions = [at, 4n];
        const told: unknown[] = [];
        const { records } = await reading(topic, {
          position: (_topic, lane) => positions[lane] ?? 0n,
          onRestart: (where, lane, { code }) => {
            told.push([where, lane, code]);
            positions[lane] = 0n;
          },
        });
        await until('what is left', () => records.length === Number(5n - low) + 1);
        expect(told).toEqual([[topic, 0, 'LOG_RESTARTED']]);
        const offsets = records.filter(({ lane }) => lane === 0).map(({ offset }) => offset);
        expect(offsets[0]).toBe(low);
      });

      test('does not believe a caller who insists on a position that is not there', async () => {
        const topic = await world.createTopic(1);
        const options = { position: () => 3n, onRestart: () => undefined };
        expect(await codeOf(reading(topic, options))).toBe('LOG_RESTARTED');
      });

      test('goes on with a topic that is made anew meanwhile, when its caller can', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 5));
        let position = 0n;
        let told = 0;
        const { records, deaths } = await reading(topic, {
          position: () => position,
          onRestart: () => {
            told += 1;
            position = 0n;
          },
        });
        await until('five records', () => records.length === 5);
        position = 5n;
        await world.deleteTopic(topic);
        await world.createTopic(1, topic);
        const other = world.open(systemClock);
        await other.send(topic, 0, numbered('new', 2));
        await other.close();
        await until('the new records', () => records.length === 7, 60_000);
        expect(records.slice(5).map(text)).toEqual(['new0', 'new1']);
        expect([told, deaths]).toEqual([1, []]);
      });

      test('hands a batch over again when handle throws, and goes on with other lanes', async () => {
        const topic = await world.createTopic(2);
        await log.send(topic, 0, numbered('bad', 2));
        let failures = 0;
        let asked = 0;
        const retries: number[] = [];
        const { records, deaths } = await reading(topic, {
          position: () => {
            asked += 1;
            return 0n;
          },
          handle: async (batch) => {
            if (batch[0]?.lane === 0 && failures < 3) {
              failures += 1;
              if (failures === 1) await log.send(topic, 1, numbered('good', 1));
              throw new Error('database is busy');
            }
          },
          onRetry: (at, attempt) => {
            expect(at).toEqual({ topic, lane: 0, next: 0n });
            retries.push(attempt);
          },
        });
        await until('all three records', () => records.length === 3);
        expect(records.map(text)).toEqual(['good0', 'bad0', 'bad1']);
        expect(retries).toEqual([1, 2, 3]);
        expect(asked).toBe(5);
        expect(deaths).toEqual([]);
      });

      test('goes on from the caller’s position after a handle that did a part', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 6));
        let done = 0n;
        let failed = false;
        const handled: (string | undefined)[] = [];
        await reading(topic, {
          position: () => done,
          handle: async (batch) => {
            for (const record of batch) {
              if (record.offset === 4n && !failed) {
                failed = true;
                throw new Error('once');
              }
              handled.push(text(record));
              done = record.offset + 1n;
            }
          },
        });
        await until('six records', () => done === 6n);
        expect(handled).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5']);
      });

      test.each<[name: string, cause: Error]>([
        ['a mistake of ours', new TypeError('undefined is not a function')],
        ['what would fail for ever', new ConcordatError('CHAIN_BROKEN', 'wrong hash')],
      ])('dies at once of %s', async (_name, cause) => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 1));
        let calls = 0;
        const { deaths } = await reading(topic, {
          handle: () => {
            calls += 1;
            return Promise.reject(cause);
          },
        });
        await until('its death', () => deaths.length > 0);
        await log.send(topic, 0, numbered('n', 1));
        await log.close();
        expect(deaths).toEqual([cause]);
        expect(calls).toBe(1);
      });

      test('dies of RECORD_STUCK rather than skip a record or loop for ever', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 1));
        let calls = 0;
        const client = world.open(hurried);
        const failing = (): Promise<void> => {
          calls += 1;
          return Promise.reject(new Error('disk full'));
        };
        const { deaths } = await reading(topic, { handle: failing }, client);
        await until('its death', () => deaths.length > 0);
        await client.close();
        expect(deaths).toEqual([expect.objectContaining({ code: 'RECORD_STUCK' })]);
        expect(deaths[0]?.message).toContain(`${topic} lane 0 offset 0`);
        expect(calls).toBe(HANDLE_ATTEMPTS_MAX);
      });

      test('never calls handle twice at once for a lane, but for several lanes', async () => {
        const topic = await world.createTopic(2);
        for (const lane of [0, 1])
          await log.send(topic, lane, numbered('n', 3 * BATCH_RECORDS_MAX));
        const running = new Map([
          [0, 0],
          [1, 0],
        ]);
        let twice = 0;
        let together = 0;
        const { records } = await reading(topic, {
          handle: async (batch) => {
            const lane = batch[0]?.lane ?? 0;
            const now = (running.get(lane) ?? 0) + 1;
            running.set(lane, now);
            if (now > 1) twice += 1;
            if ((running.get(1 - lane) ?? 0) > 0) together += 1;
            await systemClock.sleep(5);
            running.set(lane, now - 1);
          },
        });
        await until('all records', () => records.length === 6 * BATCH_RECORDS_MAX);
        expect(twice).toBe(0);
        expect(together).toBeGreaterThan(0);
      });

      test('keeps the order when more comes than its handler can take at once', async () => {
        const topic = await world.createTopic(1);
        const { records } = await reading(topic, { handle: () => systemClock.sleep(20) });
        const large = new Uint8Array(400_000);
        for (let i = 0; i < 24; i++) {
          await log.send(topic, 0, [
            { value: large, headers: { i: String(i) } },
            ...numbered('s', 1),
          ]);
        }
        await until('all records', () => records.length >= 48);
        expect(records.map(({ offset }) => offset)).toEqual(
          Array.from({ length: 48 }, (_, i) => BigInt(i)),
        );
      });

      test('serves several readers, each from its own position', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 4));
        const [one, two] = await Promise.all([
          reading(topic),
          reading(topic, { position: () => 2n }),
        ]);
        await until('both', () => one.records.length === 4 && two.records.length === 2);
        expect(two.records.map(text)).toEqual(['n2', 'n3']);
      });

      test('reads several topics', async () => {
        const topics = [await world.createTopic(1), await world.createTopic(2)];
        const { records } = await reading(topics[0] ?? '', { topics });
        for (const topic of topics) await log.send(topic, 0, numbered('n', 1));
        await until('both', () => records.length === 2);
        expect(new Set(records.map(({ topic }) => topic))).toEqual(new Set(topics));
      });

      test('close waits for the handle that runs, and none runs after it; it is no death', async () => {
        const topic = await world.createTopic(1);
        let running = false;
        let calls = 0;
        const { reader, deaths } = await reading(topic, {
          handle: async () => {
            calls += 1;
            running = true;
            await systemClock.sleep(200);
            running = false;
          },
        });
        await log.send(topic, 0, numbered('n', 1));
        await until('a handle', () => running);
        await log.send(topic, 0, numbered('n', 1));
        await reader.close();
        expect(running).toBe(false);
        await log.send(topic, 0, numbered('n', 1));
        expect(calls).toBe(1);
        expect(deaths).toEqual([]);
      });
    });

    describe('tails', () => {
      test('are the newest records of the lanes that hold one, by lane', async () => {
        const topic = await world.createTopic(4);
        for (const lane of [3, 0]) await log.send(topic, lane, numbered(`${String(lane)}-`, 5));
        await log.send(topic, 2, numbered('gone', 1));
        await world.deleteRecordsBefore(topic, 2, 1n);
        const tails = await log.tails(topic);
        expect(tails.map((tail) => [tail.lane, tail.offset, text(tail)])).toEqual([
          [0, 4n, '0-4'],
          [3, 4n, '3-4'],
        ]);
      });

      test('of an empty topic are none', async () => {
        expect(await log.tails(await world.createTopic(2))).toEqual([]);
      });
    });

    describe('scan', () => {
      test('visits one lane from an offset to the end it had, in order, and waits for each visit', async () => {
        const topic = await world.createTopic(2);
        await log.send(topic, 1, numbered('n', 900));
        await log.send(topic, 0, numbered('other', 1));
        const visited: bigint[] = [];
        await log.scan(topic, 1, 100n, async ({ offset }) => {
          if (visited.length === 0) await log.send(topic, 1, numbered('late', 1));
          visited.push(offset);
        });
        expect(visited).toEqual(Array.from({ length: 800 }, (_, i) => BigInt(100 + i)));
      });

      test('begins at what is left, and of an empty lane visits nothing', async () => {
        const topic = await world.createTopic(2);
        await log.send(topic, 0, numbered('n', 5));
        await world.deleteRecordsBefore(topic, 0, 3n);
        const visited: bigint[] = [];
        await log.scan(topic, 0, 1n, ({ offset }) => void visited.push(offset));
        await log.scan(topic, 1, 0n, ({ offset }) => void visited.push(offset));
        expect(visited).toEqual([3n, 4n]);
      });

      test('ends with the error of a visit', async () => {
        const topic = await world.createTopic(1);
        await log.send(topic, 0, numbered('n', 5));
        let visits = 0;
        const scan = log.scan(topic, 0, 0n, () => {
          visits += 1;
          if (visits === 2) throw new Error('enough');
        });
        await expect(scan).rejects.toThrow('enough');
        expect(visits).toBe(2);
      });
    });

    test('laneCount is the number of lanes', async () => {
      expect(await log.laneCount(await world.createTopic(12))).toBe(12);
    });

    test('ends tell what a lane holds', async () => {
      const topic = await world.createTopic(1);
      await log.send(topic, 0, numbered('n', 5));
      await world.deleteRecordsBefore(topic, 0, 2n);
      expect(await log.ends(topic)).toEqual([{ lane: 0, low: 2n, high: 5n }]);
    });

    test('close ends its readers and what comes after it is BROKER_UNAVAILABLE', async () => {
      const topic = await world.createTopic(1);
      const { records, deaths } = await reading(topic);
      const sent = log.send(topic, 0, numbered('n', 1));
      await Promise.all([log.close(), log.close()]);
      await expect(sent).resolves.toEqual({ baseOffset: 0n });
      const before = records.length;
      expect(await codeOf(log.send(topic, 0, numbered('n', 1)))).toBe('BROKER_UNAVAILABLE');
      expect(await codeOf(reading(topic))).toBe('BROKER_UNAVAILABLE');
      expect(await codeOf(log.ends(topic))).toBe('BROKER_UNAVAILABLE');
      expect(records).toHaveLength(before);
      expect(deaths).toEqual([]);
    });
  });
}
