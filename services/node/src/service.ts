import { join } from 'node:path';
import type { Policy } from '@concordat/common/domain/agreement.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { Needs } from '@concordat/common/domain/health-board.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { Signer } from '@concordat/common/domain/statement.js';
import {
  eventsTopic,
  feedTopic,
  grantsTopic,
  ledgerTopic,
  membershipTopic,
  purgeTopic,
  quarantineTopic,
  receiptsTopic,
} from '@concordat/common/domain/topics.js';
import { type CategoryCodec, openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { GapFiller } from '@concordat/common/io/chain/gap-filler.js';
import { Health } from '@concordat/common/io/health.js';
import { Quarantine } from '@concordat/common/io/chain/quarantine.js';
import {
  type Replayable,
  quarantineService,
} from '@concordat/common/io/chain/quarantine-service.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { Logger } from '@concordat/common/io/logger.js';
import {
  BlockService,
  DerivationService,
  KeyService,
  MembershipService,
  NationalService,
  OnwardService,
  OperatorService,
  QuarantineService,
  ScopeService,
  ReceiptService,
} from '@concordat/common/io/rpc/definitions.js';
import type { RpcServer, Served } from '@concordat/common/io/rpc/server.js';
import { lockDataDir } from '@concordat/common/io/store/data-dir.js';
import type { ChainTables } from '@concordat/common/io/store/chain-tables.js';
import { Outbox } from '@concordat/common/io/store/outbox.js';
import { EPOCH_BYTES } from './domain/cursor.js';
import { burialsOf } from './flows/burials.js';
import { SealOffice } from './flows/destroy-keys.js';
import type { NodeContext } from './flows/context.js';
import { FeedReleases } from './flows/feed-releases.js';
import { Deriver } from './flows/derive.js';
import { KeyFetcher } from './flows/fetch-keys.js';
import type { PacedRuns } from './flows/paced-runs.js';
import { PurgeHonour } from './flows/honour-purge.js';
import { Ingest } from './flows/ingest.js';
import { FreshnessKeeper } from './flows/keep-fresh.js';
import { MediaEraser } from './flows/media-eraser.js';
import { LeaseDesk } from './flows/leases/lease-desk.js';
import { LeasedKeys } from './flows/leases/leased-keys.js';
import { Notices } from './flows/notices.js';
import { PolicyInForce } from './flows/policy-in-force.js';
import { Publisher } from './flows/publish.js';
import { Reader } from './flows/read.js';
import { Readers, type TopicFlow } from './flows/readers.js';
import { retentionClock } from './flows/retention-clock.js';
import { RecentHeaders } from './flows/recent-headers.js';
import { markClosed, recover } from './flows/recover.js';
import { rebuildState } from './flows/restore/rebuild-state.js';
import { rescueOwnRows } from './flows/restore/rescue-own-rows.js';
import { KeyOffice } from './flows/release-keys.js';
import { DataStore } from './io/data-store.js';
import { blockService } from './io/block-service.js';
import { derivationService } from './io/derivation-service.js';
import { keyService } from './io/key-service.js';
import { membershipService } from './io/membership-service.js';
import { nationalService } from './io/national-service.js';
import { onwardService } from './io/onward-service.js';
import { operatorService } from './io/operator-service.js';
import { receiptService } from './io/receipt-service.js';
import type { Peers } from './io/peers.js';
import { scopeService } from './io/scope-service.js';
import { StateStore } from './io/state-store.js';
import { Vault } from './io/vault.js';

/** What a node is: values only, no files but the data directory and the schemas. */
export interface NodeSettings {
  readonly member: MemberId;
  readonly profile: 'production' | 'demo';
  readonly dataDir: string;
  readonly schemasDir: string;
  /** category schemas that were approved later; see `openCategoryCodec` */
  readonly approvedSchemasDir?: string | undefined;
  /** these directories, opened already: who starts nodes again and again in one process saves most of a start */
  readonly schemas?: { readonly codec: RecordCodec; readonly categories: CategoryCodec };
  readonly federation: Federation;
  readonly policy: Policy;
  readonly signer: Signer;
  readonly freshnessEveryMs: number;
  readonly retentionCheckMs: number;
  /** how often keys are destroyed under which purged ones were wrapped */
  readonly mediaErasureMs: number;
  /** events that one person may take back alone within 24 hours */
  readonly approvalsAbove: number;
}

/** Everything outside of the process that a node touches; the simulator brings its own. */
export interface NodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogClient;
  readonly logger: Logger;
  readonly peers: Peers;
  /** the agreements file as it is now; throws ConcordatError CONFIG_INVALID */
  readonly readPolicy: () => Policy;
  readonly listen: (services: readonly Served[]) => Promise<Pick<RpcServer, 'port' | 'close'>>;
}

export interface RunningNode {
  readonly port: number;
  /** resolves with the cause when a loop ended for good: the process should end too */
  readonly died: Promise<Error>;
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 2_000;

/** Events are published while the broker is away, and sent later; no key leaves without it. */
const NEEDS: Needs = {
  [NationalService.name]: ['started', 'reading'],
  [KeyService.name]: ['started', 'broker'],
  [MembershipService.name]: ['started', 'broker'],
  [DerivationService.name]: ['started', 'broker'],
  [BlockService.name]: ['started'],
  [ReceiptService.name]: ['started'],
  [OperatorService.name]: ['started'],
  [QuarantineService.name]: ['started'],
  [OnwardService.name]: ['started'],
  [ScopeService.name]: ['started'],
};

/**
 * Builds the node's stores and flows, finishes what a crash left, then reads, then serves.
 *
 * @throws ConcordatError with everything let go of again
 */
export async function startNode(settings: NodeSettings, ports: NodePorts): Promise<RunningNode> {
  const opened: Closer[] = [() => ports.log.close(), () => ports.peers.close()];
  try {
    return await open(settings, ports, opened);
  } catch (cause) {
    await closeAll(opened);
    throw cause;
  }
}

type Closer = () => void | Promise<void>;

/** The last opened first; what fails to close keeps nothing else open. */
async function closeAll(opened: Closer[]): Promise<void> {
  const failures: unknown[] = [];
  for (let close = opened.pop(); close; close = opened.pop()) {
    try {
      await close();
    } catch (cause) {
      failures.push(cause);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function open(
  settings: NodeSettings,
  ports: NodePorts,
  opened: Closer[],
): Promise<RunningNode> {
  const { member: self, federation } = settings;
  const { log } = ports;
  let die: (cause: Error) => void = () => undefined;
  const died = new Promise<Error>((resolve) => {
    die = resolve;
  });
  const atEnd = { run: (): void => undefined };
  const context = openContext(settings, ports, opened, { die, atEnd: () => atEnd.run() });
  const isOrigin = publishes(federation, self);
  const others = originsBeside(federation, self);
  const taken = await rebuildState(context, log, { isOrigin, others });
  if (taken.length > 0) {
    ports.logger.warn('the state was behind its own topics', { reason: taken.join(', ') });
  }
  const lost = isOrigin ? await rescueOwnRows(context, log) : 0;
  if (lost > 0) {
    const text = `${String(lost)} own events have no row, here or on their topic: restore a backup`;
    ports.logger.warn('rows are lost', { reason: text });
  }
  recover(context);
  atEnd.run = () => markClosed(context);
  context.outbox.start();
  const [topic = ''] = nodeTopics(federation, self);
  const health = new Health(NEEDS, topic, ports);
  opened.push(() => health.close());
  health.board.set('started', true);

  const burials = burialsOf(context);
  opened.push(() => burials.close());
  const partners = new Map(
    others.map((origin) => [
      origin,
      openPartner({ context, burials }, ports, settings, origin, die),
    ]),
  );
  opened.push(
    ...[...partners.values()].map(
      ({ filler, entryFiller }) =>
        () =>
          Promise.all([filler.close(), entryFiller.close()]).then(() => undefined),
    ),
  );
  const readers = openReaders([...partners.values()], ports, die, self);
  opened.push(() => readers.close());
  const flows = [...partners.values()].flatMap(({ ingest, honour }) => [ingest, honour]);
  for (const flow of flows) {
    flow.followed.replayUnderstood();
    await flow.settle();
  }
  await readers.open();
  health.board.set('reading', true);
  for (const { keeper, fetcher, desk } of partners.values()) {
    keeper.start();
    fetcher.wake();
    opened.push(
      () => keeper.close(),
      () => fetcher.close(),
      () => desk.close(),
    );
  }

  const freshness = new Map([...partners].map(([origin, { keeper }]) => [origin, keeper]));
  const desks = new Map([...partners].map(([origin, { desk }]) => [origin, desk]));
  const retention = retentionClock(
    context,
    (origin) => freshness.get(origin)?.originTime,
    settings.retentionCheckMs,
  );
  retention.start(die);
  opened.push(() => retention.close());
  const eraser = new MediaEraser(context, settings.mediaErasureMs);
  eraser.start(die);
  opened.push(() => eraser.close());
  const publisher = new Publisher(context, isOrigin ? await log.laneCount(eventsTopic(self)) : 0);
  opened.push(() => publisher.close());
  const deriver = new Deriver(
    context,
    new Map(others.map((origin) => [origin, ports.peers.askForGrants(origin)])),
  );
  opened.push(() => deriver.close());
  const seals = new SealOffice(context);
  opened.push(() => seals.close());
  const rewind = (): Promise<void> => readers.reopen(() => forgetPositions(context));
  const server = await ports.listen([
    health.served,
    nationalService({
      ...{ context, publisher, deriver, desks },
      reader: new Reader(context, { freshness, desks }),
    }),
    keyService(new KeyOffice(context), seals),
    membershipService(context),
    derivationService(context),
    blockService(context),
    scopeService(context),
    onwardService(context),
    receiptService(context),
    quarantineService(
      [context.data.chains, context.state.chains],
      flows.map((flow) => replayable(flow, readers)),
    ),
    operatorService({
      context,
      freshness,
      fillers: new Map(
        [...partners].map(([origin, { filler, entryFiller }]) => [origin, [filler, entryFiller]]),
      ),
      eraser,
      rewind: settings.profile === 'demo' ? rewind : undefined,
      readPolicy: ports.readPolicy,
      onward: new Map(others.map((origin) => [origin, ports.peers.askOnward(origin)])),
    }),
  ]);
  opened.push(
    () => server.close(CLOSE_GRACE_MS),
    () => health.close(),
  );
  return { port: server.port, died, close: () => closeAll(opened) };
}

/** The stores under the lock of their directory, and the outbox over them. */
function openContext(
  {
    member: self,
    dataDir,
    schemasDir,
    approvedSchemasDir,
    schemas,
    federation,
    policy,
    signer,
    approvalsAbove,
  }: NodeSettings,
  { clock, random, log, logger }: NodePorts,
  opened: Closer[],
  told: { readonly die: (cause: Error) => void; readonly atEnd: () => void },
): NodeContext {
  const lock = lockDataDir(dataDir);
  opened.push(() => lock.release());
  const leases = new LeasedKeys(clock);
  opened.push(() => leases.close());
  leases.start(told.die);
  const keep = <Store extends { close(): void }>(store: Store): Store => {
    opened.push(() => store.close());
    return store;
  };
  const data = keep(new DataStore(join(dataDir, 'data.db')));
  const vault = keep(new Vault(join(dataDir, 'vault.db'), join(dataDir, 'keks'), random));
  const state = keep(new StateStore(join(dataDir, 'state.db')));
  // when nothing works on them any more, and before they are closed
  opened.push(told.atEnd);
  state.notices.begin(random.bytes(EPOCH_BYTES));
  const sending = (tables: ChainTables): Outbox => {
    const outbox = new Outbox({
      ...{ tables, log, clock, onDeath: told.die },
      onRetry: (topic, error) => logger.warn('sending again', { topic, error }),
    });
    opened.push(() => outbox.close());
    return outbox;
  };
  const outbox = sending(state.chains);
  const copies = sending(data.chains);
  const codec = schemas?.codec ?? openRecordCodec(schemasDir);
  const refusals = { member: self, service: 'node', codec } as const;
  copies.start();
  const inForce = new PolicyInForce(state, policy);
  return {
    ...{ self, clock, random, signer, data, vault, leases, state, outbox, codec, approvalsAbove },
    policy: inForce,
    get rules() {
      return inForce.rules;
    },
    recent: new RecentHeaders(codec, data),
    quarantine: {
      data: new Quarantine({ ...refusals, chains: data.chains, outbox: copies }),
      state: new Quarantine({ ...refusals, chains: state.chains, outbox }),
    },
    categories: schemas?.categories ?? openCategoryCodec(schemasDir, approvedSchemasDir),
    keys: new KeyRing(federation),
    notices: new Notices(),
    warn: (code, message) => logger.warn('a record or call was refused', { code, reason: message }),
  };
}

/** What came too early and is the next now is read again. */
function replayable(flow: TopicFlow, readers: Readers): Replayable {
  const { followed } = flow;
  const settle = async (): Promise<void> => {
    await flow.settle();
    if (followed.missing().length > 0) await readers.reopen(() => undefined);
  };
  return { followed, settle };
}

/** Profile demo: offsets and expected numbers of feeds and purges; tombstones, rows, keys and receipts stay. */
function forgetPositions({ data, state }: NodeContext): void {
  data.db.transaction(() => {
    data.chains.rewind('feed.');
  });
  state.db.transaction(() => {
    state.chains.rewind('purge.');
  });
}

function openReaders(
  partners: readonly Partner[],
  { log, logger }: NodePorts,
  onDeath: (cause: Error) => void,
  self: MemberId,
): Readers {
  const groups = new Map<string, readonly TopicFlow[]>([
    [`node-${self}-purge`, partners.map(({ honour }) => honour)],
    [`node-${self}-feed`, partners.map(({ ingest }) => ingest)],
  ]);
  return new Readers(groups, { log, logger, onDeath });
}

interface Partner {
  readonly keeper: FreshnessKeeper;
  readonly fetcher: KeyFetcher;
  readonly desk: LeaseDesk;
  readonly filler: GapFiller;
  readonly entryFiller: GapFiller;
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
  const own = publishes(federation, self)
    ? [eventsTopic(self), ledgerTopic(self), membershipTopic(self), grantsTopic(self)]
    : [];
  const received = originsBeside(federation, self).flatMap((origin) => {
    const direction = { origin, recipient: self };
    return [feedTopic(direction), purgeTopic(direction), receiptsTopic(direction)];
  });
  return [...own, ...received, quarantineTopic(self)];
}

function openPartner(
  { context, burials }: { readonly context: NodeContext; readonly burials: PacedRuns },
  { peers }: NodePorts,
  { freshnessEveryMs }: NodeSettings,
  origin: MemberId,
  onDeath: (cause: Error) => void,
): Partner {
  const keeper = new FreshnessKeeper(context, origin, {
    ask: peers.askFreshness(origin),
    everyMs: freshnessEveryMs,
    onBehind: (head) => honour.followed.expect(0, head),
  });
  const releases = new FeedReleases(context.codec);
  // one breaker for all that is asked of a partner's node
  const asking = { ask: peers.askForKeys(origin), releases, onDeath };
  const fetcher = new KeyFetcher(context, origin, asking);
  const desk = new LeaseDesk(context, origin, asking);
  const ingest = new Ingest(context, origin, {
    releases,
    onWaiting: () => fetcher.wake(),
    onMissing: () => filler.wake(),
  });
  const filler = new GapFiller(ingest.followed, {
    ...{ fetch: peers.fetchFeed(origin), clock: context.clock, onDeath },
    onFilled: () => ingest.settle(),
    onProblem: ({ code, message }) => context.warn(code, message),
  });
  const honour = new PurgeHonour(context, origin, burials, {
    onApplied: () => keeper.applied(),
    onMissing: () => entryFiller.wake(),
  });
  const entryFiller = new GapFiller(honour.followed, {
    ...{ fetch: peers.fetchLedger(origin), clock: context.clock, onDeath },
    onFilled: () => honour.settle(),
    onProblem: ({ code, message }) => context.warn(code, message),
  });
  return { keeper, fetcher, desk, ingest, filler, honour, entryFiller };
}
