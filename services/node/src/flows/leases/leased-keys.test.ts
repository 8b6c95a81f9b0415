import { type MonotonicMs, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { memberOf } from '../../../../../test/support/federation.js';
import { eventId } from '../../../../../test/support/origin.js';
import { LEASE_MS } from '../../domain/lease.js';
import { momentOf } from '../../domain/moment.js';
import { LeasedKeys } from './leased-keys.js';

const un = memberOf('un');
const key = (n: number) => new Uint8Array(32).fill(n);
const zeros = new Uint8Array(32);

let now = { monotonicMs: 0, unixMs: 0 };
/** Those that sleep, woken by hand. */
let sleepers: (() => void)[] = [];
const clock: Clock = {
  monotonicMs: () => now.monotonicMs as MonotonicMs,
  nowMs: () => asUnixMs(now.unixMs),
  sleep: (_ms, signal) =>
    new Promise((resolve, reject) => {
      sleepers.push(resolve);
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
    }),
};
const pass = (ms: number, wallMs = ms): void => {
  now = { monotonicMs: now.monotonicMs + ms, unixMs: now.unixMs + wallMs };
};

let leases: LeasedKeys;
beforeEach(() => {
  now = { monotonicMs: 1_000, unixMs: 1_700_000_000_000 };
  sleepers = [];
  leases = new LeasedKeys(clock, 3);
});
afterEach(() => leases.close());

/** Leases event `n`, and answers the very bytes that are kept. */
function grant(n: number, sentAt = momentOf(clock)): Uint8Array {
  leases.grant({ origin: un, id: eventId(n) }, new Map([['identity', key(n)]]), sentAt);
  const kept = keyOf(n);
  if (!kept) throw new Error('expected a lease that runs');
  return kept;
}
const keyOf = (n: number) => leases.keysOf(un, eventId(n))?.get('identity');

describe('keys on lease', () => {
  test('are there until their term is over, and zeros from then on', () => {
    const kept = grant(1);
    pass(LEASE_MS - 1);
    expect(keyOf(1)).toEqual(key(1));
    pass(1);
    expect(keyOf(1)).toBeUndefined();
    expect(kept).toEqual(zeros);
  });

  test('count from the asking, however late the answer came', () => {
    const sentAt = momentOf(clock);
    pass(LEASE_MS - 10);
    const kept = grant(1, sentAt);
    pass(10);
    expect(keyOf(1)).toBeUndefined();
    expect(kept).toEqual(zeros);
  });

  test.each<[name: string, ms: number, wallMs: number]>([
    ['the machine slept', 10, 600_000],
    ['the clock was set back', 10_000, -600_000],
    ['the wall clock says so', LEASE_MS - 900, LEASE_MS],
    ['the monotonic clock says so', LEASE_MS, LEASE_MS - 900],
  ])('are zeros when %s', (_name, ms, wallMs) => {
    const kept = grant(1);
    pass(ms, wallMs);
    expect(keyOf(1)).toBeUndefined();
    expect(kept).toEqual(zeros);
  });

  test('are wiped when their term is over, also when nobody asks for them', async () => {
    const [old, young] = [grant(1), grant(2)];
    leases.start((cause) => {
      throw cause;
    });
    await new Promise(setImmediate);
    pass(LEASE_MS / 2);
    const again = grant(2);
    expect(young).toEqual(zeros);
    pass(LEASE_MS / 2);
    for (const wake of sleepers.splice(0)) wake();
    await new Promise(setImmediate);
    expect(old).toEqual(zeros);
    expect(again).toEqual(key(2));
  });

  test('end with a purge, and with the node', async () => {
    const [one, two] = [grant(1), grant(2)];
    leases.end([{ origin: un, id: eventId(1) }]);
    expect(one).toEqual(zeros);
    expect(keyOf(1)).toBeUndefined();
    expect(keyOf(2)).toEqual(key(2));
    await leases.close();
    expect(two).toEqual(zeros);
    leases.grant({ origin: un, id: eventId(3) }, new Map([['identity', key(3)]]), momentOf(clock));
    expect(keyOf(3)).toBeUndefined();
  });

  test('of some sections end, and the others run on', () => {
    const both = new Map([
      ['identity', key(1)],
      ['remarks', key(2)],
    ]);
    leases.grant({ origin: un, id: eventId(1) }, both, momentOf(clock));
    const remarks = leases.keysOf(un, eventId(1))?.get('remarks');
    leases.endSections(un, eventId(1), new Set(['remarks', 'aliases']));
    expect(remarks).toEqual(zeros);
    expect(leases.keysOf(un, eventId(1))).toEqual(new Map([['identity', key(1)]]));
  });

  test('are copies: who gave them wipes his own', () => {
    const given = key(1);
    leases.grant({ origin: un, id: eventId(1) }, new Map([['identity', given]]), momentOf(clock));
    given.fill(0);
    expect(keyOf(1)).toEqual(key(1));
  });

  test('are few: with one more than there is room for the oldest end', () => {
    const [oldest] = [1, 2, 3, 4].map((n) => grant(n));
    expect(oldest).toEqual(zeros);
    expect([1, 2, 3, 4].map((n) => keyOf(n) !== undefined)).toEqual([false, true, true, true]);
  });
});
