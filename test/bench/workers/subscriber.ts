import { setTimeout as delay } from 'node:timers/promises';
import { type Place, connect } from '../connect.js';
import { PURPOSE } from '../events.js';
import { machineMs } from '../proc.js';
import { untilComplete } from '../until-complete.js';

const STREAM_MS_MAX = 3_600_000;
const SETTLE_MS = 200;

/** A national system of the recipient: notes when it is told that an event can be read. */
export function subscriberCalls() {
  const seenMs = new Map<string, number>();
  let ended: unknown;

  return {
    async connect(place: Place): Promise<void> {
      const { client } = await connect(place, 'national');
      const request = {
        purpose: PURPOSE,
        caseId: 'bench',
        category: '',
        includeHeld: false,
        cursor: '',
        systemId: '',
      };
      const follow = async (): Promise<void> => {
        const options = { timeoutMs: STREAM_MS_MAX, waitForReady: true };
        for await (const notice of client.subscribe(request, options)) {
          if (notice.kind === 'READABLE') seenMs.set(notice.eventId, machineMs());
        }
      };
      follow().catch((cause: unknown) => (ended = cause));
      await delay(SETTLE_MS); // the stream says nothing before its first notice
    },

    /** Waits for every one of these. @returns when each was seen, in their order */
    async seen(ids: readonly string[]): Promise<number[]> {
      await untilComplete('notices of readable events', ids.length, async () => {
        if (ended !== undefined) throw ended as Error;
        return ids.filter((id) => seenMs.has(id)).length;
      });
      const times = ids.map((id) => seenMs.get(id) ?? 0);
      seenMs.clear();
      return times;
    },
  };
}
export type SubscriberCalls = ReturnType<typeof subscriberCalls>;
