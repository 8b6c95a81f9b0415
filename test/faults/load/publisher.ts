import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import type { NationalService, concordat } from '@concordat/common/io/rpc/definitions.js';
import { outcomesOf } from '@concordat/cli/io/publish-many.js';
import { makeRequests } from '#bench/events.js';
import type { Book } from './book.js';

type PublishRequest = concordat.node.v1.PublishRequest;

/** Events of one call: in them a kill finds some that are done and some that are not. */
const CALL_EVENTS = 100;
const CALL_MS_MAX = 8_000;
const AGAIN_MS = 200;
/** One of so many calls is not made again when its end is unknown: its events may be there or not. */
const LEFT_OF = 8;
/** One of so many events is refused: what nobody accepted must never be seen. */
const REFUSED_OF = 250;

export interface PublisherOptions {
  readonly name: string;
  readonly events: number;
  readonly perSecond: number;
  readonly random: () => number;
}

/** A national system that publishes at a steady pace, and says again what nobody answered for. */
export async function publish(
  node: ClientOf<typeof NationalService>,
  book: Book,
  { name, events, perSecond, random }: PublisherOptions,
): Promise<void> {
  const startMs = performance.now();
  for (let sent = 0; sent < events && !book.isClosed;) {
    await delay(Math.max(0, startMs + (sent * 1_000) / perSecond - performance.now()));
    const requests = makeRequests(Math.min(CALL_EVENTS, events - sent)).map((one) =>
      random() < 1 / REFUSED_OF ? { ...one, purposes: [] } : one,
    );
    for (const { eventId, contentJson } of requests)
      book.contents.set(eventId, digestOf(contentJson));
    sent += await publishAll(node, book, name, requests, random);
  }
}

/** @returns how many of them were acknowledged */
async function publishAll(
  node: ClientOf<typeof NationalService>,
  book: Book,
  name: string,
  requests: readonly PublishRequest[],
  random: () => number,
): Promise<number> {
  for (;;) {
    try {
      const answer = await node.publishStream([{ events: [...requests] }], {
        timeoutMs: CALL_MS_MAX,
        waitForReady: true,
      });
      let published = 0;
      let again: PublishRequest[] = [];
      for (const outcome of outcomesOf(requests, answer)) {
        const request = requests[outcome.position];
        if (!request) continue;
        if (outcome.kind === 'refused') {
          const isOurs = request.purposes.length === 0;
          book.send(name, request.eventId, isOurs ? 'fail' : 'unknown');
          if (!isOurs) again = [...again, request];
          continue;
        }
        const { lane, epoch, blockNumber, leaf, repeated } = outcome.place;
        const place = { lane: `${String(lane)}/${String(epoch)}`, block: blockNumber, leaf };
        book.send(name, request.eventId, 'ok', { place, repeated });
        published += 1;
      }
      if (again.length > 0) {
        await delay(AGAIN_MS);
        return published + (await publishAll(node, book, name, again, random));
      }
      return published;
    } catch {
      for (const { eventId } of requests) book.send(name, eventId, 'unknown');
      if (book.isClosed || random() < 1 / LEFT_OF) return 0;
      await delay(AGAIN_MS);
    }
  }
}

/** JSON is written anew by the node, so fields are compared, not bytes. */
export function digestOf(json: Uint8Array): string {
  const fields = Object.entries(JSON.parse(Buffer.from(json).toString('utf8')) as object).sort(
    ([one], [other]) => (one < other ? -1 : 1),
  );
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url');
}
