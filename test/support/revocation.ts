import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CertifiedPurge,
  verifyCertificate,
} from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import {
  type EventId,
  type Hash,
  type MemberId,
  type UnixMs,
  asUnixMs,
} from '@concordat/common/domain/ids.js';
import type { Certificate, PurgeOutcome } from '@concordat/common/domain/records.js';
import { statementHash } from '@concordat/common/domain/statement.js';
import { purgeTopic, receiptsTopic } from '@concordat/common/domain/topics.js';
import { MemoryLog, memoryLogClient } from '@concordat/common/io/memory-log.js';
import type { CallContext } from '@concordat/common/io/rpc/server.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import {
  type RevocationPorts,
  type RevocationSettings,
  type RunningRevocation,
  revocationTopics,
  startRevocation,
} from '@concordat/revocation/service.js';
import { codec, memberOf, testFederation } from './federation.js';
import { TestHolder } from './holder.js';
import { TestLedger, officerOrder } from './ledger.js';
import { TestRegister } from './member-register.js';
import { NOW } from './origin.js';
import { until } from './until.js';

export const UN = memberOf('un');
export const DE = memberOf('de');
export const FR = memberOf('fr');
export const NL = memberOf('nl');
const MEMBERS = [UN, DE, FR, NL];
const DAY_MS = 86_400_000;
const silent = (): void => undefined;

/** No policy ever changes. */
const NOTHING_LOST = { standing: 'p1', losses: [], next: 0 };

type DestroyKeys = RevocationPorts['node']['destroyKeys'];

/** Ports of a member that derives nothing, and whose holders do not. */
export const NOTHING_DERIVED: RevocationPorts['derived'] = {
  listDuties: () => Promise.resolve([]),
  closeDuty: () => Promise.reject(new Error('expected no duty')),
  askForCertificate: () => Promise.reject(new Error('expected no child')),
};

/**
 * A revocation service of `un` on a log in memory, beside a node and holders that are real in keys and bytes only. They
 * outlive the service, as other processes would.
 */
export class RevocationWorld {
  readonly federation = testFederation(MEMBERS);
  readonly log = new MemoryLog();
  readonly ledger: TestLedger;
  readonly holders: ReadonlyMap<MemberId, TestHolder>;
  readonly dir = mkdtempSync(join(tmpdir(), 'revocation-'));
  readonly deaths: Error[] = [];
  readonly register = new TestRegister(this.federation, UN, {
    now: () => this.nowMs,
    ledgerHead: () => this.ledger.number,
  });
  nowMs: UnixMs = NOW;
  /** `undefined`: the ledger's records reach the topic at once */
  held: Uint8Array[] | undefined;
  service: RunningRevocation | undefined;

  constructor() {
    const topics = revocationTopics({ member: UN, members: MEMBERS });
    for (const topic of topics) this.log.createTopic(topic, 1);
    this.ledger = new TestLedger(this.federation, UN, (record) => {
      if (this.held) this.held.push(record);
      else this.toLedger(record);
    });
    this.holders = new Map(
      [DE, FR, NL].map((member) => [member, new TestHolder(this.federation, member)]),
    );
  }

  /** A node that answers; also the base of those that misbehave. */
  readonly seal = (
    ...[order, , approvals = []]: [
      order: Uint8Array,
      signal?: AbortSignal,
      approvals?: readonly Uint8Array[],
    ]
  ): ReturnType<DestroyKeys> =>
    Promise.resolve().then(() => {
      return this.ledger.seal(order, { approvals: approvals.map(hashOf) });
    });

  async start(
    change: Partial<RevocationPorts> & Partial<RevocationSettings> = {},
  ): Promise<RunningRevocation> {
    const { retentionCheckMs = 20, ruleOrderDeadlineMs = DAY_MS, ...others } = change;
    const { approvalsAbove = 2_000, ...ports } = others;
    const clock = { ...systemClock, nowMs: () => this.nowMs };
    const service = await startRevocation(
      {
        ...{ member: UN, members: MEMBERS, dataDir: this.dir },
        ...{ retentionCheckMs, ruleOrderDeadlineMs, approvalsAbove },
      },
      {
        clock,
        codec,
        log: memoryLogClient(this.log, clock),
        keys: this.federation.keys,
        signer: this.federation.signer(UN, 'revocation'),
        node: { destroyKeys: this.seal },
        register: this.register.calls,
        scope: { scopeLosses: async () => NOTHING_LOST },
        fetchReceipts: () => () =>
          Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'no node runs here')),
        derived: NOTHING_DERIVED,
        logger: { debug: silent, info: silent, warn: silent, error: silent },
        listen: async () => ({ port: 0, close: async () => undefined }),
        ...ports,
      },
    );
    void service.died.then((cause) => this.deaths.push(cause));
    this.service = service;
    return service;
  }

  /** As a crash leaves it: whatever was not committed is gone. */
  async stop(): Promise<void> {
    await this.service?.close();
    this.service = undefined;
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  get calls(): RunningRevocation['calls'] {
    if (!this.service) throw new Error('the service does not run');
    return this.service.calls;
  }

  toLedger(...records: readonly Uint8Array[]): void {
    this.append('ledger.un', ...records);
  }

  append(topic: string, ...values: readonly Uint8Array[]): void {
    this.log.append(
      topic,
      0,
      values.map((value) => ({ value })),
    );
  }

  /** What the topic holds, each record once. */
  entriesFor(recipient: MemberId): Uint8Array[] {
    const { records } = this.log.lane(purgeTopic({ origin: UN, recipient }), 0);
    const distinct = new Map(
      records.map(({ value }) => [Buffer.from(value).toString('hex'), value]),
    );
    return [...distinct.values()];
  }

  receipt(recipient: MemberId, ...bytes: readonly Uint8Array[]): void {
    this.append(receiptsTopic({ origin: UN, recipient }), ...bytes);
  }

  holder(member: MemberId): TestHolder {
    const holder = this.holders.get(member);
    if (!holder) throw new Error(`${member} is no holder`);
    return holder;
  }

  /** The holder answers every entry that it finds on its topic. */
  answer(recipient: MemberId, outcome: PurgeOutcome = 'DELETED'): void {
    for (const entry of this.entriesFor(recipient)) {
      this.receipt(recipient, this.holder(recipient).answer(entry, outcome));
    }
  }

  order(order: Parameters<typeof officerOrder>[1]): Promise<{ readonly orderId: string }> {
    return this.calls.purge.order({ order: officerOrder(this.federation, order) }, this.as(UN));
  }

  as(member: MemberId): CallContext {
    const service = member === UN ? 'operator' : 'node';
    return {
      caller: { federation: this.federation.federation.federation, member, service },
      signal: new AbortController().signal,
      deadlineMs: asUnixMs(NOW + 1_000),
    };
  }

  status(orderId: string) {
    return this.calls.purge.status({ orderId }, this.as(UN));
  }

  watchStatus(orderId: string) {
    return this.calls.purge.watchStatus({ orderId }, this.as(UN));
  }

  list() {
    return this.calls.purge.list({}, this.as(UN));
  }

  async published(count: number): Promise<void> {
    await until(`${count} publications`, async () => (await this.list()).publications === count);
  }

  async reaches(orderId: string, state: string): Promise<void> {
    await until(`${orderId} is ${state}`, async () => {
      const [death] = this.deaths;
      if (death) throw death;
      const { orders } = await this.list();
      return orders.some((order) => order.orderId === orderId && order.state === state);
    });
  }

  /** Until the counter stands there: what was refused or repeated leaves no other trace. */
  async counted(name: string, count: number): Promise<void> {
    await until(`${count} ${name}`, async () => (await this.list()).counters[name] === count);
  }

  async certificate(orderId: string, { evenIncomplete = false } = {}): Promise<string> {
    const { purge } = this.calls;
    return (await purge.certificate({ orderId, evenIncomplete }, this.as(UN))).dsseJson;
  }

  /** Who held which events, as a stranger with public keys reads it from the certificate. */
  verify(dsseJson: string): Record<string, readonly EventId[]> {
    const { purge } = this.read(dsseJson);
    return Object.fromEntries(purge.holders.map(({ recipient, ids }) => [recipient, ids]));
  }

  /** A certificate that holds, and what it proves. */
  read(dsseJson: string): { readonly certificate: Certificate; readonly purge: CertifiedPurge } {
    const signed = verifyDsse(codec, this.federation.keys, 'Certificate', dsseJson);
    if (!signed.ok) throw signed.error;
    const purge = verifyCertificate(codec, this.federation.keys, signed.value.value);
    if (!purge.ok) throw purge.error;
    return { certificate: signed.value.value, purge: purge.value };
  }
}

/** As others name this statement. */
function hashOf(statement: Uint8Array): Hash {
  const signed = codec.decode('Signed', statement);
  if (!signed.ok) throw signed.error;
  return statementHash(signed.value);
}

/** The code of a call that has to fail. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (cause) {
    if (cause instanceof ConcordatError) return cause.code;
    throw cause;
  }
  return 'OK';
}
