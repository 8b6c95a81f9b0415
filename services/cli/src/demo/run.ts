import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseCategorySchema } from '@concordat/common/domain/category-schema.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { type Federation, KeyRing } from '@concordat/common/domain/federation.js';
import { keyIdOf, rawPublicKey } from '@concordat/common/domain/keys.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { Signer } from '@concordat/common/domain/statement.js';
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
import { SCHEMAS_DIR } from '../io/home.js';
import { SERVICES_DIR } from '../io/run-service.js';
import { type SnapshotFile, readSnapshots } from '../io/un-list-folder.js';
import { type Forgers, tryAttacks } from './attacks.js';
import { Book } from './book.js';
import { fetchCertificates, verifyCertificates } from './certificates.js';
import { type Chaos, type Victim, planChaos } from './chaos.js';
import { type DemoClients, openClients } from './clients.js';
import { dumpTopics } from './dump-topics.js';
import { makeFederation, processPlans } from './federation.js';
import { orderPurge } from './order-purges.js';
import { waitFor } from './patience.js';
import { type Places, placesIn } from './places.js';
import { type PublishingParts, publishChanges } from './publish-changes.js';
import { countReadable } from './read-back.js';
import { replayAll } from './replay-all.js';
import { type DemoReport, percentiles } from './report.js';
import { readablePurged, storedPurged } from './resurrection.js';
import { ORIGIN, RECIPIENTS, SHARES } from './scenario.js';
import { type Look, keysRefused, lookAround, releasedTo, settle } from './settle.js';
import type { Story } from './story.js';
import { Supervised } from './supervisor.js';
import { watchArrivals } from './watch-arrivals.js';

export interface DemoOptions {
  readonly dataDir: string;
  readonly reportFile: string;
  readonly kafkaBrokers: string | undefined;
  /** kills each process and the broker once, at moments that follow from the seed */
  readonly killSeed: number | undefined;
  /** where the built services are, each as `<service>/dist/main.js`; default: this repository's */
  readonly servicesDir?: string;
  /** called when all is done and everything still runs */
  readonly visit?: (scene: RunningDemo) => Promise<void>;
}

/** A federation at work, for whoever wants to look closer. */
export interface RunningDemo {
  readonly places: Places;
  readonly federation: Federation;
  readonly clients: DemoClients;
  readonly log: LogClient;
  readonly book: Book;
}

export interface DemoPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly story: Story;
}

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
  const servicesDir = options.servicesDir ?? SERVICES_DIR;
  for (const plan of processPlans(places, federation, brokers, servicesDir)) {
    const service = new Supervised(plan, { logsDir: places.logsDir, clock, onFailure: failed });
    service.start();
    services.push(service);
  }
  const clients = await openClients(places.dir, federation);
  const log = kafkaLogClient({ brokers, clientId: 'demo', clock, random });
  try {
    await Promise.race([failure, waitUntilUp(clock, clients)]);
    story.line(`${String(services.length)} processes are ready`);
    const processes = [...services, ...ownBroker(broker)];
    const chaos =
      options.killSeed === undefined
        ? undefined
        : planChaos(clock, processes, {
            seed: options.killSeed,
            scenes: snapshots.length + SCENES_AFTER,
            tell: (text) => story.line(text),
            onFailure: (cause) => failed(asConcordatError(cause)),
          });
    const acts = play(ports, { ...stage, clients, log, topics, snapshots, chaos });
    const { report, book } = await Promise.race([failure, acts]);
    await options.visit?.({ places, federation, clients, log, book });
    if (broker.kind === 'given') await dumpTopics(log, topics, places.topicsDir);
    await Promise.all(services.map((service) => service.stop()));
    const resurrected = new Set([...report.readableAgain, ...storedPurged(places, book)]);
    const { readableAgain: _ids, ...figures } = report;
    const finished: DemoReport = {
      ...figures,
      resurrected: resurrected.size,
      kafka: { source: broker.kind === 'given' ? 'KAFKA_BROKERS' : 'jars', brokers },
      restarts: Object.fromEntries(processes.map(({ name, restarts }) => [name, restarts])),
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
  readonly chaos: Chaos | undefined;
}

/** Reading and rewinding come after the lists; processes may be killed there too. */
const SCENES_AFTER = 2;

type PlayReport = Omit<DemoReport, 'kafka' | 'restarts' | 'durationMs' | 'resurrected'> & {
  readonly readableAgain: ReadonlySet<string>;
};

async function play(
  ports: DemoPorts,
  cast: Cast,
): Promise<{ readonly report: PlayReport; readonly book: Book }> {
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
  return { report, book };
}

async function readForgers(places: Places): Promise<Forgers> {
  const own = memberFiles(places.dir, ORIGIN);
  const [other] = RECIPIENTS.slice(1);
  return {
    stranger: await readSigningKey(memberFiles(places.dir, other ?? ORIGIN).signingKeyFile('node')),
    wrongRole: await readSigningKey(own.signingKeyFile('consent')),
    unknown: newSigner(),
    rightKeyId: (await readSigningKey(own.signingKeyFile('revocation'))).keyId,
  };
}

function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { keyId: keyIdOf(rawPublicKey(privateKey)), privateKey };
}

/** Our own broker as a process that can be killed; a given one is left alone. */
function ownBroker(broker: FoundBroker): (Victim & { restarts: number })[] {
  if (broker.kind === 'given') return [];
  const { local } = broker;
  return [
    {
      name: 'broker',
      restarts: 0,
      async kill() {
        await local.kill();
        await local.restart();
        this.restarts += 1;
      },
    },
  ];
}

/** Publishes list after list; what left a list is taken back. @returns the references that were delisted */
async function shareLists(
  ports: DemoPorts,
  { clients, places, snapshots, chaos }: Cast,
  parts: Omit<PublishingParts, 'onProgress'>,
): Promise<string[]> {
  const { clock, story } = ports;
  const { book } = parts;
  const codec = openRecordCodec(SCHEMAS_DIR);
  const officer = await readSigningKey(
    memberFiles(places.dir, ORIGIN).signingKeyFile('purge-officer'),
  );
  const delisted: string[] = [];
  let before: SnapshotFile['snapshot']['entries'] = [];
  for (const [scene, { snapshot }] of snapshots.entries()) {
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
    const onProgress = (share: number): void => chaos?.reached({ scene, share });
    await publishChanges({ ...parts, onProgress }, changes, snapshot.dateGenerated);
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
