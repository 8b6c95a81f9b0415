import { describe, expect, test } from '@jest/globals';
import { check } from './check.js';
import {
  type Assign,
  FINAL,
  type History,
  type Order,
  type Poll,
  type Send,
  readable,
  withdrawn,
} from './history.js';

const LOG = 'notices.de';
const LANE = 'feed.un.de/0';

function sent(event: string, block: number, more: Partial<Send> = {}): Send {
  const place = { lane: '0/1', block, leaf: 0 };
  return { process: 'p1', event, outcome: 'ok', place, ...more };
}

function unanswered(event: string, outcome: 'fail' | 'unknown'): Send {
  return { process: 'p1', event, outcome };
}

/** A reader that is given these from the beginning: `[1, 'READABLE a']`. */
function read(
  reader: string,
  values: readonly (readonly [number, string])[],
  { log = LOG, after = 0 }: { readonly log?: string; readonly after?: number } = {},
): (Assign | Poll)[] {
  return [
    { kind: 'assign', log, reader, after },
    ...values.map(([offset, value]): Poll => {
      return { kind: 'poll', log, reader, values: [{ offset, value }] };
    }),
  ];
}

const GOOD: readonly (readonly [number, string])[] = [
  [1, readable('a')],
  [2, readable('b')],
  [3, readable('c')],
];

function history(more: Partial<History> = {}): History {
  return {
    sends: [sent('a', 1), sent('b', 2), sent('c', 3)],
    logs: new Map([
      [LOG, 'notices'],
      [LANE, 'lane'],
    ]),
    owners: new Map([[LOG, 'de']]),
    polls: [...read('r1', GOOD), ...read(FINAL, GOOD)],
    orders: [],
    readings: [],
    ...more,
  };
}

function found(more: Partial<History>): string[] {
  return check(history(more)).map(({ anomaly, text }) => `${anomaly}: ${text}`);
}

describe('a history that is all right', () => {
  test('has no findings', () => {
    expect(found({})).toEqual([]);
  });

  test('may have sends whose end is unknown, seen or not, and refused ones that nobody saw', () => {
    const sends = [
      ...[sent('a', 1), unanswered('b', 'unknown'), sent('c', 3)],
      ...[unanswered('never', 'unknown'), unanswered('refused', 'fail')],
    ];
    expect(found({ sends })).toEqual([]);
  });

  test('may have an event that was sent again after an unknown end, at the place it had', () => {
    const again = [
      unanswered('a', 'unknown'),
      sent('b', 2),
      sent('a', 1, { repeated: true }),
      sent('c', 3),
    ];
    expect(found({ sends: again })).toEqual([]);
  });

  test('may leave out what was withdrawn before a reader came to it', () => {
    const polls = [
      ...read('quick', [...GOOD, [4, withdrawn('b')]]),
      ...read('slow', [
        [1, readable('a')],
        [3, readable('c')],
        [4, withdrawn('b')],
      ]),
      ...read(FINAL, [
        [1, readable('a')],
        [3, readable('c')],
        [4, withdrawn('b')],
      ]),
    ];
    expect(found({ polls, orders: [order('b')] })).toEqual([]);
  });

  test('may have the same bytes twice in a lane', () => {
    const twice = read('r1', [
      [0, 'x'],
      [1, 'x'],
    ]).map((op) => ({ ...op, log: LANE, ...(op.kind === 'assign' && { after: -1 }) }));
    expect(found({ polls: [...history().polls, ...twice] })).toEqual([]);
  });
});

function order(event: string, more: Partial<Order> = {}): Order {
  const holders = [{ member: 'de', state: 'DELETED', isNamed: false }];
  return { id: 'o1', events: [event], state: 'CLOSED', holders, ...more };
}

describe('each anomaly is found', () => {
  test('aborted: what was refused is seen', () => {
    const sends = [sent('a', 1), sent('b', 2), unanswered('c', 'fail')];
    expect(found({ sends })).toEqual([`aborted: ${LOG}: READABLE c`]);
  });

  test('aborted: what nobody sent is seen', () => {
    expect(found({ sends: [sent('a', 1), sent('b', 2)] })).toEqual([`aborted: ${LOG}: READABLE c`]);
  });

  test('lost: acknowledged, a later one of its lane was seen, it never was', () => {
    const without = GOOD.filter(([offset]) => offset !== 2);
    const polls = [...read('r1', without), ...read(FINAL, without)];
    expect(found({ polls })).toEqual([`lost: b at ${LOG}`]);
  });

  test('lost: seen once, and gone from the log in the end', () => {
    const polls = [
      ...read('r1', GOOD),
      ...read(FINAL, [
        [1, readable('a')],
        [2, readable('b')],
      ]),
    ];
    expect(found({ polls })).toEqual([`lost: READABLE c at ${LOG}: it is there no more`]);
  });

  test('lost: the end of a lane is gone', () => {
    const options = { log: LANE, after: -1 };
    const all = [[0, 'x'] as const, [1, 'y'] as const];
    const polls = [...read('r1', all, options), ...read(FINAL, all.slice(0, 1), options)];
    expect(found({ polls: [...history().polls, ...polls] })).toEqual([
      `lost: ${LANE} offset 1: it is there no more`,
    ]);
  });

  test('unseen: acknowledged, and the last of its lane', () => {
    const without = GOOD.filter(([offset]) => offset !== 3);
    const polls = [...read('r1', without), ...read(FINAL, without)];
    expect(found({ polls })).toEqual([`unseen: c at ${LOG}`]);
  });

  test('doubled: one notice at two offsets', () => {
    const twice = [...GOOD, [4, readable('a')] as const];
    const polls = [...read('r1', twice), ...read(FINAL, twice)];
    expect(new Set(found({ polls }))).toEqual(
      new Set([`doubled: ${LOG} offset 4: READABLE a, also at 1`]),
    );
  });

  test('skipped: a reader is not given what another one was', () => {
    const polls = [
      ...history().polls,
      ...read('r2', [
        [1, readable('a')],
        [3, readable('c')],
      ]),
    ];
    expect(found({ polls })).toEqual([`skipped: r2 of ${LOG}: 3 after 1 leaves out 2`]);
  });

  test('skipped: a reader that goes on with a cursor begins too late', () => {
    const polls = [...history().polls, ...read('r2', [[3, readable('c')]], { after: 1 })];
    expect(found({ polls })).toEqual([`skipped: r2 of ${LOG}: 3 after 1 leaves out 2`]);
  });

  test('skipped: a withdrawal is not told', () => {
    const all = [...GOOD, [4, withdrawn('b')], [5, readable('d')]] as const;
    const polls = [
      ...read('r1', all),
      ...read('r2', [...GOOD, [5, readable('d')]]),
      ...read(
        FINAL,
        all.filter(([offset]) => offset !== 2),
      ),
    ];
    const sends = [...history().sends, sent('d', 4)];
    expect(found({ sends, polls, orders: [order('b')] })).toEqual([
      `skipped: r2 of ${LOG}: 5 after 3 leaves out 4`,
    ]);
  });

  test('nonMonotonic: a reader is given what it was given before', () => {
    const polls = [
      ...history().polls,
      ...read('r2', [...GOOD, [2, readable('b')], [3, readable('c')]]),
    ];
    expect(found({ polls })).toEqual([`nonMonotonic: r2 of ${LOG}: 2 after 3`]);
  });

  test('nonMonotonic: a process is given a place before its last one', () => {
    expect(found({ sends: [sent('b', 2), sent('a', 1), sent('c', 3)] })).toEqual([
      'nonMonotonic: send a by p1: 0/1/1/0 after 0/1/2/0',
    ]);
  });

  test('inconsistent: two values at one offset, in a lane and in a log of notices', () => {
    const lanes = [
      ...read('r1', [[0, 'x']], { log: LANE, after: -1 }),
      ...read('r2', [[0, 'y']], { log: LANE, after: -1 }),
    ];
    const polls = [...history().polls, ...lanes, ...read('r2', [[1, readable('c')]])];
    expect(found({ polls })).toEqual([
      `inconsistent: ${LANE} offset 0: x and y`,
      `inconsistent: ${LOG} offset 1: READABLE a and READABLE c`,
      `doubled: ${LOG} offset 1: READABLE c, also at 3`,
    ]);
  });

  test('inconsistent: an event at two places, a place with two events', () => {
    const sends = [...history().sends, sent('a', 4, { repeated: true }), sent('d', 3)];
    const all = [...GOOD, [4, readable('d')] as const];
    const polls = [...read('r1', all), ...read(FINAL, all)];
    expect(found({ sends, polls })).toEqual([
      'inconsistent: a: at 0/1/1/0 and at 0/1/4/0',
      'inconsistent: 0/1/3/0: c and d',
      'nonMonotonic: send d by p1: 0/1/3/0 after 0/1/3/0',
    ]);
  });

  test('inconsistent: what is read is not what was published', () => {
    const readings = [{ member: 'de', event: 'a', answer: 'other', afterReceipt: false }];
    expect(found({ readings })).toEqual(['inconsistent: a at de']);
  });

  test('resurrected: read after the receipt, or told as readable after its withdrawal', () => {
    const all = [...GOOD, [4, withdrawn('b')], [5, readable('b')]] as const;
    const polls = [
      ...read('r1', all.slice(2)),
      ...read(FINAL, [GOOD[0] ?? [0, ''], ...all.slice(2)]),
    ];
    const readings = [
      { member: 'de', event: 'b', answer: 'content', afterReceipt: true },
      { member: 'de', event: 'b', answer: 'PURGED', afterReceipt: true },
      { member: 'de', event: 'b', answer: 'content', afterReceipt: false },
    ];
    const anomalies = found({ polls, readings, orders: [order('b')] });
    expect(anomalies).toContain('resurrected: b was read at de');
    expect(anomalies).toContain(`resurrected: ${LOG}: b is told as readable again`);
    expect(anomalies.filter((text) => text.includes('was read'))).toHaveLength(1);
  });

  test('resurrected: a holder says that it is gone, and its systems are never told', () => {
    expect(found({ orders: [order('b')] })).toEqual([`resurrected: ${LOG}: b is not withdrawn`]);
  });

  test('unaccounted: a holder that is silent, one that is forgotten, an order that is refused', () => {
    const silent = [{ member: 'de', state: 'APPENDED', isNamed: false }];
    expect(found({ orders: [order('a', { state: 'APPENDED', holders: silent })] })).toEqual([
      'unaccounted: order o1: de is APPENDED, and named nowhere',
    ]);
    expect(found({ orders: [order('a', { holders: [] })] })).toEqual([
      'unaccounted: order o1: de was told of its events and is no holder',
    ]);
    const refused = order('a', {
      state: 'REFUSED',
      holders: [{ member: 'de', state: 'OPEN', isNamed: false }],
    });
    expect(found({ orders: [refused] })).toEqual([
      'unaccounted: order o1: it was accepted, then refused',
    ]);
    const named = [{ member: 'de', state: 'APPENDED', isNamed: true }];
    expect(found({ orders: [order('a', { state: 'APPENDED', holders: named })] })).toEqual([]);
  });
});
