import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { PurgeEntry } from '@concordat/common/domain/records.js';
import { KeyService } from '@concordat/common/io/rpc/definitions.js';
import { DE, FR, LANES, UN } from '../../support/node-world.js';
import type { SimulatedNode } from '../node.js';
import type { RaceOrder } from './orders.js';
import { SECTION, eventsOfRace } from './template.js';
import type { RaceWorld } from './world.js';

/** The simulated time within which everything is begun. */
const SPAN_MS = 400;
/** Codes of calls that are made again. */
const AGAIN: ReadonlySet<string> = new Set(['PEER_UNAVAILABLE', 'BROKER_UNAVAILABLE']);
const soon = { timeoutMs: 1 };

/** A purge entry that is not the answer to an order. */
export interface EagerEntry {
  readonly id: EventId;
  readonly sections: readonly string[];
}

/** What happens in one race beside the two nodes' own doing, all of it drawn. */
export class Story {
  readonly #world: RaceWorld;
  readonly eager: EagerEntry[] = [];

  constructor(world: RaceWorld) {
    this.#world = world;
  }

  /** Begins everything that happens. */
  begin(): void {
    const { draw, origin, recipient } = this.#world;
    for (let lane = 0; lane < LANES; lane += 1) this.#world.begin(() => this.#feed(lane));
    for (const order of this.#world.orders) {
      const times = draw.chance(30) ? 2 : 1;
      for (let n = 0; n < times; n += 1) this.#world.begin(() => this.#send(order));
    }
    if (draw.chance(30)) this.#world.begin(() => this.#enterEagerly(draw.pick(eventsOfRace)));
    for (let n = draw.whole(1, 3); n > 0; n -= 1) this.#world.begin(() => this.#askAs(FR));
    for (let n = draw.whole(1, 3); n > 0; n -= 1) this.#world.begin(() => this.#readSomething());
    for (const node of [origin, recipient]) {
      if (draw.chance(60)) this.#world.begin(() => this.#endanger(node));
      if (draw.chance(25)) this.#world.begin(() => this.#endanger(node));
    }
  }

  /** Blocks of one lane reach the topic, some twice. */
  async #feed(lane: number): Promise<void> {
    for (const record of this.#world.template.topics.get('feed.un.de')?.[lane] ?? []) {
      await this.#world.later(120);
      const isTwice = this.#world.draw.chance(10);
      await this.#world.scheduler.turn(this.#world.outside, `feeds lane ${String(lane)}`, () => {
        for (let n = isTwice ? 2 : 1; n > 0; n -= 1)
          this.#world.log.append('feed.un.de', lane, [record]);
      });
      if (isTwice) this.#world.reached('a feed block comes twice');
    }
  }

  /** The origin's revocation service: it asks until it is answered, and then addresses the holders. */
  async #send(order: RaceOrder): Promise<void> {
    await this.#world.later(SPAN_MS);
    const client = this.#world.clientOf(KeyService, this.#world.origin, UN, 'revocation');
    const label = `order ${String(this.#world.orders.indexOf(order) + 1)}`;
    for (;;) {
      try {
        await this.#world.network.call(
          this.#world.outside,
          () => this.#world.origin.process,
          label,
          async () => {
            const server = this.#world.origin.process;
            const { sealRecord } = await client.destroyKeys(
              { order: order.bytes, approvals: [] },
              soon,
            );
            if (server?.isAlive === true) this.#answered(order, sealRecord);
          },
        );
        return;
      } catch (cause) {
        const { code, message } = asConcordatError(cause);
        if (!AGAIN.has(code)) {
          if (order.sealedAt !== undefined)
            this.#world.violated(`a sealed order is refused: ${message}`);
          else if (code !== 'ORDER_INVALID') throw cause;
          return;
        }
        await this.#world.scheduler.sleep(this.#world.outside, 50);
      }
    }
  }

  #answered(order: RaceOrder, sealRecord: Uint8Array): void {
    const isFirst = order.sealRecord === undefined;
    this.#world.atOrigin.sealed(order, sealRecord, this.#world.origin.files());
    const holder = order.record?.holders.find(({ recipient }) => recipient === DE);
    if (!isFirst || !holder) return;
    this.#world.begin(() => this.#enter(holder.ids, order.sections));
  }

  async #enter(ids: readonly EventId[], sections: readonly string[]): Promise<void> {
    await this.#world.later(80);
    const isLost = this.#world.draw.chance(8);
    await this.#world.scheduler.turn(
      this.#world.outside,
      `enters ${ids.join(' ')} ${sections.join(' ')}`,
      () => {
        const value = this.#world.purges.next(DE, ids, { sections });
        this.#world.entries.push(this.#readEntry(value));
        if (!isLost) this.#world.log.append('purge.un.de', 0, [{ value }]);
      },
    );
  }

  /** An entry for an event that the recipient may not have, or not have yet. */
  async #enterEagerly(id: EventId): Promise<void> {
    const sections = this.#world.draw.chance(40) ? [SECTION] : [];
    this.eager.push({ id, sections });
    await this.#world.later(100);
    await this.#enter([id], sections);
  }

  #readEntry(value: Uint8Array): PurgeEntry {
    const { codec } = this.#world.template.schemas;
    const signed = codec.decode('Signed', value);
    const entry = signed.ok ? codec.decode('PurgeEntry', signed.value.payload) : signed;
    if (!entry.ok) throw entry.error;
    return entry.value;
  }

  /** Another recipient asks for some keys, and again. */
  async #askAs(recipient: MemberId): Promise<void> {
    const fed = this.#world.template.fedTo.get(recipient) ?? [];
    for (let n = this.#world.draw.whole(1, 3); n > 0; n -= 1) {
      await this.#world.later(200);
      const some = this.#world.draw.some(fed, fed.length);
      const wanted = some.map(({ statement }) => ({
        statement,
        wanted: Uint8Array.of(this.#world.draw.whole(1, 255)),
      }));
      await this.#world
        .askForKeys(this.#world.outside, recipient, wanted)
        .catch((cause: unknown) => {
          const { code } = asConcordatError(cause);
          if (!AGAIN.has(code) && code !== 'REQUEST_INVALID') throw cause;
        });
    }
  }

  async #readSomething(): Promise<void> {
    for (let n = 0; n < 4; n += 1) {
      await this.#world.later(150);
      const [node, id] = [
        this.#world.draw.pick([this.#world.origin, this.#world.recipient]),
        this.#world.draw.pick(eventsOfRace),
      ];
      await this.#world.network
        .call(
          this.#world.outside,
          () => node.process,
          `${node.member} to read ${id}`,
          () => this.#world.read(node, id),
        )
        .catch(() => undefined);
    }
  }

  /** Somebody always wants to read just what was purged in this moment. */
  readPurged(): void {
    const now = this.#world.scheduler.steps;
    for (const id of eventsOfRace) {
      const { purgedAt, narrowedAt } = this.#world.atRecipient;
      const isNow = [purgedAt.get(id), narrowedAt.get(id)].includes(now);
      if (isNow)
        this.#world.begin(async () => {
          await this.#world.read(this.#world.recipient, id);
        });
      if (this.#world.atOrigin.sealOf(id)?.sealedAt === now) {
        this.#world.begin(async () => {
          await this.#world.read(this.#world.origin, id);
        });
      }
    }
  }

  /** It dies after one of its next commits, or at any other moment. */
  async #endanger(node: SimulatedNode): Promise<void> {
    await this.#world.later(SPAN_MS);
    if (this.#world.draw.chance(75)) {
      node.dieAfter(this.#world.draw.whole(1, 12));
      return;
    }
    await this.#world.scheduler.turn(this.#world.outside, `kills ${node.member}`, () =>
      node.kill(),
    );
  }
}
