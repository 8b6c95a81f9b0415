import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Policy } from '@concordat/common/domain/agreement.js';
import { utf8 } from '@concordat/common/domain/bytes.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { Identity } from '@concordat/common/domain/identity.js';
import {
  type EventId,
  type MemberId,
  type MonotonicMs,
  type ServiceName,
  asUnixMs,
  eventIdOf,
} from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
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
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { SentAgain, WantedAgain } from '@concordat/common/io/chain/send-again.js';
import type { LogClient, LogRecord } from '@concordat/common/io/log-client.js';
import type { LogFields, Logger } from '@concordat/common/io/logger.js';
import { MemoryLog, memoryLogClient } from '@concordat/common/io/memory-log.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import {
  type AnyService,
  ConsentService,
  DerivationService,
  FeedService,
  FreshnessService,
  HealthService,
  KeyService,
  LedgerService,
  MembershipService,
  NationalService,
  OnwardService,
  OperatorService,
  PurgeService,
  QuarantineService,
  ScopeService,
  ReceiptService,
  type concordat,
} from '@concordat/common/io/rpc/definitions.js';
import type { RpcServer, Served } from '@concordat/common/io/rpc/server.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { nodeClient } from '@concordat/consent/io/node-client.js';
import { type Consent, startConsent } from '@concordat/consent/service.js';
import type { AskForKeys } from '@concordat/node/flows/fetch-keys.js';
import { fromWire } from '@concordat/node/io/key-service.js';
import { DataStore } from '@concordat/node/io/data-store.js';
import { StateStore } from '@concordat/node/io/state-store.js';
import { Vault } from '@concordat/node/io/vault.js';
import { type NodeSettings, type RunningNode, startNode } from '@concordat/node/service.js';
import { type TestFederation, codec, memberOf, schemasDir, testFederation } from './federation.js';
import {
  type RevocationSettings,
  type RunningRevocation,
  startRevocation,
} from '@concordat/revocation/service.js';
import { readScopePage } from '@concordat/revocation/io/scope-page.js';
import { localClient } from './local-calls.js';
import { NOTHING_DERIVED } from './revocation.js';
import { TestPurgeLedger } from './purge-ledger.js';
import { eventId } from './origin.js';
import { until } from './until.js';

export const UN = memberOf('un');
export const DE = memberOf('de');
export const FR = memberOf('fr');
export const RECIPIENTS = [DE, FR];
export const LANES = 2;
const DAY_MS = 86_400_000;

const span = { from: '2015-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' };
export const rule = (
  id: string,
  recipient: MemberId,
  categories: string[],
  sections: string[],
) => ({
  ...{ id, effect: 'permit', recipients: [recipient], categories, sections },
  ...{ purposes: ['screening'], retention: { days: 30 } },
});
/** `de` may have everything; `fr` one list only, and neither documents nor remarks, unless told otherwise. */
const RULES = [
  rule('r-de', DE, ['**'], ['*']),
  rule('r-fr', FR, ['listing.al-qaida.*'], ['identity', 'aliases']),
];
const policyOf = (rules: readonly object[], recipients: readonly MemberId[]) => ({
  agreements: [{ ...{ id: 'a1', version: 1, parties: [UN, ...recipients], ...span }, rules }],
  consents: [{ id: 'c1', agreementId: 'a1', origin: UN, ...span }],
});

interface PolicyChange {
  readonly agreement?: object;
  readonly consent?: object;
}

const everywhere = { node: '127.0.0.1:1', consent: '127.0.0.1:2', revocation: '127.0.0.1:3' };
/** Only `un` publishes, unless told otherwise. */
function withOrigins({ federation }: TestFederation, origins: readonly MemberId[]): Federation {
  const members = federation.members.map((member) =>
    origins.includes(member.id) ? { ...member, services: everywhere } : member,
  );
  return { ...federation, members };
}

export type Content = Readonly<Record<string, unknown>>;
type PublishRequest = concordat.node.v1.PublishRequest;
type ReadResponse = concordat.node.v1.ReadResponse;

/** One node process: its directory outlives it. */
export interface NodeHandle {
  readonly member: MemberId;
  readonly dataDir: string;
  readonly running: RunningNode;
  readonly national: ClientOf<typeof NationalService>;
  readonly operator: ClientOf<typeof OperatorService>;
  readonly health: ClientOf<typeof HealthService>;
  readonly quarantine: ClientOf<typeof QuarantineService>;
}

/**
 * A small federation in one process: the origin `un` with its real consent service, the nodes of two recipients, a log
 * in memory, stores in a temporary directory, and calls that never leave the process.
 */
export class NodeWorld {
  readonly dir = mkdtempSync(join(tmpdir(), 'nodes-'));
  readonly log = new MemoryLog();
  readonly recipients: readonly MemberId[];
  readonly members: TestFederation;
  readonly federation: Federation;
  readonly categories = openCategoryCodec(schemasDir);
  readonly purges: TestPurgeLedger;
  readonly said: {
    readonly member: MemberId;
    readonly text: string;
    readonly fields: LogFields;
  }[] = [];
  readonly deaths: { readonly member: MemberId; readonly cause: Error }[] = [];
  readonly nodes = new Map<MemberId, NodeHandle>();
  /** How far the clocks of all services here are ahead of this machine's. */
  readonly ahead = { wallMs: 0, monotonicMs: 0 };
  readonly clock: Clock = {
    ...systemClock,
    nowMs: () => asUnixMs(systemClock.nowMs() + this.ahead.wallMs),
    monotonicMs: () => (systemClock.monotonicMs() + this.ahead.monotonicMs) as MonotonicMs,
  };
  /** Serves a node on a socket too. */
  alsoListen: (
    member: MemberId,
    services: readonly Served[],
  ) => Promise<Pick<RpcServer, 'port' | 'close'> | undefined> = () => Promise.resolve(undefined);
  /** Stands between a recipient and the origin's key service. */
  aroundKeys: (ask: AskForKeys, recipient: MemberId) => AskForKeys = (ask) => ask;
  /** Stands between a node and its log. */
  aroundLog: (log: LogClient, member: MemberId) => LogClient = (log) => log;
  /** Stands between consent and its log. */
  aroundConsentLog: (log: LogClient) => LogClient = (log) => log;
  /** the answer of the revocation service to a nonce */
  answerNonce: (recipient: MemberId, nonce: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** the answer of the revocation service to a node that misses purge entries */
  fetchLedger: (recipient: MemberId, wanted: WantedAgain) => SentAgain | Promise<SentAgain>;
  readonly #served = new Map<MemberId, readonly Served[]>();
  readonly #policyFile: string;
  #consent: Consent | undefined;
  #consentServes: readonly Served[] = [];
  #revocation: RunningRevocation | undefined;
  #revocationServes: readonly Served[] = [];

  /** @param others publish too; nothing of them runs here, a test writes what they say to their topics */
  constructor(
    rules: readonly object[] = RULES,
    recipients: readonly MemberId[] = RECIPIENTS,
    others: readonly MemberId[] = [],
  ) {
    this.recipients = recipients;
    this.members = testFederation([UN, ...recipients]);
    this.federation = withOrigins(this.members, [UN, ...others]);
    const parties = [UN, ...recipients];
    const topics: [string, number][] = [
      [eventsTopic(UN), LANES],
      [ledgerTopic(UN), 1],
      [membershipTopic(UN), 1],
      [grantsTopic(UN), 1],
      ...[UN, ...recipients].map((member): [string, number] => [quarantineTopic(member), 1]),
      ...[UN, ...others].flatMap((origin) =>
        parties
          .filter((recipient) => recipient !== origin)
          .flatMap((recipient): [string, number][] => {
            const direction = { origin, recipient };
            return [
              [feedTopic(direction), LANES],
              [purgeTopic(direction), 1],
              [receiptsTopic(direction), 1],
            ];
          }),
      ),
    ];
    for (const [topic, lanes] of topics) this.log.createTopic(topic, lanes);
    this.purges = new TestPurgeLedger(this.members, UN, (recipient, value) => {
      this.log.append(purgeTopic({ origin: UN, recipient }), 0, [{ value }]);
    });
    this.fetchLedger = (recipient, wanted) => this.purges.fetchAgain(recipient, wanted);
    this.answerNonce = (recipient, nonce) => this.purges.answer(recipient, nonce);
    this.#policyFile = join(this.dir, 'agreements.json');
    writeFileSync(this.#policyFile, JSON.stringify(policyOf(rules, recipients)));
  }

  /** The agreements file from now on: a node reads it at its start. */
  writePolicy(rules: readonly object[], change: PolicyChange = {}): void {
    const { agreements, consents } = policyOf(rules, this.recipients);
    const policy = {
      agreements: agreements.map((one) => ({ ...one, ...change.agreement })),
      consents: consents.map((one) => ({ ...one, ...change.consent })),
    };
    writeFileSync(this.#policyFile, JSON.stringify(policy));
  }

  /** The agreements file as these bytes, or none. */
  putPolicy(text: string | undefined): void {
    if (text === undefined) rmSync(this.#policyFile);
    else writeFileSync(this.#policyFile, text);
  }

  get policy(): Policy {
    return readPolicyFile(this.#policyFile);
  }

  /** From now on a node that misses purge entries gets them from the topic only. */
  cutLedger(): void {
    this.fetchLedger = () => {
      throw new ConcordatError('PEER_UNAVAILABLE', 'the line to the revocation service is cut');
    };
  }

  /** Starts consent and these nodes; the origin's comes first. */
  async start(...wanted: readonly MemberId[]): Promise<void> {
    if (wanted.includes(UN)) await this.startConsent();
    for (const member of wanted) await this.startNode(member);
  }

  async startConsent(): Promise<void> {
    this.#consent = await startConsent(
      { member: UN, dataDir: join(this.dir, 'consent'), policy: this.policy },
      {
        ...{ clock: this.clock, codec, keys: this.members.keys, logger: this.#logger(UN) },
        log: this.aroundConsentLog(memoryLogClient(this.log, systemClock)),
        signer: this.members.signer(UN, 'consent'),
        readPolicy: () => this.policy,
        node: nodeClient({
          clientOf: (service) => this.#client(service, UN, { member: UN, service: 'consent' }),
        }),
        listen: async (services) => {
          this.#consentServes = services;
          return { port: 1, close: async () => void (this.#consentServes = []) };
        },
      },
    );
  }

  async stopConsent(): Promise<void> {
    await this.#consent?.close();
    this.#consent = undefined;
  }

  /** The origin's real revocation service in the place of the test's ledger. */
  async startRevocation(change: Partial<RevocationSettings> = {}): Promise<void> {
    this.#revocation = await startRevocation(
      {
        ...{ member: UN, members: [UN, ...this.recipients], dataDir: join(this.dir, 'revocation') },
        ...{ retentionCheckMs: 20, ruleOrderDeadlineMs: DAY_MS, approvalsAbove: 1_000 },
        ...change,
      },
      {
        ...{ clock: this.clock, codec, keys: this.members.keys, logger: this.#logger(UN) },
        fetchReceipts: (holder) => (wanted) => this.fetchReceipts(holder, wanted),
        log: memoryLogClient(this.log, systemClock),
        signer: this.members.signer(UN, 'revocation'),
        node: {
          destroyKeys: (order, _signal, approvals) =>
            this.keyService({ member: UN, service: 'revocation' }).destroyKeys(
              { order, approvals: [...approvals] },
              { timeoutMs: 1 },
            ),
        },
        register: {
          letMemberGo: (order, _signal, approvals) =>
            this.membershipService({ member: UN, service: 'revocation' }).letMemberGo(
              { order, approvals: [...approvals] },
              { timeoutMs: 1 },
            ),
          letMemberBeGone: (member) =>
            this.membershipService({ member: UN, service: 'revocation' }).letMemberBeGone(
              { member },
              { timeoutMs: 1 },
            ),
        },
        scope: {
          scopeLosses: async (asked) =>
            readScopePage(await this.scopeService.scopeLosses(asked, { timeoutMs: 1 })),
        },
        derived: NOTHING_DERIVED,
        listen: async (services) => {
          this.#revocationServes = services;
          return { port: 1, close: async () => void (this.#revocationServes = []) };
        },
      },
    );
    this.answerNonce = async (recipient, nonce) => {
      const client = this.#revocationClient(FreshnessService, recipient, 'node');
      return (await client.freshness({ nonce }, { timeoutMs: 1 })).answer;
    };
    this.fetchLedger = async (recipient, { epoch, fromNumber }) => {
      const client = this.#revocationClient(LedgerService, recipient, 'node');
      const answer = await client.fetchLedger({ epoch, fromNumber }, { timeoutMs: 1 });
      return { ...answer, blocks: answer.entries };
    };
  }

  async stopRevocation(): Promise<void> {
    await this.#revocation?.close();
    this.#revocation = undefined;
  }

  /** What a holder's node answers the origin's revocation service that misses receipts. */
  async fetchReceipts(
    holder: MemberId,
    { epoch, fromNumber }: Pick<WantedAgain, 'epoch' | 'fromNumber'>,
    caller: Pick<Identity, 'member' | 'service'> = { member: UN, service: 'revocation' },
  ): Promise<SentAgain> {
    const client = this.#client(ReceiptService, holder, caller);
    const { receipts, ...rest } = await client.fetchReceipts(
      { epoch, fromNumber },
      { timeoutMs: 1 },
    );
    return { blocks: receipts, ...rest };
  }

  /** The origin's revocation service as its operator calls it. */
  get purgeService(): ClientOf<typeof PurgeService> {
    return this.#revocationClient(PurgeService, UN, 'operator');
  }

  async startNode(member: MemberId, change: Partial<NodeSettings> = {}): Promise<NodeHandle> {
    const dataDir = join(this.dir, `node-${member}`);
    const running = await startNode(
      {
        ...{ member, profile: 'demo', dataDir, schemasDir, policy: this.policy },
        federation: this.federation,
        signer: this.members.signer(member, 'node'),
        freshnessEveryMs: 20,
        retentionCheckMs: 20,
        mediaErasureMs: 3_600_000,
        approvalsAbove: 1_000,
        ...change,
      },
      {
        clock: this.clock,
        random: systemRandom,
        log: this.aroundLog(memoryLogClient(this.log, systemClock), member),
        logger: this.#logger(member),
        readPolicy: () => this.policy,
        peers: {
          askForKeys: (origin) => (wanted, signal) =>
            this.aroundKeys(this.askForKeys(member, origin), member)(wanted, signal),
          askForGrants: (origin) => async (child, parents) => {
            const client = this.#client(DerivationService, origin, { member, service: 'node' });
            const asked = { child, parents: [...parents] };
            return (await client.grantDerivation(asked, { timeoutMs: 1 })).grants;
          },
          fetchFeed: () => (wanted) => this.feedService(member).fetchFeed(wanted, { timeoutMs: 1 }),
          fetchLedger: () => async (wanted) => this.fetchLedger(member, wanted),
          askOnward: () => async (request) => {
            await this.onwardService(member).requestOnward(request, { timeoutMs: 1 });
          },
          askFreshness: () => async (nonce) => this.answerNonce(member, nonce),
          close: () => undefined,
        },
        listen: async (services) => {
          this.#served.set(member, services);
          const server = await this.alsoListen(member, services);
          return {
            port: server?.port ?? 1,
            close: async (graceMs) => {
              this.#served.delete(member);
              await server?.close(graceMs);
            },
          };
        },
      },
    );
    void running.died.then((cause) => this.deaths.push({ member, cause }));
    const handle: NodeHandle = {
      ...{ member, dataDir, running },
      national: this.#client(NationalService, member, { member, service: 'system' }),
      operator: this.#client(OperatorService, member, { member, service: 'operator' }),
      health: this.#client(HealthService, member, { member, service: 'consent' }),
      quarantine: this.#client(QuarantineService, member, { member, service: 'operator' }),
    };
    this.nodes.set(member, handle);
    return handle;
  }

  async stopNode(member: MemberId): Promise<void> {
    await this.nodes.get(member)?.running.close();
    this.nodes.delete(member);
  }

  async restart(member: MemberId): Promise<NodeHandle> {
    await this.stopNode(member);
    return this.startNode(member);
  }

  async dispose(): Promise<void> {
    for (const member of [...this.nodes.keys()]) await this.stopNode(member);
    await this.stopRevocation();
    await this.stopConsent();
    rmSync(this.dir, { recursive: true });
  }

  node(member: MemberId): NodeHandle {
    const node = this.nodes.get(member);
    if (!node) throw new Error(`the node of ${member} does not run`);
    return node;
  }

  /** The origin's key service as another service of a member calls it. */
  keyService(caller: Pick<Identity, 'member' | 'service'>): ClientOf<typeof KeyService> {
    return this.#client(KeyService, UN, caller);
  }

  membershipService(
    caller: Pick<Identity, 'member' | 'service'>,
  ): ClientOf<typeof MembershipService> {
    return this.#client(MembershipService, UN, caller);
  }

  /** The origin's service for holders that ask to share on, as the node of a member calls it. */
  onwardService(member: MemberId): ClientOf<typeof OnwardService> {
    return this.#client(OnwardService, UN, { member, service: 'node' });
  }

  /** What the origin's node tells its revocation service of what left scope. */
  get scopeService(): ClientOf<typeof ScopeService> {
    return this.#client(ScopeService, UN, { member: UN, service: 'revocation' });
  }

  /** What a node serves, for a test that puts it on a real port. */
  serving(member: MemberId): readonly Served[] {
    return this.#served.get(member) ?? [];
  }

  /** The origin's consent service as its operator calls it. */
  get consentService(): ClientOf<typeof ConsentService> {
    return localClient(ConsentService, () => this.#consentServes, {
      caller: this.identity(UN, 'operator'),
      self: this.identity(UN, 'consent'),
    });
  }

  /** The origin's feed service as the node of a member calls it. */
  feedService(member: MemberId): ClientOf<typeof FeedService> {
    return localClient(FeedService, () => this.#consentServes, {
      caller: this.identity(member, 'node'),
      self: this.identity(UN, 'consent'),
    });
  }

  askForKeys(member: MemberId, origin: MemberId): AskForKeys {
    const client = this.#client(KeyService, origin, { member, service: 'node' });
    return async (statements) =>
      fromWire(await client.keyRelease({ statements }, { timeoutMs: 1 }));
  }

  /** What a national system of `un` sends; the usual unless told otherwise. */
  request(n: number, change: Partial<PublishRequest> = {}, content?: Content): PublishRequest {
    const type = this.categories.findByCategory('listing');
    if (!type) throw new Error('no schema of listing');
    const nowMs = Date.now();
    return {
      eventId: eventId(n),
      category: 'listing.al-qaida.individual',
      schemaHash: type.hash,
      contentJson: utf8(JSON.stringify(content ?? contentOf(n))),
      collectedAtMs: nowMs,
      retainUntilMs: nowMs + 1_000 * DAY_MS,
      purposes: ['screening', 'statistics'],
      legalBasis: 'resolution 1267 (1999)',
      handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 1 },
      supersedes: '',
      audience: { byAgreement: true, members: [] },
      derivedFrom: [],
      ...change,
    };
  }

  async publish(n: number, change: Partial<PublishRequest> = {}, content?: Content) {
    const published = await this.node(UN).national.publish(this.request(n, change, content), {
      timeoutMs: 1,
    });
    return { ...published, id: eventId(n) };
  }

  /** The event as a national system of `member` reads it, sections joined. */
  async read(member: MemberId, id: EventId, caseId = 'case-1'): Promise<Content> {
    const { sections } = await this.open(member, id, caseId);
    const parts = sections.map(
      ({ contentJson }) => JSON.parse(Buffer.from(contentJson).toString()) as Content,
    );
    return Object.assign({}, ...parts) as Content;
  }

  open(member: MemberId, id: EventId, caseId = 'case-1'): Promise<ReadResponse> {
    const request = { origin: UN, eventId: id, purpose: 'screening', caseId };
    return this.node(member).national.read(request, { timeoutMs: 1 });
  }

  /** Names of the sections that are read, or the code of the refusal. */
  async outcome(member: MemberId, id: EventId): Promise<string> {
    try {
      const { sections } = await this.open(member, id);
      return sections
        .map(({ name }) => name)
        .sort()
        .join(' ');
    } catch (cause) {
      return asConcordatError(cause).code;
    }
  }

  status(member: MemberId) {
    return this.node(member).operator.status({}, { timeoutMs: 1 });
  }

  async counter(member: MemberId, name: string): Promise<number> {
    return (await this.status(member)).counters[name] ?? 0;
  }

  /** What this node knows of `un` as its partner. */
  async partner(member: MemberId) {
    const [partner] = (await this.status(member)).partners;
    if (!partner) throw new Error(`${member} has no partner`);
    return partner;
  }

  async readable(member: MemberId, count: number): Promise<void> {
    await until(`${member} reads ${String(count)}`, async () => {
      this.demandAlive();
      return (await this.partner(member)).readable === count;
    });
  }

  async counted(member: MemberId, name: string, count: number): Promise<void> {
    await until(`${member} counts ${String(count)} ${name}`, async () => {
      this.demandAlive();
      return (await this.counter(member, name)) === count;
    });
  }

  async receipts(member: MemberId, count: number): Promise<Uint8Array[]> {
    const topic = receiptsTopic({ origin: UN, recipient: member });
    await until(`${String(count)} receipts of ${member}`, () => {
      this.demandAlive();
      return this.records(topic).length >= count;
    });
    return this.records(topic).map(({ value }) => value);
  }

  /** What a node's files hold, each (origin, id) by name, read while it does not run. */
  async inventory(member: MemberId) {
    const { dataDir } = this.node(member);
    await this.stopNode(member);
    const data = new DataStore(join(dataDir, 'data.db'));
    const vault = new Vault(join(dataDir, 'vault.db'), join(dataDir, 'keks'), systemRandom);
    const state = new StateStore(join(dataDir, 'state.db'));
    const bytesName = ({ origin, id }: { readonly origin: string; readonly id: Uint8Array }) =>
      nameOf(origin, eventIdOf(id));
    const rowsIn = (wanted: Parameters<DataStore['idsIn']>[0]) => data.idsIn(wanted);
    const all = (
      ['published', 'waiting', 'readable', 'leased', 'refused', 'held'] as const
    ).flatMap(rowsIn);
    const found = {
      rows: all.map(({ origin, id }) => `${origin}/${id}`),
      held: rowsIn('held').map(({ origin, id }) => `${origin}/${id}`),
      waiting: rowsIn('waiting').map(({ origin, id }) => `${origin}/${id}`),
      ciphertexts: [...new Set(data.holdings().map(bytesName))],
      keys: [...new Set(vault.holdings().map(bytesName))],
      tombstones: state.tombstones.all().map(bytesName),
      unpublished: rowsIn('published')
        .filter(({ id }) => !state.own.event(id))
        .map(({ origin, id }) => `${origin}/${id}`),
    };
    for (const store of [data, vault, state]) store.close();
    await this.startNode(member);
    return found;
  }

  records(topic: string, lane = 0): readonly LogRecord[] {
    return this.log.lane(topic, lane).records;
  }

  demandAlive(): void {
    const [death] = this.deaths;
    if (death) throw death.cause;
  }

  /** Full names of the services of a node, but for its health. */
  servedBy(member: MemberId): readonly string[] {
    const endpoints = (this.#served.get(member) ?? []).flatMap((served) => served.endpoints);
    const names = new Set(endpoints.map(({ path }) => path.split('/')[1] ?? ''));
    return [...names].filter((name) => name !== HealthService.name);
  }

  identity(member: MemberId, service: ServiceName): Identity {
    return { federation: this.federation.federation, member, service };
  }

  #revocationClient<S extends AnyService>(
    service: S,
    member: MemberId,
    as: ServiceName,
  ): ClientOf<S> {
    return localClient(service, () => this.#revocationServes, {
      caller: this.identity(member, as),
      self: this.identity(UN, 'revocation'),
    });
  }

  #client<S extends AnyService>(
    service: S,
    server: MemberId,
    caller: Pick<Identity, 'member' | 'service'>,
  ): ClientOf<S> {
    return localClient(service, () => this.#served.get(server) ?? [], {
      caller: this.identity(caller.member, caller.service),
      self: this.identity(server, 'node'),
    });
  }

  #logger(member: MemberId): Logger {
    const note = (text: string, fields: LogFields = {}): void => {
      this.said.push({ member, text, fields });
    };
    return { debug: note, info: note, warn: note, error: note };
  }
}

function nameOf(origin: string, id: ReturnType<typeof eventIdOf>): string {
  if (!id.ok) throw new Error(id.error);
  return `${origin}/${id.value}`;
}

/** Something in every section that the tests look at. */
export function contentOf(n: number): Content {
  return {
    firstName: `Canary ${String(n)} Ada`,
    secondName: 'Countess Lovelace',
    aliases: [{ quality: 'Good', aliasName: `Canary alias ${String(n)}` }],
    documents: [{ typeOfDocument: 'Passport', number: `K${String(1_000_000 + n)}` }],
    remarks: [{ of: 'INDIVIDUAL', index: 0, text: `Canary remark ${String(n)}` }],
  };
}

/** The code of a call that has to fail. */
export async function refusalOf(call: Promise<unknown>): Promise<ConcordatError> {
  try {
    await call;
  } catch (cause) {
    if (cause instanceof ConcordatError) return cause;
    throw cause;
  }
  throw new Error('expected a refusal');
}

/** A receipt of `de` that this world's keys verify. */
export function receiptOf(world: NodeWorld, bytes: Uint8Array): Verified<'Receipt'> {
  const receipt = verifyStatement(codec, world.members.keys, 'Receipt', bytes, { signer: DE });
  if (!receipt.ok) throw receipt.error;
  return receipt.value;
}
