import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, readBlock } from '@concordat/common/domain/block.js';
import { codec } from '../support/federation.js';
import { DE, NodeWorld, UN, contentOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';

const LARGE_TEXT = 190_000;

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const small = (n: number) => ({ firstName: `Ada ${String(n)}` });

/** The blocks that were sent: how many envelopes, how many bytes. */
function blocks(): { readonly envelopes: number; readonly bytes: number }[] {
  return world.log.lanes('events.un').flatMap(({ records }) =>
    records.map(({ value }) => {
      const read = readBlock(codec, world.members.keys, value, UN);
      if (!read.ok) throw read.error;
      return { envelopes: read.value.envelopes.length, bytes: value.length };
    }),
  );
}

describe('a block', () => {
  test('of one event, and as full as a block may be, arrive readable', async () => {
    await world.start(UN, DE);
    await world.publish(0);
    await world.readable(DE, 1);
    const count = 3 * BLOCK_ENVELOPES_MAX;
    await Promise.all(
      Array.from({ length: count }, (_, n) => world.publish(n + 1, {}, small(n + 1))),
    );
    await world.readable(DE, count + 1);
    const [least, ...rest] = blocks().toSorted((a, b) => a.envelopes - b.envelopes);
    expect(least?.envelopes).toBe(1);
    const fullest = rest.at(-1);
    const isFull =
      fullest?.envelopes === BLOCK_ENVELOPES_MAX || (fullest?.bytes ?? 0) > BLOCK_BYTES_MAX * 0.95;
    expect({ fullest, isFull }).toMatchObject({ isFull: true });
    expect(await world.read(DE, eventId(count))).toMatchObject(small(count));
  });

  test('of events as large as they may be stays within its bytes, and each arrives whole', async () => {
    await world.start(UN, DE);
    const text = 'x'.repeat(LARGE_TEXT);
    const content = (n: number) => ({
      ...contentOf(n),
      remarks: [{ of: 'INDIVIDUAL', index: 0, text }],
    });
    const wanted = [0, 1, 2, 3, 4, 5, 6, 7];
    await Promise.all(wanted.map((n) => world.publish(n, {}, content(n))));
    await world.readable(DE, wanted.length);
    expect(Math.max(...blocks().map(({ bytes }) => bytes))).toBeGreaterThan(LARGE_TEXT * 2);
    expect(Math.max(...blocks().map(({ bytes }) => bytes))).toBeLessThan(BLOCK_BYTES_MAX * 1.2);
    for (const n of wanted) expect(await world.read(DE, eventId(n))).toMatchObject(content(n));
  });
});
