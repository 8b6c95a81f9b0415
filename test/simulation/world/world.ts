import type { Policy } from '@concordat/common/domain/agreement.js';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { type MemberId, type ServiceName, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import type { AnyService } from '@concordat/common/io/rpc/definitions.js';
import type { Channels } from '@concordat/common/io/rpc/member-channels.js';
import { SimulatedNetwork } from '../calls.js';
import { simulatedClock } from '../clock.js';
import { OpenEntries } from '../branches/open-entries.js';
import { Weather } from '../faults/weather.js';
import { simulatedLog } from '../log.js';
import { SimulatedProcess } from '../process.js';
import { Scheduler } from '../scheduler.js';
import type { Branch } from '../run/branches.js';
import { type Life, SimulatedService } from '../service.js';
import type { Place, Witness } from '../witness/witness.js';
import { Book } from './book.js';
import { type Caller, connect } from './connections.js';
import { fastRandom } from './fast-random.js';
import type { SimulatedFederation } from './federation.js';
import { type Process, placeName } from './places.js';
import { type Around, BEGIN, type ServiceSettings } from './services.js';
import { PLACES, type WorldTemplate } from './template.js';
import { WatchedLog } from './watched-log.js';

/** When every story begins: a Monday. */
const START_MS = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;
/** Much happens at once: a step is one look of everybody around. */
const PACE = { togetherPercent: 80, togetherMax: 6, timePercent: 10, turnsMax: 2 } as const;
/** How long a process that ended stays down, at most. */
const DOWN_MS_MAX = 2_000;
/** With these a process may end by itself: what it needs of the world is not there. */
const OF_THE_WORLD: ReadonlySet<string> = new Set(['BROKER_UNAVAILABLE', 'TOPIC_MISSING']);

const SETTINGS: ServiceSettings = {
  freshnessEveryMs: 60_000,
  retentionCheckMs: 60_000,
  mediaErasureMs: HOUR_MS / 2,
  approvalsAbove: 40,
  ruleOrderDeadlineMs: 24 * HOUR_MS,
};

/** A whole federation in one process: every service shipped, everything around them simulated and drawn from one seed. */
export class World {
  readonly seed: number;
  readonly template: WorldTemplate;
  readonly federation: SimulatedFederation;
  readonly settings = SETTINGS;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly network: SimulatedNetwork;
  readonly log: WatchedLog;
  /** national systems, officers, whoever attacks: what is no service, and never dies */
  readonly outside: SimulatedProcess;
  readonly book = new Book();
  readonly witnesses: Witness[] = [];
  readonly violations: string[] = [];
  /** how often each thing happened that seldom does */
  readonly branches = new Map<Branch, number>();
  /** how often each kind of fault happened */
  readonly faults = new Map<string, number>();
  /** how far a process's clock is ahead, by its name */
  readonly skews = new Map<string, number>();
  /** entries with a number that their origin had signed before */
  readonly signedTwice: {
    readonly recipient: MemberId;
    readonly topic: string;
    readonly offset: bigint;
  }[] = [];
  /** topics that lost records, and processes that lost a store: what they had seen they may not know any more */
  readonly disturbed = new Set<string>();
  /** names of processes that nobody starts again for now */
  readonly keptDown = new Set<string>();
  /** the agreements file of every member, as it is now */
  policy: Policy;
  readonly #services: ReadonlyMap<string, SimulatedService>;
  readonly #reviving = new Set<string>();
  readonly #downDraw: Draw;
  readonly #openEntries: OpenEntries;
  #begun = 0;

  constructor(
    template: WorldTemplate,
    seed: number,
    options: { readonly ed25519: boolean; readonly policy: (draw: Draw) => Policy },
  ) {
    this.template = template;
    this.seed = seed;
    this.federation = options.ed25519 ? template.signed : template.mac;
    this.policy = options.policy(this.draw('policy'));
    this.#downDraw = this.draw('down');
    this.#openEntries = new OpenEntries(template.schemas.codec);
    this.scheduler = new Scheduler(this.draw('order'), START_MS, PACE);
    this.weather = new Weather(this.draw('weather'));
    this.network = new SimulatedNetwork(this.scheduler, this.weather);
    this.outside = new SimulatedProcess('outside', this.scheduler);
    this.log = new WatchedLog((record) => {
      for (const witness of this.witnesses) witness.appended?.(record);
    });
    for (const { name, lanes } of template.topics) this.log.createTopic(name, lanes);
    this.witnesses.push(this.#openEntries);
    this.#services = new Map(
      PLACES.map((place) => [placeName(place.member, place.process), this.#serviceAt(place)]),
    );
  }

  /** Choices of one kind, independent of all others. */
  draw(what: string): Draw {
    return new Draw(fastRandom(String(this.seed), what));
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  get virtualDays(): number {
    return (this.scheduler.nowMs - START_MS) / (24 * HOUR_MS);
  }

  violated(text: string): void {
    this.scheduler.note(`VIOLATION: ${text}`);
    this.violations.push(text);
  }

  reached(branch: Branch, times = 1): void {
    this.branches.set(branch, (this.branches.get(branch) ?? 0) + times);
  }

  /** Is anything that this member ordered, or has to delete, not answered for good? */
  hasOpenOrder(member: MemberId): boolean {
    return this.#openEntries.of(member);
  }

  service(member: MemberId, process: Process): SimulatedService {
    const found = this.#services.get(placeName(member, process));
    if (!found) throw new Error(`no ${placeName(member, process)}`);
    return found;
  }

  get services(): readonly SimulatedService[] {
    return [...this.#services.values()];
  }

  /** A service as a person or program outside calls it, unless told otherwise of the same member. */
  client<S extends AnyService>(
    service: S,
    member: MemberId,
    process: Process,
    as: ServiceName,
    from = member,
  ): ClientOf<S> {
    const caller = { process: this.outside, member: from, as };
    return this.#connect(service, caller, { member, process });
  }

  /** The clock of somebody outside. */
  get clock(): Clock {
    return simulatedClock(this.scheduler, this.outside);
  }

  /** Something that happens beside everything else; what it throws is a violation. */
  begin(what: string, work: () => Promise<void>): void {
    this.#begun += 1;
    work()
      .catch((cause: unknown) =>
        this.violated(`${what}: ${cause instanceof Error ? String(cause.stack) : String(cause)}`),
      )
      .finally(() => {
        this.#begun -= 1;
      });
  }

  /** Is a violation known? Then nothing goes on. */
  isOver(): boolean {
    return this.violations.length > 0;
  }

  /** Does anything go on that was begun outside? */
  get isBusy(): boolean {
    return this.#begun > 0;
  }

  /** One step, and what follows from it. */
  async step(): Promise<void> {
    await this.scheduler.step();
    this.#reviveDead();
    for (const witness of this.witnesses) witness.stepped?.();
  }

  /** Steps as long as nothing is violated: until `isOver`, at most so many. @returns is it over? */
  async stepUntil(isOver: () => boolean, stepsMax: number): Promise<boolean> {
    for (let n = 0; this.violations.length === 0; n += 1) {
      if (isOver()) return true;
      if (n >= stepsMax) return false;
      await this.step();
    }
    return false;
  }

  /** So much virtual time. */
  async stepFor(ms: number, stepsMax: number): Promise<void> {
    const endMs = this.scheduler.nowMs + ms;
    await this.stepUntil(() => !this.scheduler.isBusyUntil(endMs), stepsMax);
  }

  /** Starts a process; resolves when it serves, or has died before. */
  async startOne(name: string): Promise<void> {
    const service = this.#services.get(name);
    await service?.start();
    if (service?.isServing === true) this.#tellStarted(name);
  }

  /** Starts these processes, as the operating system does. */
  async start(names: readonly string[]): Promise<void> {
    await this.scheduler.drive(Promise.all(names.map((name) => this.startOne(name))));
  }

  dispose(): void {
    this.outside.kill();
    for (const service of this.#services.values()) service.dispose();
  }

  #serviceAt(place: Place): SimulatedService {
    const { member, process } = place;
    const name = placeName(member, process);
    return new SimulatedService(
      {
        ...{ name, scheduler: this.scheduler, disks: this.template.disks },
        begin: (life) => BEGIN[process](this.#around(place, life), life),
        onCommit: (store) => {
          for (const witness of this.witnesses) witness.committed?.(place, store);
        },
        onDeath: () => {
          this.scheduler.note(`${name} dies`);
          for (const witness of this.witnesses) witness.died?.(place);
        },
        onFailure: (cause) => {
          const { code, message } = asConcordatError(cause);
          this.scheduler.note(`${name} ends: ${code} ${message}`);
          if (!OF_THE_WORLD.has(code) && !/disk is full/.test(String(cause))) {
            this.violated(`${name} ended: ${cause instanceof Error ? String(cause.stack) : code}`);
          }
          this.#services.get(name)?.kill();
        },
      },
      this.template.startFiles.get(name) ?? new Map(),
    );
  }

  #around({ member, process: kind }: Place, { process, number }: Life): Around {
    const clock = this.#clockOf(process);
    const say = (text: string, fields: object = {}): void =>
      this.scheduler.note(`${process.name} says: ${text} ${JSON.stringify(fields)}`);
    const caller: Caller = { process, member, as: kind };
    const channels: Channels = {
      to: (callee, service) => ({
        clientOf: (called) => this.#connect(called, caller, { member: callee, process: service }),
      }),
    };
    return {
      ...{ member, federation: this.federation, schemas: this.template.schemas },
      ...{ settings: this.settings, readPolicy: () => this.policy, clock, channels },
      random: fastRandom(String(this.seed), process.name, String(number)),
      log: simulatedLog(this.log, {
        ...{ scheduler: this.scheduler, process, clock, faults: this.weather },
      }),
      logger: { debug: () => undefined, info: () => undefined, warn: say, error: say },
    };
  }

  #clockOf(process: SimulatedProcess): Clock {
    const { scheduler, skews } = this;
    return {
      ...simulatedClock(scheduler, process),
      nowMs: () => asUnixMs(scheduler.nowMs + (skews.get(process.name) ?? 0)),
    };
  }

  #connect<S extends AnyService>(service: S, caller: Caller, place: Place): ClientOf<S> {
    const { member, process } = place;
    const callee = { service: this.service(member, process), member, as: process };
    return connect(this.network, service, caller, callee, (call) => {
      for (const witness of this.witnesses) witness.answered?.(call);
    });
  }

  /** The operating system starts it again, a moment later. */
  #reviveDead(): void {
    for (const [name, service] of this.#services) {
      if (service.process?.isAlive !== false) continue;
      if (this.keptDown.has(name) || this.#reviving.has(name)) continue;
      this.#reviving.add(name);
      this.begin(`the start of ${name}`, async () => {
        const downMs = this.#downDraw.whole(0, DOWN_MS_MAX);
        await this.scheduler.sleep(this.outside, downMs);
        this.#reviving.delete(name);
        if (this.keptDown.has(name)) return;
        await this.startOne(name);
      });
    }
  }

  #tellStarted(name: string): void {
    const place = PLACES.find(({ member, process }) => placeName(member, process) === name);
    if (place) for (const witness of this.witnesses) witness.started?.(place);
  }
}
