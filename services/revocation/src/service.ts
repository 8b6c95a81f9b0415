import { setImmediate as turn } from 'node:timers/promises';
import type { Needs } from '@concordat/common/domain/health-board.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { requireOwnKey } from '@concordat/common/domain/own-key.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import { SlotTrees } from '@concordat/common/domain/slots.js';
import { rememberingStatements } from '@concordat/common/domain/statement-memory.js';
import type { KeyDirectory, Signer } from '@concordat/common/domain/statement.js';
import {
  ledgerTopic,
  purgeTopic,
  quarantineTopic,
  receiptsTopic,
} from '@concordat/common/domain/topics.js';
import { adoptTails } from '@concordat/common/io/adopt-tails.js';
import type { FollowedTopic } from '@concordat/common/io/chain/followed-topic.js';
import {
  type FetchAgain,
  GapFiller,
  type GapFillerPorts,
} from '@concordat/common/io/chain/gap-filler.js';
import { Health } from '@concordat/common/io/health.js';
import { Quarantine } from '@concordat/common/io/chain/quarantine.js';
import { quarantineService } from '@concordat/common/io/chain/quarantine-service.js';
import type { LogClient, LogReader, LogRecord } from '@concordat/common/io/log-client.js';
import type { Logger } from '@concordat/common/io/logger.js';
import {
  ChildService,
  FreshnessService,
  LedgerService,
  PurgeService,
  QuarantineService,
} from '@concordat/common/io/rpc/definitions.js';
import {
  type Handlers,
  type RpcServer,
  type Served,
  serve,
} from '@concordat/common/io/rpc/server.js';
import { Repeating } from '@concordat/common/io/repeating.js';
import { lockDataDir } from '@concordat/common/io/store/data-dir.js';
import { Outbox } from '@concordat/common/io/store/outbox.js';
import { childCalls } from './flows/child-calls.js';
import { serveDuties } from './flows/child-orders.js';
import type {
  ChildPorts,
  MemberRegister,
  RevocationContext,
  ScopeSource,
  SealingNode,
} from './flows/context.js';
import { deadlineClock } from './flows/deadline-clock.js';
import { fetchChildren } from './flows/fetch-children.js';
import { followLedger } from './flows/follow-ledger.js';
import { followReceipts } from './flows/follow-receipts.js';
import { freshnessCalls } from './flows/freshness-calls.js';
import { ledgerCalls } from './flows/ledger-calls.js';
import { scopeClock } from './flows/order-out-of-scope.js';
import { OrderPipeline } from './flows/order-pipeline.js';
import { purgeCalls } from './flows/purge-calls.js';
import { ruleClock } from './flows/rule-clock.js';
import { RevocationStore } from './io/revocation-store.js';

const CLOSE_GRACE_MS = 2_000;
/** How far a ledger goes is said from the own database; an order is driven by what is read. */
const NEEDS: Needs = {
  [ChildService.name]: ['started'],
  [FreshnessService.name]: ['started'],
  [LedgerService.name]: ['started'],
  [QuarantineService.name]: ['started'],
  [PurgeService.name]: ['started', 'reading'],
};
/** Records of one commit: calls are answered between two of them. */
const COMMIT_RECORDS = 32;
/** How soon an own event follows its parent, and its certificate the receipt that names it. */
const CHILDREN_EVERY_MS = 1_000;

export interface RevocationSettings {
  readonly member: MemberId;
  /** every member of the federation; the own one may be among them */
  readonly members: readonly MemberId[];
  readonly dataDir: string;
  readonly retentionCheckMs: number;
  readonly ruleOrderDeadlineMs: number;
  /** events that one person may take back alone within 24 hours */
  readonly approvalsAbove: number;
}

/** What the service needs of the world; the simulator brings its own. Who makes a port closes it. */
export interface RevocationPorts {
  readonly clock: Clock;
  readonly codec: RecordCodec;
  readonly log: LogClient;
  readonly keys: KeyDirectory;
  /** the member's revocation key */
  readonly signer: Signer;
  readonly node: SealingNode;
  readonly register: MemberRegister;
  readonly scope: ScopeSource;
  /** asks a holder's node for receipts that did not come by their topic */
  readonly fetchReceipts: (holder: MemberId) => FetchAgain;
  readonly derived: ChildPorts;
  readonly logger: Logger;
  readonly listen: (services: readonly Served[]) => Promise<Pick<RpcServer, 'port' | 'close'>>;
}

export interface Calls {
  readonly child: Handlers<typeof ChildService>;
  readonly freshness: Handlers<typeof FreshnessService>;
  readonly ledger: Handlers<typeof LedgerService>;
  readonly purge: Handlers<typeof PurgeService>;
}

export interface RunningRevocation {
  readonly port: number;
  /** What `listen` was given, for callers without a network; the caller is who the context says. */
  readonly calls: Calls;
  /** Resolves with the cause when a part ended that the service cannot do without: the process should end too. */
  readonly died: Promise<Error>;
  /** Stops reading and writing and lets go of the data directory; what was begun goes on after the next start. */
  close(): Promise<void>;
}

type Closer = () => void | Promise<void>;

/** @throws ConcordatError with everything let go of again */
export async function startRevocation(
  settings: RevocationSettings,
  ports: RevocationPorts,
): Promise<RunningRevocation> {
  const opened: Closer[] = [];
  try {
    return await open(settings, ports, opened);
  } catch (cause) {
    await closeAll(opened);
    throw cause;
  }
}

/** The last opened first. */
async function closeAll(opened: Closer[]): Promise<void> {
  for (let close = opened.pop(); close; close = opened.pop()) await close();
}

async function open(
  settings: RevocationSettings,
  ports: RevocationPorts,
  opened: Closer[],
): Promise<RunningRevocation> {
  const { member } = settings;
  requireOwnKey(ports.keys, ports.signer, { member, role: 'revocation' });
  let die: (cause: Error) => void = () => undefined;
  const died = new Promise<Error>((resolve) => (die = resolve));

  const lock = lockDataDir(settings.dataDir);
  opened.push(() => lock.release());
  const store = new RevocationStore(settings.dataDir);
  opened.push(() => store.close());
  const context = contextOf(settings, ports, store, die);
  opened.push(() => context.outbox.close());
  for (const recipient of context.others) await adoptEntries(context, ports.log, recipient);
  context.outbox.start();
  const health = new Health(NEEDS, ledgerTopic(member), ports);
  opened.push(() => health.close());
  health.board.set('started', true);

  const pipeline = new OrderPipeline(context, die);
  opened.push(() => pipeline.close());
  pipeline.start();
  const wake = (): void => pipeline.wake();
  const holders = context.others.map((holder) =>
    openHolder(context, holder, {
      fetch: ports.fetchReceipts(holder),
      onFilled: wake,
      onDeath: die,
    }),
  );
  opened.push(
    ...holders.map(
      ({ filler }) =>
        () =>
          filler.close(),
    ),
  );
  const receipts = holders.map(({ followed }) => followed);
  const ledger = followLedger(context);
  for (const followed of [[ledger], receipts]) {
    for (const one of followed) one.replayUnderstood();
    const reader = await follow(context, ports.log, followed, { onCommit: wake, onDeath: die });
    if (reader) opened.push(() => reader.close());
  }
  health.board.set('reading', true);
  const { retentionCheckMs } = settings;
  for (const clock of [
    ruleClock(context, retentionCheckMs, wake),
    scopeClock(context, retentionCheckMs, wake),
    deadlineClock(context, ports.log, retentionCheckMs),
    new Repeating(context.clock, Math.min(retentionCheckMs, CHILDREN_EVERY_MS), async (signal) => {
      await serveDuties(context, wake, signal);
      await fetchChildren(context, wake, signal);
    }),
  ]) {
    opened.push(() => clock.close());
    clock.start(die);
  }

  const calls: Calls = {
    child: childCalls(context),
    freshness: freshnessCalls(context),
    ledger: ledgerCalls(context),
    purge: purgeCalls(context, wake),
  };
  const server = await ports.listen([
    health.served,
    serve(ChildService, calls.child),
    serve(FreshnessService, calls.freshness),
    serve(LedgerService, calls.ledger),
    serve(PurgeService, calls.purge),
    quarantineService(
      [store.chains],
      [ledger, ...receipts].map((followed) => ({ followed, settle: wake })),
    ),
  ]);
  opened.push(
    () => server.close(CLOSE_GRACE_MS),
    () => health.close(),
  );
  return { port: server.port, calls, died, close: () => closeAll(opened) };
}

/** A holder's receipts, and what fetches those that its topic lost. */
function openHolder(
  context: RevocationContext,
  holder: MemberId,
  ports: Pick<GapFillerPorts, 'fetch' | 'onFilled' | 'onDeath'>,
): { readonly followed: FollowedTopic; readonly filler: GapFiller } {
  const { clock, logger } = context;
  const followed = followReceipts(context, holder, () => filler.wake());
  const filler = new GapFiller(followed, {
    ...ports,
    clock,
    onProblem: ({ code, message }, { topic }) =>
      logger.warn('receipts are missing', { topic, code, reason: message }),
  });
  return { followed, filler };
}

/** The topics that this service reads and writes. */
export function revocationTopics({
  member,
  members,
}: Pick<RevocationSettings, 'member' | 'members'>): readonly string[] {
  const directions = members
    .filter((id) => id !== member)
    .map((recipient) => ({ origin: member, recipient }));
  return [
    ledgerTopic(member),
    ...directions.map(purgeTopic),
    ...directions.map(receiptsTopic),
    quarantineTopic(member),
  ];
}

function contextOf(
  settings: RevocationSettings,
  ports: RevocationPorts,
  store: RevocationStore,
  onDeath: (cause: Error) => void,
): RevocationContext {
  const { clock, codec, keys, signer, node, register, scope, derived, logger, log } = ports;
  const { member: self, members, ruleOrderDeadlineMs, approvalsAbove } = settings;
  const others = members.filter((id) => id !== self);
  const outbox = new Outbox({
    tables: store.chains,
    log,
    clock,
    onRetry: (topic, error) => logger.warn('sending is tried again', { topic, error }),
    onDeath,
  });
  return {
    ...{ self, others, codec, keys, signer, clock, store },
    statements: rememberingStatements(codec, keys),
    trees: new SlotTrees(codec),
    ...{ outbox, node, register, scope, derived, logger, ruleOrderDeadlineMs, approvalsAbove },
    quarantine: new Quarantine({
      ...{ member: self, service: 'revocation', codec, chains: store.chains, outbox },
    }),
  };
}

/** Entries that the topic holds and our database does not know of count as written. */
async function adoptEntries(
  { codec, keys, self, store, logger }: RevocationContext,
  log: LogClient,
  recipient: MemberId,
): Promise<void> {
  const topic = purgeTopic({ origin: self, recipient });
  const onAdopted = (): void => {
    logger.warn('the topic is ahead of the database: its numbers are taken over', { topic });
  };
  await adoptTails(
    { log, codec, keys, self, tables: store.chains, onAdopted },
    {
      topic,
      names: ['PurgeEntry'],
      chainOf: () => topic,
      statementOf: (value) => value,
      belongs: (entry) => entry.recipient === recipient,
    },
  );
}

async function follow(
  { self, logger }: RevocationContext,
  log: LogClient,
  followed: readonly FollowedTopic[],
  { onCommit, onDeath }: { readonly onCommit: () => void; readonly onDeath: (e: Error) => void },
): Promise<LogReader | undefined> {
  const [first] = followed;
  if (!first) return undefined;
  const byTopic = new Map(followed.map((one) => [one.topic, one]));
  const chainsOn = (topic: string): FollowedTopic => {
    const found = byTopic.get(topic);
    if (!found) throw new TypeError(`expected a topic that is followed, came ${topic}`);
    return found;
  };
  return log.read({
    name: `revocation-${self}-${first.topic.split('.')[0] ?? ''}`,
    topics: [...byTopic.keys()],
    position: (topic, lane) => chainsOn(topic).position(lane),
    handle: async (batch) => {
      const [record] = batch;
      if (record) await take(chainsOn(record.topic), batch, onCommit);
    },
    onRestart: (topic, lane, error) => chainsOn(topic).restarted(lane, error),
    onDeath,
    onRetry: ({ topic, next }, attempt, error) =>
      logger.warn('reading is tried again', { topic, offset: String(next), attempt, error }),
  });
}

async function take(
  followed: FollowedTopic,
  batch: readonly LogRecord[],
  onCommit: () => void,
): Promise<void> {
  for (let at = 0; at < batch.length; at += COMMIT_RECORDS) {
    if (at > 0) await turn();
    const came = followed.commit(batch.slice(at, at + COMMIT_RECORDS));
    onCommit();
    if (came === 'read again') throw followed.filled();
  }
}
