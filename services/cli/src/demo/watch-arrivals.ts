import { parseEventId } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { Book } from './book.js';
import type { DemoClients } from './clients.js';
import { CASE_ID, PURPOSE } from './scenario.js';

const STREAM_MS = 3_600_000;
const AGAIN_MS = 300;

/** Listens to every recipient's node for events that become readable, and times them. */
export function watchArrivals(
  clock: Clock,
  clients: DemoClients,
  book: Book,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const streams = [...clients.recipients].map(async ([member, { national }]) => {
    let cursor = '';
    while (!signal.aborted) {
      try {
        const request = {
          purpose: PURPOSE,
          caseId: CASE_ID,
          category: '',
          includeHeld: true,
          cursor,
          systemId: '',
        };
        for await (const notice of national.subscribe(request, { timeoutMs: STREAM_MS, signal })) {
          const id = parseEventId(notice.eventId);
          if (notice.kind === 'READABLE' && id.ok) {
            book.readableAt(member, id.value, clock.monotonicMs());
          }
          cursor = notice.cursor;
        }
      } catch {
        // a node that restarts ends its streams; the next one goes on after the last notice
        await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
      }
    }
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all(streams);
    },
  };
}
