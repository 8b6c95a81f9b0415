import { setImmediate as turn } from 'node:timers/promises';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Release } from '@concordat/common/domain/records.js';
import { momentOf } from '../../domain/moment.js';
import { type NoKey, type Wanted, applyKeys } from '../apply-keys.js';
import type { NodeContext } from '../context.js';
import type { FeedReleases } from '../feed-releases.js';
import { ASK_BYTES_MAX, ASK_MAX, type AskForKeys, requestFor } from '../fetch-keys.js';

/** A reader waits this long for the origin's answer to one request. */
export const LEASE_WAIT_MS = 5_000;
/** Events whose leases are asked for, or wait to be. */
const WANTED_MAX = 4_096;

interface Request {
  readonly wanted: readonly Wanted[];
  readonly asked: readonly EventId[];
  /** no leased events any more */
  readonly gone: readonly EventId[];
}

/** Why no lease runs, for a reader; undefined when one does, or when the event is gone. */
type Came = ConcordatError | undefined;

/**
 * Asks one origin for leases, many events in a request and one request at a time. The origin decides anew each time. It
 * waits for nobody else: keys that are held are asked for, stored and read beside it.
 */
export class LeaseDesk {
  readonly #context: NodeContext;
  readonly #origin: MemberId;
  readonly #ask: AskForKeys;
  readonly #releases: FeedReleases;
  readonly #onDeath: (cause: Error) => void;
  readonly #closing = new AbortController();
  readonly #wanted = new Map<EventId, ((came: Came) => void)[]>();
  #running: Promise<void> | undefined;

  constructor(
    context: NodeContext,
    origin: MemberId,
    ports: {
      readonly ask: AskForKeys;
      readonly releases: FeedReleases;
      readonly onDeath: (cause: Error) => void;
    },
  ) {
    this.#context = context;
    this.#origin = origin;
    this.#ask = ports.ask;
    this.#releases = ports.releases;
    this.#onDeath = ports.onDeath;
  }

  /** Asks for leases of those of these events that are only lent and have none; nobody waits for it. */
  want(ids: readonly EventId[]): void {
    const { data, leases } = this.#context;
    for (const id of data.leasedAmong(this.#origin, ids)) {
      if (this.#wanted.size >= WANTED_MAX) return;
      if (leases.keysOf(this.#origin, id) || this.#wanted.has(id)) continue;
      this.#wanted.set(id, []);
      this.#wake();
    }
  }

  /**
   * Asks for a lease and waits for the answer. Look again for everything afterwards: the event may be gone.
   *
   * @throws ConcordatError LEASE_UNAVAILABLE, or RELEASE_WITHHELD when the origin gives none
   */
  async obtain(id: EventId): Promise<void> {
    if (this.#closing.signal.aborted) throw this.#unavailable('a node that stops');
    const waiting = this.#wanted.get(id);
    if (!waiting && this.#wanted.size >= WANTED_MAX) {
      throw this.#unavailable(`${String(WANTED_MAX)} others that wait`);
    }
    const came = await new Promise<Came>((resolve) => {
      if (waiting) waiting.push(resolve);
      else this.#wanted.set(id, [resolve]);
      this.#wake();
    });
    if (came) throw came;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    this.#settle([...this.#wanted.keys()], () => this.#unavailable('a node that stops'));
  }

  #wake(): void {
    if (this.#running || this.#closing.signal.aborted) return;
    this.#running = this.#run().then(
      () => {
        this.#running = undefined;
      },
      (cause: unknown) => this.#onDeath(asConcordatError(cause)),
    );
  }

  async #run(): Promise<void> {
    // who reads in the same moment shares the request
    await turn();
    while (this.#wanted.size > 0 && !this.#closing.signal.aborted) await this.#askOnce();
  }

  async #askOnce(): Promise<void> {
    const ids = [...this.#wanted.keys()].slice(0, ASK_MAX);
    const { wanted, asked, gone } = this.#request(ids);
    // who waits for it looks for it again, and finds out why
    this.#settle(gone, () => undefined);
    if (wanted.length === 0) return;
    const sentAt = momentOf(this.#context.clock);
    try {
      const reply = await this.#reply(wanted);
      const without = applyKeys(this.#context, this.#origin, { wanted, sentAt }, reply);
      this.#settle(asked, (id) => this.#refusal(without.get(id)));
    } catch (cause) {
      if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
      const error = asConcordatError(cause);
      this.#context.warn(error.code, `leases from ${this.#origin}: ${error.message}`);
      this.#settle(asked, () => this.#unavailable(`${error.code} (${error.message})`, cause));
    }
  }

  /** The origin's answer, or a failure when it takes too long: a reader waits for it. */
  async #reply(wanted: readonly Wanted[]): ReturnType<AskForKeys> {
    const { clock } = this.#context;
    const answered = new AbortController();
    const late = new AbortController();
    clock.sleep(LEASE_WAIT_MS, answered.signal).then(
      () => late.abort(),
      () => undefined, // it was answered in time
    );
    const given = AbortSignal.any([this.#closing.signal, late.signal]);
    try {
      return await this.#ask(requestFor(wanted), given);
    } finally {
      answered.abort();
    }
  }

  /** Feed statements as received, with those of their releases that are these events'; what has no room comes next. */
  #request(ids: readonly EventId[]): Request {
    const { data, state } = this.#context;
    const buried = state.tombstones.buriedAmong(this.#origin, ids);
    const left = ids.filter((id) => !buried.has(id));
    const places = data.waiting.leasedPlaces(this.#origin, left);
    const found = new Set(places.map(({ id }) => id));
    const gone = ids.filter((id) => !found.has(id));
    const batches = new Map<number, { statement: Uint8Array; releases: Map<number, Release> }>();
    const asked: EventId[] = [];
    let bytes = 0;
    for (const { id, batch, place } of places) {
      const known = batches.get(batch);
      const statement = known?.statement ?? data.waiting.statementOf(batch);
      const release = statement && this.#releases.of(batch, statement)[place];
      if (!statement || release?.id !== id)
        throw new TypeError('an event does not stand in its feed statement');
      if (!known) bytes += statement.length;
      if (batches.size > 0 && bytes > ASK_BYTES_MAX) break;
      const one = known ?? { statement, releases: new Map<number, Release>() };
      one.releases.set(place, release);
      batches.set(batch, one);
      asked.push(id);
    }
    return { wanted: [...batches.values()], asked, gone };
  }

  #settle(ids: readonly EventId[], came: (id: EventId) => Came): void {
    for (const id of ids) {
      const waiting = this.#wanted.get(id) ?? [];
      this.#wanted.delete(id);
      if (waiting.length === 0) continue;
      const answer = came(id);
      for (const tell of waiting) tell(answer);
    }
  }

  #refusal(without: NoKey | undefined): Came {
    if (!without) return undefined;
    if (without.kind === 'refused') {
      const text = `${this.#origin} lends no key of it: ${without.reason}`;
      return new ConcordatError('RELEASE_WITHHELD', text);
    }
    return this.#unavailable(`"not now, in ${String(without.waitMs)} ms"`);
  }

  #unavailable(came: string, cause?: unknown): ConcordatError {
    return new ConcordatError(
      'LEASE_UNAVAILABLE',
      `expected ${this.#origin}'s node to lend the keys of this event, came ${came}: read it again when that node answers`,
      { cause },
    );
  }
}
