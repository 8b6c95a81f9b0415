import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@concordat/common/domain/bytes.js';
import {
  type CertifiedPurge,
  verifyCertificate,
} from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import {
  type EventId,
  type MemberId,
  type ServiceName,
  asUnixMs,
} from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { type TopicCatalogue, wantedTopics } from '@concordat/common/domain/topics.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { Logger } from '@concordat/common/io/logger.js';
import { MemoryLog, memoryLogClient } from '@concordat/common/io/memory-log.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import {
  type AnyService,
  ChildService,
  DerivationService,
  FeedService,
  FreshnessService,
  KeyService,
  LedgerService,
  MembershipService,
  NationalService,
  OperatorService,
  PurgeService,
  ReceiptService,
  ScopeService,
  type concordat,
} from '@concordat/common/io/rpc/definitions.js';
import type { Served } from '@concordat/common/io/rpc/server.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { startConsent } from '@concordat/consent/service.js';
import { fromWire } from '@concordat/node/io/key-service.js';
import { startNode } from '@concordat/node/service.js';
import { nodeClient } from '@concordat/consent/io/node-client.js';
import { dutyIn } from '@concordat/revocation/io/node-client.js';
import { readScopePage } from '@concordat/revocation/io/scope-page.js';
import { startRevocation } from '@concordat/revocation/service.js';
import { codec, memberOf, schemasDir, testFederation } from './federation.js';
import { officerOrder, orderId } from './ledger.js';
import { localClient } from './local-calls.js';
import { contentOf, rule } from './node-world.js';
import { eventId } from './origin.js';
import { REPOSITORY } from './repository.js';
import { until } from './until.js';

const DAY_MS = 86_400_000;
const span = { from: '2015-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' };
const everywhere = { node: '127.0.0.1:1', consent: '127.0.0.1:2', revocation: '127.0.0.1:3' };
const catalogue = JSON.parse(
  readFileSync(join(REPOSITORY, 'infra/topics.json'), 'utf8'),
) as TopicCatalogue;
const soon = { timeoutMs: 1 };
/** Twelve services in one process, on a machine that may be busy. */
const WAIT_MS = 60_000;

type Process = Extract<ServiceName, 'node' | 'consent' | 'revocation'>;
type PublishRequest = concordat.node.v1.PublishRequest;

interface Running {
  readonly served: readonly Served[];
  close(): Promise<void>;
}

/** Members that all publish: each with its real three services in this process, on one log in memory. */
export class OriginsWorld {
  readonly dir = mkdtempSync(join(tmpdir(), 'origins-'));
  readonly log = new MemoryLog();
  readonly members;
  readonly federation: Federation;
  readonly ids: readonly MemberId[];
  readonly clock: Clock = systemClock;
  readonly deaths: Error[] = [];
  readonly said: { readonly member: MemberId; readonly text: string }[] = [];
  /** between the making of grants and their arrival */
  beforeGrantAnswer = (): Promise<void> => Promise.resolve();
  readonly #running = new Map<string, Running>();
  readonly #policyFile: string;
  readonly #categories = openCategoryCodec(schemasDir);
  #orders = 0;

  /** @param noOnward agreements whose events may not be carried on: `un>de` */
  constructor(names: readonly string[], noOnward: readonly string[] = []) {
    this.ids = names.map(memberOf);
    this.members = testFederation(this.ids);
    const { federation } = this.members;
    this.federation = {
      ...federation,
      members: federation.members.map((one) => ({ ...one, services: everywhere })),
    };
    const membership = { members: this.ids, origins: this.ids };
    for (const { name, lanes } of wantedTopics(catalogue, membership, 'demo')) {
      this.log.createTopic(name, Math.min(lanes, 2));
    }
    this.#policyFile = join(this.dir, 'agreements.json');
    const pairs = this.ids.flatMap((origin) =>
      this.ids.filter((id) => id !== origin).map((recipient) => ({ origin, recipient })),
    );
    const policy = {
      agreements: pairs.map(({ origin, recipient }) => ({
        ...{ id: `${origin}-${recipient}`, version: 1, parties: [origin, recipient], ...span },
        rules: [
          {
            ...rule(`r-${origin}-${recipient}`, recipient, ['**'], ['*']),
            onward: !noOnward.includes(`${origin}>${recipient}`),
          },
        ],
      })),
      consents: pairs.map(({ origin, recipient }) => {
        const agreementId = `${origin}-${recipient}`;
        return { id: `c-${agreementId}`, agreementId, origin, ...span };
      }),
    };
    writeFileSync(this.#policyFile, JSON.stringify(policy));
  }

  async start(): Promise<void> {
    for (const member of this.ids) {
      await this.startNode(member);
      await this.startConsent(member);
      await this.startRevocation(member);
    }
  }

  async stop(member: MemberId, process: Process): Promise<void> {
    await this.#running.get(`${member} ${process}`)?.close();
    this.#running.delete(`${member} ${process}`);
  }

  async dispose(): Promise<void> {
    for (const running of [...this.#running.values()].reverse()) await running.close();
    rmSync(this.dir, { recursive: true });
  }

  dataDir(member: MemberId, process: Process): string {
    return join(this.dir, `${process}-${member}`);
  }

  async startNode(member: MemberId): Promise<void> {
    const to = <S extends AnyService>(origin: MemberId, process: Process, service: S) =>
      this.client(service, origin, process, { member, service: 'node' });
    await this.#keep(member, 'node', async (listen) => {
      const running = await startNode(
        {
          ...{ member, profile: 'demo', dataDir: this.dataDir(member, 'node'), schemasDir },
          ...{ policy: readPolicyFile(this.#policyFile), federation: this.federation },
          signer: this.members.signer(member, 'node'),
          ...{ freshnessEveryMs: 20, retentionCheckMs: 20, approvalsAbove: 1_000 },
          mediaErasureMs: 3_600_000,
        },
        {
          ...{ clock: this.clock, random: systemRandom, logger: this.#logger(member), listen },
          readPolicy: () => readPolicyFile(this.#policyFile),
          log: memoryLogClient(this.log, systemClock),
          peers: {
            askForKeys: (origin) => async (statements) => {
              const answer = to(origin, 'node', KeyService).keyRelease(
                { statements: [...statements] },
                soon,
              );
              return fromWire(await answer);
            },
            askForGrants: (origin) => async (child, parents) => {
              const asked = { child, parents: [...parents] };
              const client = to(origin, 'node', DerivationService);
              const { grants } = await client.grantDerivation(asked, soon);
              await this.beforeGrantAnswer();
              return grants;
            },
            fetchFeed: (origin) => (wanted) =>
              to(origin, 'consent', FeedService).fetchFeed(wanted, soon),
            fetchLedger:
              (origin) =>
              async ({ epoch, fromNumber }) => {
                const client = to(origin, 'revocation', LedgerService);
                const { entries, ...rest } = await client.fetchLedger({ epoch, fromNumber }, soon);
                return { blocks: entries, ...rest };
              },
            askOnward: () => () => Promise.reject(new Error('expected nobody to share on')),
            askFreshness: (origin) => async (nonce) =>
              (await to(origin, 'revocation', FreshnessService).freshness({ nonce }, soon)).answer,
            close: () => undefined,
          },
        },
      );
      return running;
    });
  }

  async startConsent(member: MemberId): Promise<void> {
    await this.#keep(member, 'consent', (listen) =>
      startConsent(
        {
          ...{ member, dataDir: this.dataDir(member, 'consent') },
          policy: readPolicyFile(this.#policyFile),
        },
        {
          ...{ clock: this.clock, codec, keys: this.members.keys, logger: this.#logger(member) },
          log: memoryLogClient(this.log, systemClock),
          signer: this.members.signer(member, 'consent'),
          readPolicy: () => readPolicyFile(this.#policyFile),
          node: nodeClient({
            clientOf: (service) =>
              this.client(service, member, 'node', { member, service: 'consent' }),
          }),
          listen,
        },
      ),
    );
  }

  async startRevocation(member: MemberId): Promise<void> {
    const as = { member, service: 'revocation' } as const;
    const node = <S extends AnyService>(service: S) => this.client(service, member, 'node', as);
    await this.#keep(member, 'revocation', (listen) =>
      startRevocation(
        {
          ...{ member, members: this.ids, dataDir: this.dataDir(member, 'revocation') },
          ...{ retentionCheckMs: 20, ruleOrderDeadlineMs: DAY_MS, approvalsAbove: 1_000 },
        },
        {
          ...{ clock: this.clock, codec, keys: this.members.keys, logger: this.#logger(member) },
          log: memoryLogClient(this.log, systemClock),
          signer: this.members.signer(member, 'revocation'),
          node: {
            destroyKeys: (order, _signal, approvals) =>
              node(KeyService).destroyKeys({ order, approvals: [...approvals] }, soon),
          },
          register: {
            letMemberGo: (order, _signal, approvals) =>
              node(MembershipService).letMemberGo({ order, approvals: [...approvals] }, soon),
            letMemberBeGone: (gone) =>
              node(MembershipService).letMemberBeGone({ member: gone }, soon),
          },
          scope: {
            scopeLosses: async (asked) =>
              readScopePage(await node(ScopeService).scopeLosses(asked, soon)),
          },
          fetchReceipts: (holder) => async (wanted) => {
            const client = this.client(ReceiptService, holder, 'node', as);
            const { epoch, fromNumber } = wanted;
            const { receipts, ...rest } = await client.fetchReceipts({ epoch, fromNumber }, soon);
            return { blocks: receipts, ...rest };
          },
          derived: {
            listDuties: async () =>
              (await node(DerivationService).listDuties({}, soon)).duties.map(dutyIn),
            closeDuty: async (done) => {
              await node(DerivationService).closeDuty(done, soon);
            },
            askForCertificate: async (holder, wanted) => {
              const client = this.client(ChildService, holder, 'revocation', as);
              return (await client.childCertificate({ orderId: wanted }, soon)).dsseJson;
            },
          },
          listen,
        },
      ),
    );
  }

  /** A service of a member's process as another one calls it. */
  client<S extends AnyService>(
    service: S,
    member: MemberId,
    process: Process,
    caller: { readonly member: MemberId; readonly service: ServiceName },
  ): ClientOf<S> {
    const { federation } = this.federation;
    const served = (): readonly Served[] => this.#running.get(`${member} ${process}`)?.served ?? [];
    return localClient(service, served, {
      caller: { federation, ...caller },
      self: { federation, member, service: process },
    });
  }

  national(member: MemberId): ClientOf<typeof NationalService> {
    return this.client(NationalService, member, 'node', { member, service: 'system' });
  }

  operator(member: MemberId): ClientOf<typeof OperatorService> {
    return this.client(OperatorService, member, 'node', { member, service: 'operator' });
  }

  purges(member: MemberId): ClientOf<typeof PurgeService> {
    return this.client(PurgeService, member, 'revocation', { member, service: 'operator' });
  }

  /** Publishes the `n`-th event as one of `member`, derived from events of others. */
  async publish(
    member: MemberId,
    n: number,
    parents: readonly { readonly origin: MemberId; readonly id: EventId }[] = [],
    change: Partial<PublishRequest> = {},
  ): Promise<EventId> {
    const type = this.#categories.findByCategory('listing');
    if (!type) throw new Error('no schema of listing');
    const nowMs = this.clock.nowMs();
    await this.national(member).publish(
      {
        eventId: eventId(n),
        category: 'listing.al-qaida.individual',
        schemaHash: type.hash,
        contentJson: utf8(JSON.stringify(contentOf(n))),
        collectedAtMs: nowMs,
        retainUntilMs: nowMs + 1_000 * DAY_MS,
        purposes: ['screening'],
        legalBasis: 'resolution 1267 (1999)',
        handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 1 },
        supersedes: '',
        audience: { byAgreement: true, members: [] },
        derivedFrom: parents.map(({ origin, id }) => ({ origin, eventId: id })),
        ...change,
      },
      soon,
    );
    return eventId(n);
  }

  async readable(member: MemberId, origin: MemberId, id: EventId): Promise<void> {
    await until(
      `${member} reads ${origin} ${id}`,
      async () => {
        this.demandAlive();
        const shown = await this.operator(member)
          .show({ origin, eventId: id }, soon)
          .catch(() => undefined);
        return shown?.state === 'READABLE';
      },
      WAIT_MS,
    );
  }

  /** An officer of `member` takes these events back. @returns the order's id */
  async order(member: MemberId, ids: readonly EventId[], change: object = {}): Promise<string> {
    this.#orders += 1;
    const nowMs = this.clock.nowMs();
    const order = officerOrder(
      this.members,
      {
        ...{ orderId: orderId(this.#orders), origin: member, ids, issuedAtMs: nowMs },
        ...{ deadlineMs: asUnixMs(nowMs + DAY_MS), ...change },
      },
      { member, role: 'purge-officer' },
    );
    return (await this.purges(member).order({ order }, soon)).orderId;
  }

  async closed(member: MemberId, id: string): Promise<void> {
    await until(
      `order ${id} of ${member} is closed`,
      async () => {
        this.demandAlive();
        return (await this.purges(member).status({ orderId: id }, soon)).state === 'CLOSED';
      },
      WAIT_MS,
    );
  }

  /** The certificate's file, and what it proves. */
  async certificate(
    member: MemberId,
    id: string,
    evenIncomplete = false,
  ): Promise<{ readonly text: string; readonly purge: CertifiedPurge }> {
    const { dsseJson: text } = await this.purges(member).certificate(
      { orderId: id, evenIncomplete },
      soon,
    );
    const signed = verifyDsse(codec, this.members.keys, 'Certificate', text);
    if (!signed.ok) throw signed.error;
    const purge = verifyCertificate(codec, this.members.keys, signed.value.value);
    if (!purge.ok) throw purge.error;
    return { text, purge: purge.value };
  }

  demandAlive(): void {
    const [death] = this.deaths;
    if (death) throw death;
  }

  async #keep(
    member: MemberId,
    process: Process,
    start: (
      listen: (services: readonly Served[]) => Promise<{ port: number; close(): Promise<void> }>,
    ) => Promise<{ close(): Promise<void>; readonly died: Promise<Error> }>,
  ): Promise<void> {
    let served: readonly Served[] = [];
    const running = await start(async (services) => {
      served = services;
      return { port: 1, close: async () => undefined };
    });
    void running.died.then((cause) => this.deaths.push(cause));
    this.#running.set(`${member} ${process}`, { served, close: () => running.close() });
  }

  #logger(member: MemberId): Logger {
    const note = (text: string): void => {
      this.said.push({ member, text });
    };
    return { debug: note, info: note, warn: note, error: note };
  }
}
