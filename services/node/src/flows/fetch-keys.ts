import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Release } from '@concordat/common/domain/records.js';
import { type KeyReply, type Wanted, applyKeys } from './apply-keys.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';

/** Releases and bytes of one request; below the origin's limits, so that the answer stays small too. */
const ASK_MAX = 1_024;
const ASK_BYTES_MAX = 4 * 1024 * 1024;
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
  #running: Promise<void> | undefined;
  #again = false;
  /** ends the rest until a key may be asked for again, when something else waits */
  #nap: AbortController | undefined;

  constructor(
    context: NodeContext,
    origin: MemberId,
    ports: { readonly ask: AskForKeys; readonly onDeath: (cause: Error) => void },
  ) {
    this.#context = context;
    this.#origin = origin;
    this.#ask = ports.ask;
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
      const request = wanted.map(({ statement, releases }) => ({
        statement,
        wanted: bitmap([...releases.keys()]),
      }));
      const reply = await this.#ask(request, signal);
      if (!signal.aborted) applyKeys(this.#context, this.#origin, wanted, reply);
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
    const nextMs = data.nextAskMs(this.#origin);
    if (nextMs === undefined || this.#again) return this.#again;
    this.#nap = new AbortController();
    const waitMs = Math.max(nextMs - clock.nowMs(), 1);
    await clock.sleep(waitMs, this.#nap.signal).catch(() => undefined);
    this.#nap = undefined;
    return true;
  }

  #wanted(): Wanted[] {
    const { data, state, clock } = this.#context;
    finishBurials(this.#context);
    const found = new Map<string, { statement: Uint8Array; releases: Map<number, Release> }>();
    let bytes = 0;
    for (const { id, place } of data.waiting(this.#origin, clock.nowMs(), ASK_MAX)) {
      if (state.tombstones.isBuried(this.#origin, id)) continue;
      const key = `${place.chain}/${String(place.epoch)}/${String(place.number)}`;
      let wanted = found.get(key);
      if (!wanted) {
        const statement = data.feedStatement(place);
        if (!statement) throw new TypeError('a waiting row without its feed statement');
        bytes += statement.length;
        if (found.size > 0 && bytes > ASK_BYTES_MAX) break;
        wanted = { statement, releases: new Map() };
        found.set(key, wanted);
      }
      const release = this.#releasesOf(wanted.statement)[place.index];
      if (!release) throw new TypeError('a waiting row that its feed statement does not name');
      wanted.releases.set(place.index, release);
    }
    return [...found.values()];
  }

  #decoded: { readonly statement: Uint8Array; readonly releases: readonly Release[] } | undefined;

  /** Rows come in the order of their statements, so the last one is remembered. */
  #releasesOf(statement: Uint8Array): readonly Release[] {
    if (this.#decoded?.statement === statement) return this.#decoded.releases;
    const { codec } = this.#context;
    const signed = codec.decode('Signed', statement);
    const feed = signed.ok ? codec.decode('FeedStatement', signed.value.payload) : signed;
    if (!feed.ok) throw feed.error;
    this.#decoded = { statement, releases: feed.value.releases };
    return feed.value.releases;
  }
}

/** Bit i, least significant first. */
function bitmap(indexes: readonly number[]): Uint8Array {
  const bits = new Uint8Array((Math.max(-1, ...indexes) >> 3) + 1);
  for (const index of indexes) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return bits;
}
