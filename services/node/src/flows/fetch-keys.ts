import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Release } from '@concordat/common/domain/records.js';
import { momentOf } from '../domain/moment.js';
import type { OpenBatch } from '../io/data/waiting-rows.js';
import { type KeyReply, type Wanted, applyKeys } from './apply-keys.js';
import type { NodeContext } from './context.js';
import type { FeedReleases } from './feed-releases.js';
import { finishBurials } from './finish-burials.js';

/** Releases and bytes of one request; below the origin's limits, so that the answer stays small too. */
export const ASK_MAX = 1_024;
export const ASK_BYTES_MAX = 4 * 1024 * 1024;
/** Open batches that are looked at together. */
const BATCHES_AT_ONCE = 16;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;

/** Asks an origin's node for keys; fails with a ConcordatError. */
export type AskForKeys = (
  wanted: readonly { readonly statement: Uint8Array; readonly wanted: Uint8Array }[],
  signal: AbortSignal,
) => Promise<KeyReply>;

/**
 * Fetches the keys of received events from their origin, feed statement by feed statement. Vault first, then the row
 * becomes readable; a tombstone that came meanwhile wins.
 */
export class KeyFetcher {
  readonly #context: NodeContext;
  readonly #origin: MemberId;
  readonly #ask: AskForKeys;
  readonly #onDeath: (cause: Error) => void;
  readonly #closing = new AbortController();
  readonly #releases: FeedReleases;
  #running: Promise<void> | undefined;
  #again = false;
  /** ends the rest until a key may be asked for again, when something else waits */
  #nap: AbortController | undefined;

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

  /** Fetches until nothing waits; call whenever something may. */
  wake(): void {
    this.#again = true;
    this.#nap?.abort();
    if (this.#running || this.#closing.signal.aborted) return;
    this.#running = this.#run().then(
      () => {
        this.#running = undefined;
        if (this.#again) this.wake();
      },
      (cause: unknown) => {
        this.#onDeath(asConcordatError(cause));
      },
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#nap?.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let retryMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      this.#again = false;
      const came = await this.#fetch();
      if (came === 'nothing to ask' && !(await this.#rest())) return;
      if (came !== 'failed') {
        retryMs = RETRY_MS_MIN;
        continue;
      }
      await this.#context.clock.sleep(retryMs, signal).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    }
  }

  async #fetch(): Promise<'answered' | 'nothing to ask' | 'failed'> {
    const { signal } = this.#closing;
    try {
      const wanted = this.#wanted();
      if (wanted.length === 0) return 'nothing to ask';
      const request = requestFor(wanted);
      const sentAt = momentOf(this.#context.clock);
      const reply = await this.#ask(request, signal);
      const onStored = (): void => this.#closeDone(wanted);
      if (!signal.aborted)
        applyKeys(this.#context, this.#origin, { wanted, sentAt, onStored }, reply);
      return 'answered';
    } catch (cause) {
      if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
      const error = asConcordatError(cause);
      if (!signal.aborted) {
        this.#context.warn(error.code, `keys from ${this.#origin}: ${error.message}`);
      }
      return 'failed';
    }
  }

  /** Waits until a key that was put off may be asked for, or until woken. @returns false when none was put off */
  async #rest(): Promise<boolean> {
    const { data, clock } = this.#context;
    const nextMs = data.waiting.nextAskMs(this.#origin);
    if (nextMs === undefined || this.#again) return this.#again;
    this.#nap = new AbortController();
    const waitMs = Math.max(nextMs - clock.nowMs(), 1);
    await clock.sleep(waitMs, this.#nap.signal).catch(() => undefined);
    this.#nap = undefined;
    return true;
  }

  #wanted(): DueBatch[] {
    const { data } = this.#context;
    finishBurials(this.#context);
    const wanted: DueBatch[] = [];
    let [count, bytes, last] = [0, 0, 0];
    while (count < ASK_MAX) {
      const open = data.waiting.openAfter(this.#origin, last, BATCHES_AT_ONCE);
      if (open.length === 0) return wanted;
      for (const one of open) {
        last = one.batch;
        const releases = this.#dueIn(one);
        if (releases.size === 0) continue;
        bytes += one.statement.length;
        count += releases.size;
        if (wanted.length > 0 && (bytes > ASK_BYTES_MAX || count > ASK_MAX)) return wanted;
        wanted.push({ ...one, releases });
      }
    }
    return wanted;
  }

  /** In the commit of their keys: a commit only to say that nothing of a batch waits any more would cost as much. */
  #closeDone(asked: readonly DueBatch[]): void {
    for (const { batch, statement } of asked)
      this.#waitingIn(batch, this.#releases.of(batch, statement));
  }

  /** Which releases of a batch may be asked for now; a batch in which nothing waits any more is closed. */
  #waitingIn(batch: number, releases: readonly Release[]): readonly number[] {
    const { data, clock } = this.#context;
    const ids = releases.map(({ id }) => id);
    const { due, putOff } = data.waiting.among(this.#origin, { batch, ids }, clock.nowMs());
    if (due.length === 0 && putOff === 0) {
      data.waiting.close(batch);
      this.#releases.forget(batch);
    }
    return due;
  }

  /** Releases of a batch whose keys may be asked for now, and that no tombstone covers. */
  #dueIn({ batch, statement }: OpenBatch): Map<number, Release> {
    const { state } = this.#context;
    const releases = this.#releases.of(batch, statement);
    const ids = releases.map(({ id }) => id);
    const due = this.#waitingIn(batch, releases);
    const buried = state.tombstones.buriedAmong(this.#origin, ids);
    const found = new Map<number, Release>();
    for (const at of due) {
      const release = releases[at];
      if (release && !buried.has(release.id)) found.set(at, release);
    }
    return found;
  }
}

/** A batch with releases whose keys are asked for. */
interface DueBatch extends Wanted {
  readonly batch: number;
}

/** As it travels: each statement with a bitmap of its releases. */
export function requestFor(wanted: readonly Wanted[]): Parameters<AskForKeys>[0] {
  return wanted.map(({ statement, releases }) => ({
    statement,
    wanted: bitmap([...releases.keys()]),
  }));
}

/** Bit i, least significant first. */
function bitmap(indexes: readonly number[]): Uint8Array {
  const bits = new Uint8Array((Math.max(-1, ...indexes) >> 3) + 1);
  for (const index of indexes) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return bits;
}
