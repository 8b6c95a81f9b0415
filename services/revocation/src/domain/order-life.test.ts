import { expect, test } from '@jest/globals';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { type OrderEvent, type OrderLife, isOverdue, step } from './order-life.js';

const at = {
  ordered: { kind: 'ordered' },
  sealed: { kind: 'sealed' },
  twoOpen: { kind: 'appended', openEntries: 2 },
  oneOpen: { kind: 'appended', openEntries: 1 },
  answered: { kind: 'appended', openEntries: 0 },
  closed: { kind: 'closed' },
  refused: { kind: 'refused' },
} as const satisfies Record<string, OrderLife>;

const happening = {
  seal: { kind: 'sealAnswered' },
  refusal: { kind: 'sealRefused' },
  entries: { kind: 'entriesAppended', entries: 2 },
  nobody: { kind: 'entriesAppended', entries: 0 },
  receipt: { kind: 'entryAnswered' },
  certified: { kind: 'certified' },
} as const satisfies Record<string, OrderEvent>;

type State = keyof typeof at;
type Happening = keyof typeof happening;

// prettier-ignore
const TABLE: Record<State, Record<Happening, State>> = {
  //           the node sealed   it never will          entries written      nobody held it       a valid receipt       certificate checked
  ordered:  { seal: 'sealed',   refusal: 'refused',  entries: 'ordered',  nobody: 'ordered',  receipt: 'ordered',  certified: 'ordered' },
  sealed:   { seal: 'sealed',   refusal: 'sealed',   entries: 'twoOpen',  nobody: 'answered', receipt: 'sealed',   certified: 'sealed' },
  twoOpen:  { seal: 'twoOpen',  refusal: 'twoOpen',  entries: 'twoOpen',  nobody: 'twoOpen',  receipt: 'oneOpen',  certified: 'twoOpen' },
  oneOpen:  { seal: 'oneOpen',  refusal: 'oneOpen',  entries: 'oneOpen',  nobody: 'oneOpen',  receipt: 'answered', certified: 'oneOpen' },
  answered: { seal: 'answered', refusal: 'answered', entries: 'answered', nobody: 'answered', receipt: 'answered', certified: 'closed' },
  closed:   { seal: 'closed',   refusal: 'closed',   entries: 'closed',   nobody: 'closed',   receipt: 'closed',   certified: 'closed' },
  refused:  { seal: 'refused',  refusal: 'refused',  entries: 'refused',  nobody: 'refused',  receipt: 'refused',  certified: 'refused' },
};

const states = Object.keys(at) as State[];
const events = Object.keys(happening) as Happening[];

test.each(
  states.flatMap((from) => events.map((event) => [from, event, TABLE[from][event]] as const)),
)('%s on %s becomes %s', (from, event, to) => {
  expect(step(at[from], happening[event])).toEqual(at[to]);
});

test.each<[kind: OrderLife['kind'], lateMs: number, expected: boolean]>([
  ['ordered', 1, true],
  ['sealed', 1, true],
  ['appended', 1, true],
  ['appended', 0, false],
  ['closed', 1, false],
  ['refused', 1, false],
])('%s is overdue %d ms past its deadline: %p', (kind, lateMs, expected) => {
  const deadlineMs = asUnixMs(1_000);
  expect(isOverdue(kind, deadlineMs, asUnixMs(deadlineMs + lateMs))).toBe(expected);
});
