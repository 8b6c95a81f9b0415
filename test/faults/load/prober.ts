import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { PURPOSE } from '#bench/events.js';
import { ORIGIN } from '../stage/federation.js';
import { type World, nationalOf } from '../world.js';
import { digestOf } from './publisher.js';

const READ_MS_MAX = 5_000;
const AT_ONCE = 8;

/** Tries to read events, and writes down what came. @returns how often content came */
export async function probe(
  world: Pick<World, 'stage' | 'book' | 'officer'>,
  member: MemberId,
  events: readonly string[],
): Promise<number> {
  const { book, officer } = world;
  const node = nationalOf(world, member);
  let opened = 0;
  const queue = events.values();
  const lane = async (): Promise<void> => {
    for (const event of queue) {
      const afterReceipt = officer.gone.get(event)?.has(member) ?? false;
      const answer = await node
        .read(
          { origin: ORIGIN, eventId: event, purpose: PURPOSE, caseId: 'faults' },
          { timeoutMs: READ_MS_MAX, waitForReady: true },
        )
        .then(
          ({ sections }) => {
            const merged = sections.map(
              ({ contentJson }) => JSON.parse(Buffer.from(contentJson).toString('utf8')) as object,
            );
            const whole = Buffer.from(JSON.stringify(Object.assign({}, ...merged)));
            return digestOf(whole) === book.contents.get(event) ? 'content' : 'other';
          },
          (cause: unknown) => asConcordatError(cause).code,
        );
      if (answer === 'content') opened += 1;
      book.readings.push({ member, event, answer, afterReceipt });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return opened;
}
