import { join } from 'node:path';
import type { Policy } from '@concordat/common/domain/agreement.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { Signer } from '@concordat/common/domain/statement.js';
import {
  eventsTopic,
  feedTopic,
  ledgerTopic,
  purgeTopic,
  receiptsTopic,
} from '@concordat/common/domain/topics.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import type { LogClient, LogReader } from '@concordat/common/io/log-client.js';
import type { Logger } from '@concordat/common/io/logger.js';
import type { RpcServer, Served } from '@concordat/common/io/rpc/server.js';
import { lockDataDir } from '@concordat/common/io/store/data-dir.js';
import { Outbox } from '@concordat/common/io/store/outbox.js';
import { SealOffice } from './flows/destroy-keys.js';
import type { NodeContext } from './flows/context.js';
import { KeyFetcher } from './flows/fetch-keys.js';
import { PurgeHonour } from './flows/honour-purge.js';
import { Ingest } from './flows/ingest.js';
import { FreshnessKeeper } from './flows/keep-fresh.js';
import { Notices } from './flows/notices.js';
import { Publisher } from './flows/publish.js';
import { Reader } from './flows/read.js';
import { recover } from './flows/recover.js';
import { refuseLostState } from './flows/refuse-lost-state.js';
import { KeyOffice } from './flows/release-keys.js';
import { DataStore } from './io/data-store.js';
import { keyService } from './io/key-service.js';
import { nationalService } from './io/national-service.js';
import { operatorService } from './io/operator-service.js';
import type { Peers } from './io/peers.js';
import { StateStore } from './io/state-store.js';
import { Vault } from './io/vault.js';

/** What a node is: values only, no files but the data directory and the schemas. */
export interface NodeSettings {
  readonly member: MemberId;
  readonly profile: 'production' | 'demo';
  readonly dataDir: string;
  readonly schemasDir: string;
  readonly federation: Federation;
  readonly policy: Policy;
  readonly signer: Signer;
  readonly freshnessEveryMs: number;
}

/** Everything outside of the process that a node touches; the simulator brings its own. */
export interface NodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogClient;
  readonly logger: Logger;
  readonly peers: Peers;
  readonly listen: (services: readonly Served[]) => Promise<Pick<RpcServer, 'port' | 'close'>>;
}

export interface RunningNode {
  readonly port: number;
  /** resolves with the cause when a loop ended for good: the process should end too */
  readonly died: Promise<Error>;
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 2_000;

/** Builds the node's stores and flows, finishes what a crash left, then reads, then serves. */
export async function startNode(settings: NodeSettings, ports: NodePorts): Promise<RunningNode> {
  const { member: self, dataDir, federation } = settings;
  const { clock, log, logger, peers } = ports;
  let die: (cause: Error) => void = () => undefined;
  const died = new Promise<Error>((resolve) => {
    die = resolve;
  });

  const lock = lockDataDir(dataDir);
  const data = new DataStore(join(dataDir, 'data.db'));
  const vault = new Vault(join(dataDir, 'vault.db'), join(dataDir, 'keks'), ports.random);
  const state = new StateStore(join(dataDir, 'state.db'));
  const outbox = new Outbox({
    tables: state.chains,
    log,
    clock,
    onRetry: (topic, error) => logger.warn('sending again', { topic, error }),
    onDeath: die,
  });
  const context: NodeContext = {
    self,
    codec: openRecordCodec(settings.schemasDir),
    categories: openCategoryCodec(settings.schemasDir),
    keys: new KeyRing(federation),
    signer: settings.signer,
    clock,
    random: ports.random,
    policy: settings.policy,
    data,
    vault,
    state,
    outbox,
    notices: new Notices(),
    warn: (code, message) => logger.warn('a record or call was refused', { code, reason: message }),
  };
  const isOrigin = publishes(federation, self);
  const others = originsBeside(federation, self);
  await refuseLostState(context, log, { isOrigin, others });
  recover(context);
  outbox.start();

  const partners = new Map(
    others.map((origin) => [origin, openPartner(context, ports, settings, origin, die)]),
  );
  const freshness = new Map([...partners].map(([origin, { keeper }]) => [origin, keeper]));
  let readers = await startReaders(partners, ports, die, self);
  for (const { keeper, fetcher } of partners.values()) {
    keeper.start();
    fetcher.wake();
  }

  const rewind = async (): Promise<void> => {
    await Promise.all(readers.map((reader) => reader.close()));
    data.db.transaction(() => {
      data.chains.rewind('feed.');
    });
    state.db.transaction(() => {
      state.chains.rewind('purge.');
    });
    readers = await startReaders(partners, ports, die, self);
  };
  const lanes = isOrigin ? await log.laneCount(eventsTopic(self)) : 0;
  const server = await ports.listen([
    nationalService({
      context,
      publisher: new Publisher(context, lanes),
      reader: new Reader(context, freshness),
    }),
    keyService(new KeyOffice(context), new SealOffice(context)),
    operatorService({
      context,
      freshness,
      rewind: settings.profile === 'demo' ? rewind : undefined,
    }),
  ]);

  return {
    port: server.port,
    died,
    async close() {
      await server.close(CLOSE_GRACE_MS);
      await Promise.all(readers.map((reader) => reader.close()));
      for (const { keeper, fetcher } of partners.values()) {
        await Promise.all([keeper.close(), fetcher.close()]);
      }
      await outbox.close();
      peers.close();
      await log.close();
      for (const store of [data, vault, state]) store.close();
      lock.release();
    },
  };
}

interface Partner {
  readonly keeper: FreshnessKeeper;
  readonly fetcher: KeyFetcher;
  readonly ingest: Ingest;
  readonly honour: PurgeHonour;
}

/** A member publishes when it runs a consent and a revocation service too. */
function publishes(federation: Federation, member: MemberId): boolean {
  const services = federation.members.find(({ id }) => id === member)?.services;
  return services?.consent !== undefined && services.revocation !== undefined;
}

function originsBeside(federation: Federation, self: MemberId): MemberId[] {
  return federation.members
    .map(({ id }) => id)
    .filter((id) => id !== self && publishes(federation, id));
}

/** Every topic that the node of `self` reads or writes. */
export function nodeTopics(federation: Federation, self: MemberId): string[] {
  const own = publishes(federation, self) ? [eventsTopic(self), ledgerTopic(self)] : [];
  const received = originsBeside(federation, self).flatMap((origin) => {
    const direction = { origin, recipient: self };
    return [feedTopic(direction), purgeTopic(direction), receiptsTopic(direction)];
  });
  return [...own, ...received];
}

function openPartner(
  context: NodeContext,
  { peers }: NodePorts,
  { freshnessEveryMs }: NodeSettings,
  origin: MemberId,
  onDeath: (cause: Error) => void,
): Partner {
  const keeper = new FreshnessKeeper(context, origin, {
    ask: peers.askFreshness(origin),
    everyMs: freshnessEveryMs,
  });
  const fetcher = new KeyFetcher(context, origin, { ask: peers.askForKeys(origin), onDeath });
  return {
    keeper,
    fetcher,
    ingest: new Ingest(context, origin, () => fetcher.wake()),
    honour: new PurgeHonour(context, origin, () => keeper.applied()),
  };
}

/** Feeds and purges have a reader each, so that a purge never waits behind data. */
async function startReaders(
  partners: ReadonlyMap<MemberId, Partner>,
  { log, logger }: NodePorts,
  onDeath: (cause: Error) => void,
  self: MemberId,
): Promise<LogReader[]> {
  const open = (
    kind: string,
    flows: readonly (Ingest | PurgeHonour)[],
  ): Promise<LogReader> | undefined => {
    if (flows.length === 0) return undefined;
    const byTopic = new Map(flows.map((flow) => [flow.topic, flow]));
    const flowOf = (topic: string): Ingest | PurgeHonour => {
      const flow = byTopic.get(topic);
      if (!flow) throw new TypeError(`nobody reads ${topic}`);
      return flow;
    };
    return log.read({
      name: `node-${self}-${kind}`,
      topics: [...byTopic.keys()],
      position: (topic, lane) => flowOf(topic).position(lane),
      handle: async (batch) => {
        const topic = batch[0]?.topic;
        if (topic !== undefined) await flowOf(topic).handle(batch);
      },
      onDeath,
      onRetry: ({ topic, lane }, attempt, error) =>
        logger.warn('reading again', { topic, lane, attempt, error }),
    });
  };
  const all = [...partners.values()];
  const opened = [
    open(
      'purge',
      all.map(({ honour }) => honour),
    ),
    open(
      'feed',
      all.map(({ ingest }) => ingest),
    ),
  ];
  return Promise.all(opened.filter((reader) => reader !== undefined));
}
