import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Needs } from '@concordat/common/domain/health-board.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { requireOwnKey } from '@concordat/common/domain/own-key.js';
import { type Policy, possibleRecipients } from '@concordat/common/domain/agreement.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { KeyDirectory, Signer } from '@concordat/common/domain/statement.js';
import {
  eventsTopic,
  feedTopic,
  membershipTopic,
  quarantineTopic,
} from '@concordat/common/domain/topics.js';
import { adoptTails } from '@concordat/common/io/adopt-tails.js';
import { GapFiller } from '@concordat/common/io/chain/gap-filler.js';
import { Health } from '@concordat/common/io/health.js';
import { Quarantine } from '@concordat/common/io/chain/quarantine.js';
import { quarantineService } from '@concordat/common/io/chain/quarantine-service.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { Logger } from '@concordat/common/io/logger.js';
import {
  ConsentService,
  FeedService,
  QuarantineService,
} from '@concordat/common/io/rpc/definitions.js';
import { type RpcServer, type Served, serve } from '@concordat/common/io/rpc/server.js';
import { lockDataDir } from '@concordat/common/io/store/data-dir.js';
import { Outbox } from '@concordat/common/io/store/outbox.js';
import { answerCalls } from './flows/answer-calls.js';
import type { ConsentContext } from './flows/context.js';
import { feedCalls } from './flows/feed-calls.js';
import { EventsFollower } from './flows/follow-events.js';
import { followMembership, untilMembershipIsRead } from './flows/follow-membership.js';
import { PolicyInForce } from './flows/policy-in-force.js';
import { onwardClock } from './flows/release-onward.js';
import { ownFeed } from './flows/write-feed.js';
import { ConsentStore } from './io/consent-store.js';
import type { NodeClient } from './io/node-client.js';

const CLOSE_GRACE_MS = 2_000;

/** Both answer from the own database. */
const NEEDS: Needs = {
  [ConsentService.name]: ['started'],
  [FeedService.name]: ['started'],
  [QuarantineService.name]: ['started'],
};

export interface ConsentSettings {
  readonly member: MemberId;
  readonly dataDir: string;
  /** what is in force until an operator has the agreements file read again */
  readonly policy: Policy;
}

/** What the service needs of the world; the simulator brings its own. Who makes a port closes it. */
export interface ConsentPorts {
  readonly clock: Clock;
  readonly codec: RecordCodec;
  readonly keys: KeyDirectory;
  /** the member's consent key */
  readonly signer: Signer;
  readonly log: LogClient;
  readonly logger: Logger;
  readonly node: NodeClient;
  /** the agreements file as it is now; throws ConcordatError CONFIG_INVALID */
  readonly readPolicy: () => Policy;
  readonly listen: (services: readonly Served[]) => Promise<Pick<RpcServer, 'port' | 'close'>>;
}

export interface Consent {
  /** where calls are served */
  readonly port: number;
  /** Resolves when the service cannot go on; the process should end with it. */
  readonly died: Promise<Error>;
  /** Stops reading, finishes what was begun, lets go of the data directory. */
  close(): Promise<void>;
}

/** @throws ConcordatError with everything let go of again */
export async function startConsent(
  settings: ConsentSettings,
  ports: ConsentPorts,
): Promise<Consent> {
  const opened: Closer[] = [];
  try {
    return await open(settings, ports, opened);
  } catch (cause) {
    await closeAll(opened);
    throw cause;
  }
}

type Closer = () => void | Promise<void>;

/** The last opened first. */
async function closeAll(opened: Closer[]): Promise<void> {
  for (let close = opened.pop(); close; close = opened.pop()) await close();
}

async function open(
  settings: ConsentSettings,
  ports: ConsentPorts,
  opened: Closer[],
): Promise<Consent> {
  const { log, logger, clock, codec, keys, signer, node } = ports;
  const self = settings.member;
  requireOwnKey(keys, signer, { member: self, role: 'consent' });
  const policy = new PolicyInForce(self, settings.policy);
  const { recipients } = policy;

  const lock = lockDataDir(settings.dataDir);
  opened.push(() => lock.release());
  const store = new ConsentStore(settings.dataDir);
  opened.push(() => store.close());

  let die: (cause: Error) => void = () => undefined;
  const died = new Promise<Error>((resolve) => (die = resolve));
  const outbox = new Outbox({
    tables: store.chains,
    log,
    clock,
    onRetry: (topic, error) => logger.warn('sending is tried again', { topic, error }),
    onDeath: die,
  });
  opened.push(() => outbox.close());
  const context: ConsentContext = {
    ...{ self, codec, keys, signer, clock, recipients, store, outbox, logger },
    policy,
    quarantine: new Quarantine({
      ...{ member: self, service: 'consent', codec, chains: store.chains, outbox },
    }),
  };

  store.usePolicy(policy.version, clock.nowMs());
  await checkLanes(context, log);
  for (const recipient of recipients) await adoptFeed(context, log, recipient);
  outbox.start();
  const health = new Health(NEEDS, eventsTopic(self), ports);
  opened.push(() => health.close());
  health.board.set('started', true);

  const follower = new EventsFollower(context, () => filler.wake());
  const filler = new GapFiller(follower.followed, {
    ...{ fetch: node.fetchBlocks, clock, onDeath: die },
    onFilled: () => follower.settle(),
    onProblem: (error, { topic, lane }) =>
      logger.warn('a gap is not filled yet', { topic, lane, error }),
  });
  opened.push(() => filler.close());

  const server = await ports.listen([
    health.served,
    serve(
      ConsentService,
      answerCalls(context, {
        namedGaps: (gaps) => filler.named(gaps),
        readPolicy: ports.readPolicy,
      }),
    ),
    serve(FeedService, feedCalls(context)),
    quarantineService([store.chains], [follower]),
  ]);
  opened.push(() => server.close(CLOSE_GRACE_MS));

  const membership = followMembership(context);
  membership.replayUnderstood();
  const members = await log.read({
    name: `consent-${self}-membership`,
    topics: [membership.topic],
    position: (_topic, lane) => membership.position(lane),
    handle: async (batch) => {
      if (membership.commit(batch) === 'read again') throw membership.filled();
      return Promise.resolve();
    },
    onRestart: (_topic, lane, error) => membership.restarted(lane, error),
    onDeath: die,
    onRetry: ({ topic, lane, next }, attempt, error) =>
      logger.warn('reading is tried again', { topic, lane, offset: String(next), attempt, error }),
  });
  opened.push(() => members.close());
  await untilMembershipIsRead(context, log, membership.topic);

  const onward = onwardClock(context, node.fetchOnward);
  opened.push(() => onward.close());
  onward.start(die);

  follower.followed.replayUnderstood();
  follower.settle();
  const reader = await log.read({
    name: `consent-${self}-events`,
    topics: [follower.followed.topic],
    position: (_topic, lane) => follower.followed.position(lane),
    handle: (batch) => follower.handle(batch),
    onRestart: (_topic, lane, error) => follower.followed.restarted(lane, error),
    onDeath: die,
    onRetry: ({ topic, lane, next }, attempt, error) =>
      logger.warn('reading is tried again', { topic, lane, offset: String(next), attempt, error }),
  });
  opened.push(() => {
    follower.close();
    return reader.close();
  });
  health.board.set('reading', true);
  opened.push(() => health.close());
  return { port: server.port, died, close: () => closeAll(opened) };
}

/** Every topic that this service reads and writes. */
export function consentTopics({ member, policy }: Pick<ConsentSettings, 'member' | 'policy'>) {
  const feeds = possibleRecipients(policy, member).map((recipient) =>
    feedTopic({ origin: member, recipient }),
  );
  return [eventsTopic(member), membershipTopic(member), ...feeds, quarantineTopic(member)];
}

/** A feed block goes to the lane of its block, so a feed has at least the lanes of the events. */
async function checkLanes({ self, recipients }: ConsentContext, log: LogClient): Promise<void> {
  const feeds = recipients.map((recipient) => feedTopic({ origin: self, recipient }));
  const wanted = await log.laneCount(eventsTopic(self));
  for (const feed of feeds) {
    const lanes = await log.laneCount(feed);
    if (lanes >= wanted) continue;
    const text = `${feed}: expected ${String(wanted)} lanes, got ${String(lanes)}`;
    throw new ConcordatError('TOPIC_DIFFERS', text);
  }
}

async function adoptFeed(
  context: ConsentContext,
  log: LogClient,
  recipient: MemberId,
): Promise<void> {
  const { codec, keys, self, store, logger } = context;
  const onAdopted: Parameters<typeof adoptTails>[0]['onAdopted'] = (chain, from, to) =>
    logger.warn('the topic is ahead of the database: its numbers are taken over', {
      path: chain,
      counts: { from: from.number, to: to.number },
    });
  await adoptTails(
    { log, codec, keys, self, tables: store.chains, onAdopted },
    ownFeed(context, recipient),
  );
}
