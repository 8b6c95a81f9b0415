import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { CategorySchema } from '@concordat/common/domain/category-schema.js';
import { matchesCategory } from '@concordat/common/domain/category.js';
import { listingDifferences } from '../domain/un-list/listing.js';
import type { Book, Listed } from './book.js';
import type { MemberClients } from './clients.js';
import { inParallel, insist } from './patience.js';
import { CASE_ID, ORIGIN, PURPOSE, SHARES } from './scenario.js';

const WIDTH = 16;
const READ_TIMEOUT_MS = 10_000;

/** Everything of an event that the member's node hands out, its sections laid together. */
export async function readEvent(
  clock: Clock,
  { national }: MemberClients,
  id: EventId,
  origin: MemberId = ORIGIN,
): Promise<Readonly<Record<string, unknown>>> {
  const request = { origin, eventId: id, purpose: PURPOSE, caseId: CASE_ID };
  const { sections } = await insist(clock, () =>
    national.read(request, { timeoutMs: READ_TIMEOUT_MS, waitForReady: true }),
  );
  const fields: Record<string, unknown> = {};
  for (const { contentJson } of sections) {
    Object.assign(fields, JSON.parse(Buffer.from(contentJson).toString('utf8')));
  }
  return fields;
}

/**
 * Reads every event of the last list at a member.
 *
 * @returns how many came back with exactly the fields that the member may have, each as the list has it
 */
export async function countReadable(
  clock: Clock,
  book: Book,
  schema: CategorySchema,
  reader: { readonly member: MemberId; readonly clients: MemberClients },
): Promise<number> {
  const share = SHARES.find(({ member }) => member === reader.member);
  const fields = schema.fields
    .filter(({ section }) => share?.sections.includes(section) === true)
    .map(({ name }) => name);
  let readable = 0;
  await inParallel([...book.live.values()], WIDTH, async (listed) => {
    const isShared = share?.categories.some((one) => matchesCategory(one, listed.category));
    const read = await tryRead(clock, reader.clients, listed);
    if (!read) return;
    if (isShared !== true) return; // read what it should not have: the count will not fit
    if (listingDifferences(listed.listing, read, fields).length === 0) readable += 1;
  });
  return readable;
}

/** Answers that are a finding, not a failure of the run. */
const NOT_READABLE: ReadonlySet<string> = new Set(['EVENT_UNKNOWN', 'PURGED', 'RELEASE_WITHHELD']);

async function tryRead(
  clock: Clock,
  clients: MemberClients,
  listed: Listed,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return await readEvent(clock, clients, listed.id);
  } catch (cause) {
    if (NOT_READABLE.has(asConcordatError(cause).code)) return undefined;
    throw cause;
  }
}

/** The code with which a reading is refused; undefined when it succeeds. */
export async function refusalOf(
  clock: Clock,
  clients: MemberClients,
  id: EventId,
  origin: MemberId = ORIGIN,
): Promise<string | undefined> {
  try {
    await readEvent(clock, clients, id, origin);
    return undefined;
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}
