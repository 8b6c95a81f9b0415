import type { Finding } from './findings.js';
import type { Place, Send } from './history.js';

/** What is known of one event from all tries to publish it. */
export interface Published {
  readonly outcome: Send['outcome'];
  readonly place: Place | undefined;
}

/** One try that was answered counts; else one whose end is unknown; only what was refused each time has failed. */
export function publishedEvents(sends: readonly Send[]): Map<string, Published> {
  const events = new Map<string, Published>();
  for (const { event, outcome, place } of sends) {
    const before = events.get(event);
    if (before?.outcome === 'ok') continue;
    if (outcome === 'ok' || before === undefined || outcome === 'unknown') {
      events.set(event, { outcome, place });
    }
  }
  return events;
}

export function isLater(a: Place, b: Place): boolean {
  return a.block > b.block || (a.block === b.block && a.leaf > b.leaf);
}

function nameOf({ lane, block, leaf }: Place): string {
  return `${lane}/${String(block)}/${String(leaf)}`;
}

/** Answers that contradict each other: two places of an event, two events at a place, a place that goes back. */
export function checkSends(sends: readonly Send[]): Finding[] {
  const findings: Finding[] = [];
  const placeOf = new Map<string, string>();
  const eventAt = new Map<string, string>();
  const last = new Map<string, Place>();
  for (const { process, event, place, repeated = false } of sends) {
    if (!place) continue;
    const name = nameOf(place);
    const otherPlace = placeOf.get(event) ?? name;
    const otherEvent = eventAt.get(name) ?? event;
    if (otherPlace !== name) {
      findings.push({ anomaly: 'inconsistent', text: `${event}: at ${otherPlace} and at ${name}` });
    }
    if (otherEvent !== event) {
      findings.push({ anomaly: 'inconsistent', text: `${name}: ${otherEvent} and ${event}` });
    }
    placeOf.set(event, otherPlace);
    eventAt.set(name, otherEvent);
    if (repeated) continue; // it got its place when the try before had its effect
    const key = `${process} ${place.lane}`;
    const before = last.get(key);
    if (before && !isLater(place, before)) {
      findings.push({
        anomaly: 'nonMonotonic',
        text: `send ${event} by ${process}: ${name} after ${nameOf(before)}`,
      });
    }
    last.set(key, place);
  }
  return findings;
}
