import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { BrokerWay } from '../domain/broker-way.js';
import { type FoundBroker, findBroker } from '../io/broker/find-broker.js';
import { SERVICES_DIR } from '../io/run-service.js';
import { type SnapshotFile, readSnapshots } from '../io/un-list-folder.js';
import type { Book } from './book.js';
import { type DemoPorts, SCENES_AFTER, type Stage } from './cast.js';
import { type Victim, planChaos } from './chaos.js';
import { type DemoClients, openClients } from './clients.js';
import { dumpTopics } from './dump-topics.js';
import { makeFederation, processPlans } from './federation.js';
import { waitFor } from './patience.js';
import { type Places, placesIn } from './places.js';
import { play } from './play.js';
import type { DemoReport } from './report.js';
import { storedPurged } from './resurrection.js';
import { ORIGIN, ORIGINS, RECIPIENTS, SHARES } from './scenario.js';
import { type DemoScene, playScenes } from './scenes/scene.js';
import { ASK, lookAround } from './settle.js';
import { Supervised } from './supervisor.js';

export interface DemoOptions {
  readonly dataDir: string;
  readonly reportFile: string;
  readonly kafkaBrokers: string | undefined;
  /** how a broker of our own is run; else the first way that works */
  readonly brokerWay: BrokerWay | undefined;
  /** kills each process and the broker, at moments that follow from the seed */
  readonly killSeed: number | undefined;
  /** how often each is killed; default: once */
  readonly kills?: number;
  /** where the built services are, each as `<service>/dist/main.js`; default: this repository's */
  readonly servicesDir?: string;
  /** played after the main job; default: none */
  readonly scenes?: readonly DemoScene[];
  /** called when the main job is done and everything still runs, before the further scenes */
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
  story.line(`keys, certificates and agreements for ${ORIGIN}, ${RECIPIENTS.join(', ')}`);
  for (const { member, inWords } of SHARES) story.line(`${member} may have ${inWords}`);
  const broker = await findBroker({
    kafkaBrokers: options.kafkaBrokers,
    way: options.brokerWay,
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
            times: options.kills ?? 1,
            scenes: snapshots.length + SCENES_AFTER,
            tell: (text) => story.line(text),
            onFailure: (cause) => failed(asConcordatError(cause)),
          });
    const acts = play(ports, { ...stage, clients, log, topics, snapshots, chaos });
    const { report, book, schema } = await Promise.race([failure, acts]);
    await options.visit?.({ places, federation, clients, log, book });
    const set = { ...stage, clients, log, topics, snapshots, chaos, ports, book, schema };
    const scenes = await Promise.race([failure, playScenes(options.scenes ?? [], set)]);
    if (broker.kind === 'given') await dumpTopics(log, topics, places.topicsDir);
    await Promise.all(services.map((service) => service.stop()));
    const resurrected = new Set([...report.readableAgain, ...storedPurged(places, book)]);
    const { readableAgain: _ids, ...figures } = report;
    const finished: DemoReport = {
      ...figures,
      resurrected: resurrected.size,
      scenes,
      kafka: { source: broker.kind === 'given' ? 'KAFKA_BROKERS' : broker.local.way, brokers },
      restarts: Object.fromEntries(processes.map(({ name, restarts }) => [name, restarts])),
      kills: chaos?.kills ?? [],
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
    const membership = { members: [ORIGIN, ...RECIPIENTS], origins: ORIGINS };
    const findings = await admin.apply(membership, 'demo');
    return findings.map(({ topic }) => topic);
  } finally {
    await admin.close();
  }
}

async function waitUntilUp(clock: Clock, clients: DemoClients): Promise<void> {
  await waitFor(clock, async () => {
    const others = clients.otherOrigins.flatMap(({ consent, purge }) => [
      consent.status({}, ASK),
      purge.list({}, ASK),
    ]);
    await Promise.all([lookAround(clients), ...others]);
    return undefined;
  });
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
