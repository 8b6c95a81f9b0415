import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type EventId, parseEventId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { CategoryType } from '@concordat/common/io/avro/category-codec.js';
import { v7 as uuidv7 } from 'uuid';
import type { UnEntry } from '../domain/un-list/entry.js';
import { categoryOf, toListing } from '../domain/un-list/to-listing.js';
import type { Book } from './book.js';
import type { DemoClients } from './clients.js';
import { inParallel, insist } from './patience.js';
import { LEGAL_BASIS, PURPOSE, RETAIN_DAYS } from './scenario.js';
import type { Story } from './story.js';

const WIDTH = 64;
const PUBLISH_TIMEOUT_MS = 30_000;

export interface PublishingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly clients: DemoClients;
  readonly book: Book;
  readonly story: Story;
  readonly schema: CategoryType;
  /** told with the share of one list that is published */
  readonly onProgress: (share: number) => void;
}

export interface Change {
  readonly entry: UnEntry;
  /** the event that this one replaces */
  readonly supersedes?: EventId;
}

/** Publishes entries as events; the same id is sent again until the node has answered. */
export async function publishChanges(
  parts: PublishingParts,
  changes: readonly Change[],
  dateGenerated: string,
): Promise<void> {
  const { story, onProgress } = parts;
  let done = 0;
  onProgress(0);
  await inParallel(changes, WIDTH, async (change) => {
    await publishOne(parts, change, dateGenerated);
    done += 1;
    story.progress('published', done, changes.length);
    onProgress(done / changes.length);
  });
}

async function publishOne(
  { clock, random, clients, book, schema }: PublishingParts,
  { entry, supersedes }: Change,
  dateGenerated: string,
): Promise<void> {
  const listing = toListing(entry, dateGenerated);
  if (!listing.ok) throw listing.error;
  const nowMs = clock.nowMs();
  const id = parseEventId(uuidv7({ msecs: nowMs, random: random.bytes(16) }));
  if (!id.ok) throw new ConcordatError('INTERNAL', 'a new id is not a UUIDv7');
  const sentAtMs = clock.monotonicMs();
  book.sending(id.value, sentAtMs);
  const category = categoryOf(entry);
  await insist(clock, () =>
    clients.origin.national.publish(
      {
        eventId: id.value,
        category,
        schemaHash: schema.hash,
        contentJson: Buffer.from(JSON.stringify(listing.value)),
        collectedAtMs: nowMs,
        retainUntilMs: nowMs + RETAIN_DAYS * 86_400_000,
        purposes: [PURPOSE],
        legalBasis: LEGAL_BASIS,
        handling: { tlp: 'GREEN', europol: 'H1', source: 'A', information: 1 },
        supersedes: supersedes ?? '',
        audience: { byAgreement: true, members: [] },
        derivedFrom: [],
      },
      { timeoutMs: PUBLISH_TIMEOUT_MS, waitForReady: true },
    ),
  );
  const { reference } = entry;
  book.add({ id: id.value, reference, category, listing: listing.value, sentAtMs });
}
