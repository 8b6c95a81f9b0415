import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseCategorySchema } from '@concordat/common/domain/category-schema.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { readSigningKey } from '@concordat/common/io/federation-file.js';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diffEntries } from '../domain/un-list/match.js';
import { type FoundBroker, findBroker } from '../io/broker/find-broker.js';
import { federationFiles, memberFiles } from '../io/federation-init.js';
import { type SnapshotFile, readSnapshots } from '../io/un-list-folder.js';
import { tryAttacks } from './attacks.js';
import { Book } from './book.js';
import { fetchCertificates, verifyCertificates } from './certificates.js';
import { startChaos } from './chaos.js';
import { type DemoClients, openClients } from './clients.js';
import { dumpTopics } from './dump-topics.js';
import { makeFederation, processPlans } from './federation.js';
import { orderPurge } from './order-purges.js';
import { insist, waitFor } from './patience.js';
import { type Places, SCHEMAS_DIR, placesIn } from './places.js';
import { type PublishingParts, publishChanges } from './publish-changes.js';
import { countReadable } from './read-back.js';
import { replayAll } from './replay-all.js';
import { type DemoReport, percentiles } from './report.js';
import { readablePurged, storedPurged } from './resurrection.js';
import { ORIGIN, RECIPIENTS, SHARES } from './scenario.js';
import { type Look, lookAround, releasedTo, settle } from './settle.js';
import type { Story } from './story.js';
import { Supervised } from './supervisor.js';
import { watchArrivals } from './watch-arrivals.js';

export interface DemoOptions {
  readonly dataDir: string;
  readonly reportFile: string;
  readonly kafkaBrokers: string | undefined;
  /** kills each process and the broker once, at moments that follow from the seed */
  readonly killSeed: number | undefined;
}

export interface DemoPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly story: Story;
}

/** All kills of a seed fall into this window after the first publication. */
const KILL_WINDOW_MS = 15_000;
const LISTING = 'listing.v1.avsc';

/** The whole demo: build a federation, share the lists, take back what left them, prove it, attack it. */
export async function runDemo(options: DemoOptions, ports: DemoPorts): Promise<DemoReport> {
  const { clock, story } = ports;
  const startMs = clock.monotonicMs();
  const places = placesIn(dirname(options.reportFile));

  story.scene('Read the lists');
  const snapshots = await readSnapshots(options.dataDir);
  for (const { file, snapshot } of snapshots) {
    const day = snapshot.dateGenerated.slice(0, 10);
    story.line(`${file}: list of ${day}, ${String(snapshot.entries.length)} entries`);
  }

  story.scene('Build the federation');
  const federation = await makeFederation(places, ports);
  story.line(`keys, certificates and one agreement for ${ORIGIN}, ${RECIPIENTS.join(', ')}`);
  for (const { member, inWords } of SHARES) story.line(`${member} may have ${inWords}`);
  const broker = await findBroker({
    kafkaBrokers: options.kafkaBrokers,
    directory: places.dir,
    progress: (text) => story.line(text),
  });
  const stage: Stage = { places, federation, broker, services: [] };
  try {
    return await onStage(options, ports, stage, { snapshots, startMs });
  } finally {
    await Promise.all(stage.services.map((service) => service.stop()));
    await broker.stop();
  }
}

interface Stage {
  readonly places: Places;
  readonly federation: Federation;
  readonly broker: FoundBroker;
  readonly services: Supervised[];
}

interface Play {
  readonly snapshots: readonly SnapshotFile[];
  readonly startMs: number;
}

async function onStage(
  options: DemoOptions,
  ports: DemoPorts,
  stage: Stage,
  { snapshots, startMs }: Play,
): Promise<DemoReport> {
  const { clock, random, story } = ports;
  const { places, federation, broker, services } = stage;
  const { brokers } = broker;
  story.line(`Kafka at ${brokers.join(', ')}`);
  const topics = await applyTopics(ports, brokers);
  story.line(`${String(topics.length)} topics`);

  let failed: (cause: ConcordatError) => void = () => undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    failed = reject;
  });
  failure.catch(() => undefined);
  for (const plan of processPlans(places, federation, brokers)) {
    const service = new Supervised(plan, { logsDir: places.logsDir, clock, onFailure: failed });
    service.start();
    services.push(service);
  }
  const clients = await openClients(places.dir, federation);
  const log = kafkaLogClient({ brokers, clientId: 'demo', clock, random });
  try {
    await Promise.race([failure, waitUntilUp(clock, clients)]);
    story.line(`${String(services.length)} processes are ready`);
    const acts = play(options, ports, { ...stage, clients, log, topics, snapshots });
    const { report, book } = await Promise.race([failure, acts]);
    await Promise.all(services.map((service) => service.stop()));
    const resurrected = new Set([...report.readableAgain, ...storedPurged(places, book)]);
    const { readableAgain: _ids, ...figures } = report;
    const finished: DemoReport = {
      ...figures,
      resurrected: resurrected.size,
      kafka: { source: broker.kind === 'given' ? 'KAFKA_BROKERS' : 'jars', brokers },
      restarts: Object.fromEntries(services.map(({ name, restarts }) => [name, restarts])),
      durationMs: Math.round(clock.monotonicMs() - startMs),
    };
    await writeFile(options.reportFile, `${JSON.stringify(finished, undefined, 2)}\n`);
    return finished;
  } finally {
    clients.close();
    await log.close();
  }
}

async function applyTopics(
  { clock, random }: DemoPorts,
  brokers: readonly string[],
): Promise<readonly string[]> {
  const admin = await openTopicAdmin({ brokers, clientId: 'demo-topics', clock, random });
  try {
    const membership = { members: [ORIGIN, ...RECIPIENTS], origins: [ORIGIN] };
    const findings = await admin.apply(membership, 'demo');
    return findings.map(({ topic }) => topic);
  } finally {
    await admin.close();
  }
}

async function waitUntilUp(clock: Clock, clients: DemoClients): Promise<void> {
  await waitFor(clock, async () => {
    await lookAround(clients);
    return undefined;
  });
}

interface Cast extends Stage {
  readonly clients: DemoClients;
  readonly log: LogClient;
  readonly topics: readonly string[];
  readonly snapshots: readonly SnapshotFile[];
}

type PlayReport = Omit<DemoReport, 'kafka' | 'restarts' | 'durationMs' | 'resurrected'> & {
  readonly readableAgain: ReadonlySet<string>;
};

async function play(
  options: DemoOptions,
  ports: DemoPorts,
  cast: Cast,
): Promise<{ readonly report: PlayReport; readonly book: Book }> {
  const { clock, story } = ports;
  const { clients, places, broker, services } = cast;
  const codec = openRecordCodec(SCHEMAS_DIR);
  const schemaType = openCategoryCodec(SCHEMAS_DIR).findByCategory('listing');
  if (!schemaType) throw new ConcordatError('SCHEMA_UNKNOWN', `expected ${LISTING} in schemas/`);
  const book = new Book();
  const arrivals = watchArrivals(clock, clients, book);
  const chaos =
    options.killSeed === undefined
      ? undefined
      : startChaos(clock, victims(services, broker), {
          seed: options.killSeed,
          windowMs: KILL_WINDOW_MS,
          tell: (text) => story.line(text),
        });

  const delisted = await shareLists(ports, cast, { ...ports, clients, book, schema: schemaType });
  if (chaos) {
    await chaos.over;
    await insist(clock, () => lookAround(clients));
  }
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
  const replay = await replayAll(clock, clients);
  const readableAgain = await readablePurged(clock, clients, book);
  story.line(
    `${String(replay.ledgerRecordsAdded)} ledger records and ${String(replay.receiptsAdded)} receipts were added`,
  );

  story.scene('Attack it');
  const stranger = await readSigningKey(
    memberFiles(places.dir, RECIPIENTS[1] ?? ORIGIN).signingKeyFile('node'),
  );
  const attacks = await tryAttacks({ ...ports, codec, log: cast.log, clients, book, stranger });
  for (const [name, { result, detail }] of Object.entries(attacks)) {
    story.line(`${name}: ${result} (${detail.code})`);
  }
  if (broker.kind === 'given') await dumpTopics(cast.log, cast.topics, places.topicsDir);

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
  return { report, book };
}

function victims(services: readonly Supervised[], broker: FoundBroker) {
  const processes = services.map((service) => ({
    name: service.name,
    kill: () => service.kill(),
  }));
  if (broker.kind === 'given') return processes;
  const { local } = broker;
  const killBroker = async (): Promise<void> => {
    await local.kill();
    await local.restart();
  };
  return [...processes, { name: 'the broker', kill: killBroker }];
}

/** Publishes list after list; what left a list is taken back. @returns the references that were delisted */
async function shareLists(
  ports: DemoPorts,
  { clients, places, snapshots }: Cast,
  parts: PublishingParts,
): Promise<string[]> {
  const { clock, story } = ports;
  const { book } = parts;
  const codec = openRecordCodec(SCHEMAS_DIR);
  const officer = await readSigningKey(
    memberFiles(places.dir, ORIGIN).signingKeyFile('purge-officer'),
  );
  const delisted: string[] = [];
  let before: SnapshotFile['snapshot']['entries'] = [];
  for (const { snapshot } of snapshots) {
    const day = snapshot.dateGenerated.slice(0, 10);
    const { added, amended, delisted: gone } = diffEntries(before, snapshot.entries);
    story.scene(`List of ${day}`);
    story.line(
      `${String(added.length)} to publish, ${String(amended.length)} amended, ${String(gone.length)} delisted`,
    );
    const changes = [
      ...added.map((entry) => ({ entry })),
      ...amended.map(({ after }) => {
        const live = book.live.get(after.reference);
        return { entry: after, ...(live && { supersedes: live.id }) };
      }),
    ];
    await publishChanges(parts, changes, snapshot.dateGenerated);
    for (const { reference } of gone) {
      await orderPurge({ ...ports, codec, clients, officer }, book.remove(reference));
      delisted.push(reference);
      story.line(`${reference} left the list: purge ordered, every holder must answer`);
    }
    const look = await settle(clock, clients, book);
    tellLook(story, look);
    before = snapshot.entries;
  }
  return delisted.sort();
}

function tellLook(story: Story, look: Look): void {
  for (const { recipient, released, withheld } of look.consent.recipients) {
    const reasons = Object.entries(withheld).map(([reason, n]) => `${String(n)} ${reason}`);
    const kept = reasons.length > 0 ? `, withheld ${reasons.join(', ')}` : '';
    story.line(`${recipient}: ${String(released)} released${kept}`);
  }
  const closed = look.orders.orders.filter(({ state }) => state === 'CLOSED');
  if (closed.length > 0) {
    story.line(`${String(closed.length)} purge orders closed, every holder has answered`);
  }
}

function withheldBy(look: Look): Pick<DemoReport, 'withheld' | 'withheldReasons'> {
  const withheldReasons = Object.fromEntries(
    look.consent.recipients.map(({ recipient, withheld }) => [recipient, { ...withheld }]),
  );
  const withheld = Object.fromEntries(
    Object.entries(withheldReasons).map(([recipient, reasons]) => [
      recipient,
      Object.values(reasons).reduce((sum, n) => sum + n, 0),
    ]),
  );
  return { withheld, withheldReasons };
}

async function readAll(
  clock: Clock,
  { clients }: Cast,
  book: Book,
  look: Look,
  story: Story,
): Promise<DemoReport['members']> {
  const parsed = parseCategorySchema(
    JSON.parse(readFileSync(join(SCHEMAS_DIR, LISTING), 'utf8')) as unknown,
  );
  if (!parsed.ok) throw new ConcordatError('SCHEMA_INVALID', LISTING);
  const members: Record<string, { released: number; readable: number }> = {};
  for (const [member, node] of clients.recipients) {
    const readable = await countReadable(clock, book, parsed.value, { member, clients: node });
    const released = look.origin.released[member] ?? 0;
    members[member] = { released, readable };
    story.line(`${member}: ${String(released)} released, ${String(readable)} readable now`);
    if (releasedTo(look, member) !== released) story.line(`${member}: consent and ledger differ`);
  }
  return members;
}
