import { connect } from './connect.js';
import { PURPOSE } from './events.js';
import type { Origin } from './ingest.js';

const READS = 20;

/** What was counted as readable is read: some of these events, from first to last. @throws Error when one is empty */
export async function readSome(
  { recipient, federation }: Origin,
  ids: readonly string[],
): Promise<void> {
  const { client, close } = await connect(recipient, 'national');
  const step = Math.ceil(ids.length / READS);
  try {
    for (let at = 0; at < ids.length; at += step) {
      const eventId = ids[at] ?? '';
      const { sections } = await client.read(
        { origin: federation.origin, eventId, purpose: PURPOSE, caseId: 'bench' },
        { timeoutMs: 30_000 },
      );
      if (sections.length === 0) throw new Error(`${eventId} was read, and came without content`);
    }
  } finally {
    close();
  }
}
