import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, ServiceName } from '@concordat/common/domain/ids.js';
import { isWhole } from '@concordat/common/domain/purge-order.js';
import type { PurgeEntry } from '@concordat/common/domain/records.js';
import { seededRandom } from '@concordat/common/domain/seeded-random.js';
import { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { MemoryLog } from '@concordat/common/io/memory-log.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import {
  type AnyService,
  KeyService,
  NationalService,
} from '@concordat/common/io/rpc/definitions.js';
import type { KeyReply } from '@concordat/node/flows/apply-keys.js';
import { fromWire } from '@concordat/node/io/key-service.js';
import { localClient } from '../../support/local-calls.js';
import { DE, UN } from '../../support/node-world.js';
import { TestPurgeLedger } from '../../support/purge-ledger.js';
import { SimulatedNetwork } from '../calls.js';
import type { SimulatedDisks } from '../disk.js';
import { Faults } from '../fates.js';
import { SimulatedNode } from '../node.js';
import { SimulatedProcess } from '../process.js';
import { Scheduler } from '../scheduler.js';
import { type Branch, noCounts } from './branches.js';
import { type RaceOrder, drawOrders } from './orders.js';
import { OriginWitness, type Told, type WantedKeys } from './origin-witness.js';
import { portsOf } from './ports.js';
import { RecipientWitness } from './recipient-witness.js';
import { SECTION, type RaceTemplate } from './template.js';

/** Out of a hundred messages and calls. */
const FAULT_PERCENT = 6;
/** How long a dead node stays down, at most. */
const DOWN_MS_MAX = 80;
const soon = { timeoutMs: 1 };

/** An origin's node, a recipient's node, and everything around them; witnesses look at every commit and every key. */
export class RaceWorld {
  readonly template: RaceTemplate;
  readonly draw: Draw;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly network: SimulatedNetwork;
  readonly log = new MemoryLog();
  /** revocation, other members, national systems: what is no node, and never dies */
  readonly outside: SimulatedProcess;
  readonly orders: readonly RaceOrder[];
  /** the recipient's purge ledger, in order */
  readonly entries: PurgeEntry[] = [];
  readonly purges: TestPurgeLedger;
  readonly origin: SimulatedNode;
  readonly recipient: SimulatedNode;
  readonly atOrigin: OriginWitness;
  readonly atRecipient: RecipientWitness;
  readonly violations: string[] = [];
  readonly branches = noCounts();
  readonly #seed: number;
  readonly #died = new Set<MemberId>();
  readonly #reviving = new Set<SimulatedNode>();
  #begun = 0;

  constructor(template: RaceTemplate, seed: number, disks: SimulatedDisks) {
    this.template = template;
    this.#seed = seed;
    this.draw = this.#drawFor('story');
    this.scheduler = new Scheduler(this.#drawFor('order'), template.startMs);
    this.faults = new Faults(this.#drawFor('faults'), FAULT_PERCENT);
    this.network = new SimulatedNetwork(this.scheduler, this.faults);
    this.outside = new SimulatedProcess('outside', this.scheduler);
    this.orders = drawOrders(this.draw, template.world.members);
    const told: Told = {
      now: () => this.scheduler.steps,
      violated: (text) => this.violated(text),
      reached: (branch) => this.reached(branch),
    };
    this.atOrigin = new OriginWitness(template, this.log, this.orders, told);
    this.atRecipient = new RecipientWitness(
      template,
      this.entries,
      () => this.recipient.files(),
      told,
    );
    this.purges = new TestPurgeLedger(template.world.members, UN, () => undefined);
    this.purges.nowMs = () => this.scheduler.nowMs;
    this.origin = this.#node(UN, this.atOrigin, { disks, files: template.originFiles });
    this.recipient = this.#node(DE, this.atRecipient, { disks, files: template.recipientFiles });
    this.#makeTopics();
  }

  violated(text: string): void {
    this.scheduler.note(`VIOLATION: ${text}`);
    this.violations.push(text);
  }

  reached(branch: Branch): void {
    this.branches.set(branch, (this.branches.get(branch) ?? 0) + 1);
  }

  dispose(): void {
    this.outside.kill();
    this.origin.dispose();
    this.recipient.dispose();
  }

  /** How far the broker has the recipient's chain of receipts. */
  get receiptsSent(): number {
    const { records } = this.log.lane('receipts.de.un', 0);
    return new Set(records.map(({ value }) => Buffer.from(value).toString('base64'))).size;
  }

  /** Does anything go on that was begun? */
  get isBusy(): boolean {
    return this.#begun > 0;
  }

  /** Something that happens beside everything else; what it throws is a violation. */
  begin(work: () => Promise<void>): void {
    this.#begun += 1;
    work()
      .catch((cause: unknown) => this.violated(`the story: ${String(cause)}`))
      .finally(() => {
        this.#begun -= 1;
      });
  }

  /** Resolves at a drawn time. */
  later(latestMs: number): Promise<void> {
    return this.scheduler.sleep(this.outside, this.draw.whole(0, latestMs));
  }

  /** As the caller's node asks, watched on both ends. */
  async askForKeys(
    caller: SimulatedProcess,
    recipient: MemberId,
    statements: readonly { readonly statement: Uint8Array; readonly wanted: Uint8Array }[],
  ): Promise<KeyReply> {
    const client = this.clientOf(KeyService, this.origin, recipient, 'node');
    const fed = this.template.fedTo.get(recipient) ?? [];
    const asked = statements.flatMap(({ statement, wanted }): WantedKeys[] => {
      const found = fed.find((one) => Buffer.from(statement).equals(one.statement));
      return found ? [{ fed: found, wanted }] : [];
    });
    const reply = await this.network.call(
      caller,
      () => this.origin.process,
      `${recipient} for keys`,
      async () => {
        const begunAt = this.scheduler.steps;
        const server = this.origin.process;
        const answer = fromWire(await client.keyRelease({ statements: [...statements] }, soon));
        if (server?.isAlive !== true) return answer;
        this.atOrigin.answered(recipient, asked, answer, begunAt);
        if (recipient === DE) this.#noteOnTheWay(asked, answer);
        return answer;
      },
    );
    this.atOrigin.arrived(recipient, asked, reply);
    if (recipient === DE) this.atRecipient.onTheWay.clear();
    return reply;
  }

  #noteOnTheWay(asked: readonly WantedKeys[], reply: KeyReply): void {
    for (const { statement, release, item } of reply.answers) {
      const id = asked[statement]?.fed.releases[release]?.id;
      if (id !== undefined && item.kind === 'released') this.atRecipient.onTheWay.add(id);
    }
  }

  /** @returns names of the sections that were read, or the code of the refusal */
  async read(node: SimulatedNode, id: EventId): Promise<readonly string[] | string> {
    const client = this.clientOf(NationalService, node, node.member, 'system');
    const { process } = node;
    const death = new Promise<'DIED'>((resolve) => process?.atDeath(() => resolve('DIED')));
    try {
      const request = { origin: UN, eventId: id, purpose: 'screening', caseId: 'case-1' };
      const opened = await Promise.race([client.read(request, soon), death]);
      if (opened === 'DIED' || process?.isAlive !== true) return 'DIED';
      const names = opened.sections.map(({ name }) => name);
      this.#demandReadable(node, id, names);
      return names;
    } catch (cause) {
      return asConcordatError(cause).code;
    }
  }

  #demandReadable(node: SimulatedNode, id: EventId, names: readonly string[]): void {
    const now = this.scheduler.steps;
    const isAtOrigin = node === this.origin;
    const purgedAt = isAtOrigin
      ? this.atOrigin.sealOf(id)?.sealedAt
      : this.atRecipient.purgedAt.get(id);
    if (purgedAt !== undefined && purgedAt < now)
      this.violated(`${node.member} reads ${id}, which is purged`);
    const narrowedAt = isAtOrigin ? undefined : this.atRecipient.narrowedAt.get(id);
    if (narrowedAt !== undefined && narrowedAt < now && names.includes(SECTION)) {
      this.violated(`${node.member} reads a section of ${id} that is taken back`);
    }
  }

  clientOf<S extends AnyService>(
    service: S,
    server: SimulatedNode,
    member: MemberId,
    as: ServiceName,
  ): ClientOf<S> {
    const { world } = this.template;
    return localClient(service, () => server.served, {
      caller: world.identity(member, as),
      self: world.identity(server.member, 'node'),
    });
  }

  /** The operating system starts it again, a moment later. */
  reviveDead(): void {
    for (const node of [this.origin, this.recipient]) {
      if (node.process?.isAlive !== false || this.#reviving.has(node)) continue;
      this.#reviving.add(node);
      this.begin(async () => {
        await this.scheduler.sleep(this.outside, this.draw.whole(0, DOWN_MS_MAX));
        this.#reviving.delete(node);
        await node.start();
        if (node.isServing) this.#lookAround(node);
      });
    }
  }

  /** Before anything else reaches a node that was started again, nothing purged is left in its files. */
  #lookAround(node: SimulatedNode): void {
    if (node === this.recipient) {
      this.atRecipient.demandAllGone(node.files(), 'after a start');
      return;
    }
    for (const order of this.orders) {
      if (!isWhole(order) || order.sealedAt === undefined) continue;
      this.atOrigin.demandGone(order.ids, node.files(), 'after a start');
    }
  }

  #noteDeath(member: MemberId): void {
    this.scheduler.note(`${member} dies`);
    if (!this.isBusy) return;
    this.#died.add(member);
    if (this.#died.size === 2) this.reached('both nodes die');
    if (member === UN) this.atOrigin.died(this.origin.files());
    else {
      this.atRecipient.onTheWay.clear();
      this.atRecipient.died(this.recipient.files(), this.receiptsSent);
    }
  }

  #makeTopics(): void {
    for (const topic of ['purge.un.de', 'receipts.de.un', 'quarantine.un', 'quarantine.de']) {
      this.log.createTopic(topic, 1);
    }
    for (const [topic, lanes] of this.template.topics) {
      this.log.createTopic(topic, lanes.length);
      if (topic.startsWith('feed.')) continue;
      for (const [lane, records] of lanes.entries()) this.log.append(topic, lane, records);
    }
  }

  #node(
    member: MemberId,
    witness: OriginWitness | RecipientWitness,
    disk: { readonly disks: SimulatedDisks; readonly files: ReadonlyMap<string, Uint8Array> },
  ): SimulatedNode {
    const { world, schemas } = this.template;
    const settings = {
      ...{ member, profile: 'demo' as const, schemasDir: '', schemas, policy: world.policy },
      ...{ federation: world.federation, signer: world.members.signer(member, 'node') },
      ...{ freshnessEveryMs: 150, retentionCheckMs: 3_600_000, approvalsAbove: 1_000 },
      mediaErasureMs: 120,
    };
    return new SimulatedNode(
      {
        ...{ member, settings, disks: disk.disks, scheduler: this.scheduler },
        portsOf: (process, life) => ({
          ...portsOf(this, process),
          random: seededRandom('race', String(this.#seed), member, String(life)),
        }),
        onCommit: (store) => witness.committed(store),
        onDeath: () => this.#noteDeath(member),
        onFailure: (cause) => this.violated(`${member} ended: ${String(cause)}`),
      },
      disk.files,
    );
  }

  #drawFor(what: string): Draw {
    return new Draw(seededRandom('race', String(this.#seed), what));
  }
}
