import { ConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { Needs } from '@concordat/common/domain/health-board.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { requireOwnKey } from '@concordat/common/domain/own-key.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import {
  eventsTopic,
  feedTopic,
  membershipTopic,
  quarantineTopic,
} from '@concordat/common/domain/topics.js';
import { adoptTails } from '@concordat/common/io/adopt-tails.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { GapFiller } from '@concordat/common/io/chain/gap-filler.js';
import { Health } from '@concordat/common/io/health.js';
import { Quarantine } from '@concordat/common/io/chain/quarantine.js';
import { quarantineService } from '@concordat/common/io/chain/quarantine-service.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { Logger } from '@concordat/common/io/logger.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import {
  ConsentService,
  FeedService,
  QuarantineService,
} from '@concordat/common/io/rpc/definitions.js';
import { type RpcServer, type RpcServerOptions, serve } from '@concordat/common/io/rpc/server.js';
import { lockDataDir } from '@concordat/common/io/store/data-dir.js';
import { Outbox } from '@concordat/common/io/store/outbox.js';
import type { ConsentConfig } from './config.js';
import { answerCalls } from './flows/answer-calls.js';
import type { ConsentContext } from './flows/context.js';
import { feedCalls } from './flows/feed-calls.js';
import { EventsFollower } from './flows/follow-events.js';
import { followMembership, untilMembershipIsRead } from './flows/follow-membership.js';
import { PolicyInForce } from './flows/policy-in-force.js';
import { onwardClock } from './flows/release-onward.js';
import { ownFeed } from './flows/write-feed.js';
import { ConsentStore } from './io/consent-store.js';
import type { openNodeClient } from './io/node-client.js';

/** Both answer from the own database. */
const NEEDS: Needs = {
  [ConsentService.name]: ['started'],
  [FeedService.name]: ['started'],
  [QuarantineService.name]: ['started'],
};

/** What a simulator or a test puts in another's place. */
export interface ConsentPorts {
  readonly clock: Clock;
  readonly log: LogClient;
  readonly logger: Logger;
  readonly serveRpc: (options: RpcServerOptions) => Promise<RpcServer>;
  readonly openNode: typeof openNodeClient;
  /** @throws ConcordatError unless these topics exist and are as they should be */
  readonly checkTopics: (names: readonly string[]) => Promise<void>;
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
export async function startConsent(config: ConsentConfig, ports: ConsentPorts): Promise<Consent> {
  const opened: Closer[] = [];
  try {
    return await open(config, ports, opened);
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
  config: ConsentConfig,
  ports: ConsentPorts,
  opened: Closer[],
): Promise<Consent> {
  const { log, logger, clock } = ports;
  const self = config.member;
  const federation = await readFederationFile(config.federationFile);
  const tls = await readTlsFiles({ ...config.tls, ca: federation.ca });
  const signer = await readSigningKey(config.signingKeyFile);
  const keys = new KeyRing(federation);
  requireOwnKey(keys, signer, { member: self, role: 'consent' });
  const policy = new PolicyInForce(self, readPolicyFile(config.agreementsFile));
  const { recipients } = policy;
  const codec = openRecordCodec(config.schemasDir);

  const lock = lockDataDir(config.dataDir);
  opened.push(() => lock.release());
  const store = new ConsentStore(config.dataDir);
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
  await checkTopics(context, ports);
  for (const recipient of recipients) await adoptFeed(context, log, recipient);
  outbox.start();
  const health = new Health(NEEDS, eventsTopic(self), ports);
  opened.push(() => health.close());
  health.board.set('started', true);

  const node = ports.openNode(federation, self, tls);
  opened.push(() => node.close());
  const follower = new EventsFollower(context, () => filler.wake());
  const filler = new GapFiller(follower.followed, {
    ...{ fetch: node.fetchBlocks, clock, onDeath: die },
    onFilled: () => follower.settle(),
    onProblem: (error, { topic, lane }) =>
      logger.warn('a gap is not filled yet', { topic, lane, error }),
  });
  opened.push(() => filler.close());

  const server = await ports.serveRpc({
    address: config.grpc.listen,
    tls,
    services: [
      health.served,
      serve(
        ConsentService,
        answerCalls(context, {
          namedGaps: (gaps) => filler.named(gaps),
          readPolicy: () => readPolicyFile(config.agreementsFile),
        }),
      ),
      serve(FeedService, feedCalls(context)),
      quarantineService([store.chains], [follower]),
    ],
    onCall: ({ path, code, error }) => {
      if (error) logger.warn('a call is refused', { path, code, error });
    },
  });
  opened.push(() => server.close(config.shutdownGraceMs / 2));

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

/** A feed block goes to the lane of its block, so a feed has at least the lanes of the events. */
async function checkTopics(
  { self, recipients }: ConsentContext,
  { log, checkTopics: check }: ConsentPorts,
): Promise<void> {
  const feeds = recipients.map((recipient) => feedTopic({ origin: self, recipient }));
  await check([eventsTopic(self), membershipTopic(self), ...feeds, quarantineTopic(self)]);
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
