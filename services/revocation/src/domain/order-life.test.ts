import { expect, test } from '@jest/globals';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { type OrderEvent, type OrderLife, isOverdue, step } from './order-life.js';

const at = {
  awaiting: { kind: 'awaiting' },
  ordered: { kind: 'ordered' },
  letting: { kind: 'leave_ordered' },
  leaving: { kind: 'leaving' },
  sealed: { kind: 'sealed' },
  twoOpen: { kind: 'appended', openEntries: 2 },
  oneOpen: { kind: 'appended', openEntries: 1 },
  answered: { kind: 'appended', openEntries: 0 },
  closed: { kind: 'closed' },
  refused: { kind: 'refused' },
} as const satisfies Record<string, OrderLife>;

const happening = {
  lacking: { kind: 'approvalMissing' },
  approved: { kind: 'approved' },
  seal: { kind: 'sealAnswered' },
  refusal: { kind: 'sealRefused' },
  entries: { kind: 'entriesAppended', entries: 2 },
  nobody: { kind: 'entriesAppended', entries: 0 },
  receipt: { kind: 'entryAnswered' },
  certified: { kind: 'certified' },
  leave: { kind: 'leaveApproved' },
  letGo: { kind: 'memberLetGo' },
  gone: { kind: 'memberGone' },
} as const satisfies Record<string, OrderEvent>;

type State = keyof typeof at;
type Happening = keyof typeof happening;

// prettier-ignore
const TABLE: Record<State, Record<Happening, State>> = {
  //           a second person missing  a second person    the node sealed   it never will          entries written      nobody held it       a valid receipt       certificate checked    second person, of a leave   the node let it go   and said it has left
  awaiting: { lacking: 'awaiting', approved: 'ordered', seal: 'awaiting', refusal: 'refused', entries: 'awaiting', nobody: 'awaiting', receipt: 'awaiting', certified: 'awaiting', leave: 'letting', letGo: 'awaiting', gone: 'awaiting' },
  ordered:  { lacking: 'awaiting', approved: 'ordered', seal: 'sealed',   refusal: 'refused',  entries: 'ordered',  nobody: 'ordered',  receipt: 'ordered',  certified: 'ordered', leave: 'ordered', letGo: 'ordered', gone: 'ordered' },
  letting:  { lacking: 'awaiting', approved: 'letting', seal: 'letting', refusal: 'refused', entries: 'letting', nobody: 'letting', receipt: 'letting', certified: 'letting', leave: 'letting', letGo: 'leaving', gone: 'letting' },
  leaving:  { lacking: 'leaving', approved: 'leaving', seal: 'leaving', refusal: 'leaving', entries: 'leaving', nobody: 'leaving', receipt: 'leaving', certified: 'leaving', leave: 'leaving', letGo: 'leaving', gone: 'closed' },
  sealed:   { lacking: 'sealed', approved: 'sealed', seal: 'sealed',   refusal: 'sealed',   entries: 'twoOpen',  nobody: 'answered', receipt: 'sealed',   certified: 'sealed', leave: 'sealed', letGo: 'sealed', gone: 'sealed' },
  twoOpen:  { lacking: 'twoOpen', approved: 'twoOpen', seal: 'twoOpen',  refusal: 'twoOpen',  entries: 'twoOpen',  nobody: 'twoOpen',  receipt: 'oneOpen',  certified: 'twoOpen', leave: 'twoOpen', letGo: 'twoOpen', gone: 'twoOpen' },
  oneOpen:  { lacking: 'oneOpen', approved: 'oneOpen', seal: 'oneOpen',  refusal: 'oneOpen',  entries: 'oneOpen',  nobody: 'oneOpen',  receipt: 'answered', certified: 'oneOpen', leave: 'oneOpen', letGo: 'oneOpen', gone: 'oneOpen' },
  answered: { lacking: 'answered', approved: 'answered', seal: 'answered', refusal: 'answered', entries: 'answered', nobody: 'answered', receipt: 'answered', certified: 'closed', leave: 'answered', letGo: 'answered', gone: 'answered' },
  closed:   { lacking: 'closed', approved: 'closed', seal: 'closed',   refusal: 'closed',   entries: 'closed',   nobody: 'closed',   receipt: 'closed',   certified: 'closed', leave: 'closed', letGo: 'closed', gone: 'closed' },
  refused:  { lacking: 'refused', approved: 'refused', seal: 'refused',  refusal: 'refused',  entries: 'refused',  nobody: 'refused',  receipt: 'refused',  certified: 'refused', leave: 'refused', letGo: 'refused', gone: 'refused' },
};

const states = Object.keys(at) as State[];
const events = Object.keys(happening) as Happening[];

test.each(
  states.flatMap((from) => events.map((event) => [from, event, TABLE[from][event]] as const)),
)('%s on %s becomes %s', (from, event, to) => {
  expect(step(at[from], happening[event])).toEqual(at[to]);
});

test.each<[kind: OrderLife['kind'], lateMs: number, expected: boolean]>([
  ['awaiting', 1, true],
  ['ordered', 1, true],
  ['leave_ordered', 1, true],
  ['leaving', 1, true],
  ['sealed', 1, true],
  ['appended', 1, true],
  ['appended', 0, false],
  ['closed', 1, false],
  ['refused', 1, false],
])('%s is overdue %d ms past its deadline: %p', (kind, lateMs, expected) => {
  const deadlineMs = asUnixMs(1_000);
  expect(isOverdue(kind, deadlineMs, asUnixMs(deadlineMs + lateMs))).toBe(expected);
});
