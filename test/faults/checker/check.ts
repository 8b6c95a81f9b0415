import { checkDeliveries } from './deliveries.js';
import type { Finding } from './findings.js';
import type { History } from './history.js';
import { checkEnds, checkReaders, joinLogs } from './logs.js';
import { checkPurges } from './purges.js';
import { checkSends, publishedEvents } from './sends.js';

/**
 * Judges what everybody saw, in the manner of Jepsen's Kafka workload: sends and polls with their outcomes, and nothing of how
 * it came about. Beyond it: what was taken back stays away, and every holder has answered or is named.
 *
 * @returns everything that must not be; empty for a history that is all right
 */
export function check(history: History): Finding[] {
  const events = publishedEvents(history.sends);
  const { seen, findings } = joinLogs(history);
  return [
    ...checkSends(history.sends),
    ...findings,
    ...checkReaders(history, seen),
    ...checkEnds(history, seen),
    ...checkDeliveries(history, events, seen),
    ...checkPurges(history, seen),
  ];
}
