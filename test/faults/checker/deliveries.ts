import type { Finding } from './findings.js';
import { FINAL, type History, eventOf, readable, withdrawn } from './history.js';
import type { SeenLog } from './logs.js';
import { type Published, isLater } from './sends.js';

/** Did what was published come, and nothing else? */
export function checkDeliveries(
  history: History,
  events: ReadonlyMap<string, Published>,
  seen: ReadonlyMap<string, SeenLog>,
): Finding[] {
  const purged = new Set(history.orders.flatMap((order) => order.events));
  return [...seen.values()]
    .filter(({ kind }) => kind === 'notices')
    .flatMap((log) => [
      ...strangers(log, events),
      ...missing(log, events, purged),
      ...missingAtTheEnd(log, history),
    ]);
}

/** What nobody published, or was refused, may not come. */
function strangers({ name, offsetOf }: SeenLog, events: ReadonlyMap<string, Published>): Finding[] {
  return [...offsetOf.keys()].flatMap((value) => {
    const outcome = events.get(eventOf(value).event)?.outcome ?? 'fail';
    return outcome === 'fail' ? [{ anomaly: 'aborted', text: `${name}: ${value}` }] : [];
  });
}

/** Acknowledged, not taken back, and nobody ever saw it. What came after it on its lane was seen: it is lost. */
function missing(
  { name, offsetOf }: SeenLog,
  events: ReadonlyMap<string, Published>,
  purged: ReadonlySet<string>,
): Finding[] {
  const came = (event: string): boolean =>
    offsetOf.has(readable(event)) || offsetOf.has(withdrawn(event));
  const newest = new Map<string, NonNullable<Published['place']>>();
  for (const [event, { place }] of events) {
    if (!place || !came(event)) continue;
    const known = newest.get(place.lane);
    if (!known || isLater(place, known)) newest.set(place.lane, place);
  }
  return [...events].flatMap(([event, { outcome, place }]): Finding[] => {
    if (outcome !== 'ok' || purged.has(event) || came(event)) return [];
    const last = place && newest.get(place.lane);
    const isLost = place && last && isLater(last, place);
    return [{ anomaly: isLost ? 'lost' : 'unseen', text: `${event} at ${name}` }];
  });
}

/** Seen once, not withdrawn, and gone when all was read again. */
function missingAtTheEnd({ name, offsetOf }: SeenLog, { polls }: History): Finding[] {
  const last = new Set(
    polls.flatMap((op) =>
      op.log === name && op.reader === FINAL && op.kind === 'poll'
        ? op.values.map(({ value }) => value)
        : [],
    ),
  );
  return [...offsetOf.keys()].flatMap((value): Finding[] => {
    const isReplaced = last.has(withdrawn(eventOf(value).event));
    return last.has(value) || isReplaced
      ? []
      : [{ anomaly: 'lost', text: `${value} at ${name}: it is there no more` }];
  });
}
