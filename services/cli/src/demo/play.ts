import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCategorySchema } from '@concordat/common/domain/category-schema.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { type CategoryType, openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { federationFiles } from '../io/federation-init.js';
import { SCHEMAS_DIR } from '../io/home.js';
import { tryAttacks } from './attacks.js';
import { Book } from './book.js';
import type { Cast, DemoPorts } from './cast.js';
import { fetchCertificates, verifyCertificates } from './certificates.js';
import { readForgers } from './forgers.js';
import { countReadable } from './read-back.js';
import { replayAll } from './replay-all.js';
import { type DemoReport, percentiles } from './report.js';
import { readablePurged } from './resurrection.js';
import { type Look, keysRefused, releasedTo, settle } from './settle.js';
import { shareLists } from './share-lists.js';
import type { Story } from './story.js';
import { watchArrivals } from './watch-arrivals.js';

const LISTING = 'listing.v1.avsc';

type PlayReport = Omit<
  DemoReport,
  'kafka' | 'restarts' | 'kills' | 'durationMs' | 'resurrected' | 'scenes'
> & {
  readonly readableAgain: ReadonlySet<string>;
};

/** Scene after scene, while everybody runs. */
export async function play(
  ports: DemoPorts,
  cast: Cast,
): Promise<{
  readonly report: PlayReport;
  readonly book: Book;
  readonly schema: CategoryType;
}> {
  const { clock, story } = ports;
  const { clients, places, snapshots, chaos } = cast;
  const codec = openRecordCodec(SCHEMAS_DIR);
  const schemaType = openCategoryCodec(SCHEMAS_DIR).findByCategory('listing');
  if (!schemaType) throw new ConcordatError('SCHEMA_UNKNOWN', `expected ${LISTING} in schemas/`);
  const book = new Book();
  const arrivals = watchArrivals(clock, clients, book);

  const delisted = await shareLists(ports, cast, { ...ports, clients, book, schema: schemaType });
  const look = await settle(clock, clients, book);
  await arrivals.stop();

  story.scene('Read everything at every member');
  const members = await readAll(clock, cast, book, look, story);

  story.scene('Prove it: one certificate for each purged event');
  const orderIds = look.orders.orders.map(({ orderId }) => orderId);
  const issued = await fetchCertificates(clock, clients, orderIds, places.certificatesDir);
  const { trustFile } = federationFiles(places.dir);
  const verified = await verifyCertificates(codec, places.certificatesDir, trustFile);
  story.line(`${String(issued)} issued, ${String(verified)} verified with trust.json alone`);

  story.scene('Rewind every recipient to zero and read everything again');
  const replay = await replayAll(clock, clients, (share) =>
    chaos?.reached({ scene: snapshots.length + 1, share }),
  );
  if (chaos) {
    await chaos.over();
    await settle(clock, clients, book);
  }
  const readableAgain = await readablePurged(clock, clients, book);
  story.line(
    `${String(replay.ledgerRecordsAdded)} ledger records and ${String(replay.receiptsAdded)} receipts were added`,
  );

  story.scene('Attack it');
  const forgers = await readForgers(places);
  const keys = new KeyRing(cast.federation);
  const attacks = await tryAttacks({
    ...{ ...ports, codec, keys, clients, book, forgers },
    log: cast.log,
  });
  for (const [name, { result, detail }] of Object.entries(attacks)) {
    const codes = new Set([detail.code, ...Object.values(detail.forgeries ?? {})]);
    story.line(`${name}: ${result} (${[...codes].join(', ')})`);
  }
  const { forgedPurge, replay: replayed, readPurged } = attacks;
  const report: PlayReport = {
    published: look.origin.published,
    purged: look.orders.orders.filter(({ state }) => state === 'CLOSED').length,
    delisted,
    certificates: { issued, verified },
    members,
    ...withheldBy(look),
    attacks: {
      forgedPurge: forgedPurge.result,
      replay: replayed.result,
      readPurged: readPurged.result,
    },
    attackDetails: {
      forgedPurge: forgedPurge.detail,
      replay: replayed.detail,
      readPurged: readPurged.detail,
    },
    readableAgain,
    replay,
    latencyMs: percentiles(book.latenciesMs),
    purgeMs: percentiles(
      look.orders.orders.map(({ orderedAtMs, closedAtMs }) => closedAtMs - orderedAtMs),
    ),
  };
  return { report, book, schema: schemaType };
}

function withheldBy(look: Look): Pick<DemoReport, 'withheld' | 'withheldReasons' | 'keysRefused'> {
  const withheldReasons = Object.fromEntries(
    look.consent.recipients.map(({ recipient, withheld }) => [recipient, { ...withheld }]),
  );
  const withheld = Object.fromEntries(
    Object.entries(withheldReasons).map(([recipient, reasons]) => [
      recipient,
      Object.values(reasons).reduce((sum, n) => sum + n, 0),
    ]),
  );
  const refused = new Map(
    [...look.recipients].map(([member, status]) => [member, keysRefused(status)]),
  );
  return { withheld, withheldReasons, keysRefused: Object.fromEntries(refused) };
}

async function readAll(
  clock: Clock,
  { clients, chaos, snapshots }: Cast,
  book: Book,
  look: Look,
  story: Story,
): Promise<DemoReport['members']> {
  const parsed = parseCategorySchema(
    JSON.parse(readFileSync(join(SCHEMAS_DIR, LISTING), 'utf8')) as unknown,
  );
  if (!parsed.ok) throw new ConcordatError('SCHEMA_INVALID', LISTING);
  const members: Record<string, { released: number; readable: number }> = {};
  for (const [at, [member, node]] of [...clients.recipients].entries()) {
    chaos?.reached({ scene: snapshots.length, share: at / clients.recipients.size });
    const readable = await countReadable(clock, book, parsed.value, { member, clients: node });
    const released = look.origin.released[member] ?? 0;
    members[member] = { released, readable };
    story.line(`${member}: ${String(released)} released, ${String(readable)} readable now`);
    if (releasedTo(look, member) !== released) story.line(`${member}: consent and ledger differ`);
  }
  return members;
}
