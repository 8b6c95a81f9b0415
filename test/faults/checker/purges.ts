import type { Finding } from './findings.js';
import { type History, eventOf, readable, withdrawn } from './history.js';
import type { SeenLog } from './logs.js';

/** A holder in one of these states has answered. `OPEN`: it has, and says what is still there and why. */
const ANSWERED = ['DELETED', 'NOT_HELD', 'OPEN'];
const GONE = ['DELETED', 'NOT_HELD'];
const REFUSED = 'REFUSED';

/** Is what was taken back gone, and has everybody who held it answered or been named? */
export function checkPurges(history: History, seen: ReadonlyMap<string, SeenLog>): Finding[] {
  const { orders, owners } = history;
  const notices = [...seen.values()].filter(({ kind }) => kind === 'notices');
  return [
    ...orders.flatMap((order) => unaccounted(order, owners, notices)),
    ...history.readings.flatMap(({ member, event, answer, afterReceipt }): Finding[] => {
      if (!afterReceipt || (answer !== 'content' && answer !== 'other')) return [];
      return [{ anomaly: 'resurrected', text: `${event} was read at ${member}` }];
    }),
    ...history.readings.flatMap(({ member, event, answer }): Finding[] =>
      answer === 'other' ? [{ anomaly: 'inconsistent', text: `${event} at ${member}` }] : [],
    ),
    ...orders.flatMap((order) => stillTold(order, owners, notices)),
    ...notices.flatMap(({ name, offsetOf }) =>
      [...offsetOf].flatMap(([value, goneAt]): Finding[] => {
        const { kind, event } = eventOf(value);
        const backAt = offsetOf.get(readable(event)) ?? -1;
        return kind === 'WITHDRAWN' && backAt > goneAt
          ? [{ anomaly: 'resurrected', text: `${name}: ${event} is told as readable again` }]
          : [];
      }),
    ),
  ];
}

/** A holder says that it holds an event no more, and its national systems were never told so. */
function stillTold(
  { events, holders }: History['orders'][number],
  owners: History['owners'],
  notices: readonly SeenLog[],
): Finding[] {
  const gone = holders.filter(({ state }) => GONE.includes(state)).map(({ member }) => member);
  const logs = notices.filter(({ name }) => gone.includes(owners.get(name) ?? name));
  return logs.flatMap(({ name, offsetOf }) =>
    events
      .filter((event) => offsetOf.has(readable(event)) && !offsetOf.has(withdrawn(event)))
      .map((event): Finding => ({
        anomaly: 'resurrected',
        text: `${name}: ${event} is not withdrawn`,
      })),
  );
}

function unaccounted(
  { id, events, state, holders }: History['orders'][number],
  owners: History['owners'],
  notices: readonly SeenLog[],
): Finding[] {
  const told = notices.filter(({ offsetOf }) =>
    events.some((event) => offsetOf.has(readable(event)) || offsetOf.has(withdrawn(event))),
  );
  const forgotten = told
    .map(({ name }) => owners.get(name) ?? name)
    .filter((member) => !holders.some((holder) => holder.member === member))
    .map((member) => `${member} was told of its events and is no holder`);
  const silent = holders
    .filter((holder) => !ANSWERED.includes(holder.state) && !holder.isNamed)
    .map(({ member, state: its }) => `${member} is ${its}, and named nowhere`);
  const refused = state === REFUSED ? ['it was accepted, then refused'] : [];
  return [...forgotten, ...silent, ...refused].map((text) => ({
    anomaly: 'unaccounted',
    text: `order ${id}: ${text}`,
  }));
}
