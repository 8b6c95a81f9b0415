import { asConcordatError } from '@concordat/common/domain/errors.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Header, Release } from '@concordat/common/domain/records.js';
import {
  type KeyRecord,
  checkKeys,
  checkShredded,
  readKeyRecord,
} from '../domain/check-key-answer.js';
import type { VaultRow } from '../io/vault.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';

/** Releases asked for in one request; below the origin's limit so that an answer stays small. */
const ASK_MAX = 1_024;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;

export type KeyItem =
  | {
      readonly kind: 'released';
      readonly keys: ReadonlyMap<string, Uint8Array>;
      readonly records: readonly number[];
    }
  | { readonly kind: 'shredded'; readonly seal: Uint8Array }
  | { readonly kind: 'withdrawn' | 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly waitMs: number };

export interface KeyReply {
  readonly answers: readonly {
    readonly statement: number;
    readonly release: number;
    readonly item: KeyItem;
  }[];
  readonly records: readonly Uint8Array[];
}

/** Asks an origin's node for keys; fails with a ConcordatError. */
export type AskForKeys = (
  wanted: readonly { readonly statement: Uint8Array; readonly wanted: Uint8Array }[],
) => Promise<KeyReply>;

interface Wanted {
  readonly statement: Uint8Array;
  readonly releases: readonly Release[];
  readonly bitmap: Uint8Array;
}

/**
 * Fetches the keys of received events from their origin, feed statement by feed statement. Vault first, then the row
 * becomes readable; a tombstone that came meanwhile wins.
 */
export class KeyFetcher {
  readonly #context: NodeContext;
  readonly #origin: MemberId;
  readonly #ask: AskForKeys;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;

  constructor(context: NodeContext, origin: MemberId, ask: AskForKeys) {
    this.#context = context;
    this.#origin = origin;
    this.#ask = ask;
  }

  /** Fetches until nothing waits; call whenever something may. */
  wake(): void {
    this.#again = true;
    if (this.#running || this.#closing.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.wake();
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#again = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, data, warn } = this.#context;
    const { signal } = this.#closing;
    let pauseMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      this.#again = false;
      const wanted = this.#wanted();
      if (wanted.length === 0) return;
      let waitMs = 0;
      try {
        const reply = await this.#ask(
          wanted.map(({ statement, bitmap }) => ({ statement, wanted: bitmap })),
        );
        waitMs = this.#apply(wanted, reply);
        pauseMs = RETRY_MS_MIN;
      } catch (cause) {
        const error = asConcordatError(cause);
        data.chains.count('keys.failed');
        warn(error.code, `keys from ${this.#origin}: ${error.message}`);
        waitMs = pauseMs;
        pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX);
      }
      if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  #wanted(): Wanted[] {
    const { data, codec } = this.#context;
    const found = new Map<string, { statement: Uint8Array; indexes: number[] }>();
    for (const { place } of data.waiting(this.#origin, ASK_MAX)) {
      const key = `${place.chain}/${String(place.epoch)}/${String(place.number)}`;
      const known = found.get(key);
      if (known) {
        known.indexes.push(place.index);
        continue;
      }
      const statement = data.feedStatement(place);
      if (!statement) throw new TypeError('a waiting row without its feed statement');
      found.set(key, { statement, indexes: [place.index] });
    }
    return [...found.values()].map(({ statement, indexes }): Wanted => {
      const signed = codec.decode('Signed', statement);
      const feed = signed.ok ? codec.decode('FeedStatement', signed.value.payload) : signed;
      if (!feed.ok) throw feed.error;
      const { releases } = feed.value;
      const bitmap = new Uint8Array(Math.ceil(releases.length / 8));
      for (const index of indexes) {
        bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
      }
      return { statement, releases, bitmap };
    });
  }

  /** @returns how long to wait before asking again, in milliseconds */
  #apply(wanted: readonly Wanted[], reply: KeyReply): number {
    const { codec, keys, self, vault, data, state, warn } = this.#context;
    const origin = this.#origin;
    const records: (KeyRecord | undefined)[] = reply.records.map((bytes) => {
      const record = readKeyRecord(codec, keys, bytes, { origin, self });
      if (!record.ok) warn(record.error.code, `keys from ${origin}: ${record.error.message}`);
      return record.ok ? record.value : undefined;
    });
    const rows: VaultRow[] = [];
    const readable: { readonly id: EventId; readonly category: string }[] = [];
    let waitMs = 0;
    let settled = 0;
    for (const { statement, release: index, item } of reply.answers) {
      const release = wanted[statement]?.releases[index];
      if (!release) continue;
      const row = data.find(origin, release.id);
      if (row?.state !== 'waiting' || state.isBuried(origin, release.id)) continue;
      switch (item.kind) {
        case 'later':
          waitMs = Math.max(waitMs, item.waitMs, RETRY_MS_MIN);
          break;
        case 'withdrawn':
        case 'refused':
          this.#refuse(release.id, item.reason);
          settled += 1;
          break;
        case 'shredded':
          this.#bury(release, item.seal);
          settled += 1;
          break;
        case 'released': {
          const header = this.#headerOf(row.header);
          const named = item.records.flatMap((at) => records[at] ?? []);
          const check = checkKeys({ header, release }, item.keys, named);
          if (!check.ok) {
            warn(check.error.code, `keys from ${origin}: ${check.error.message}`);
            this.#refuse(release.id, check.error.code);
          } else {
            rows.push({ origin, id: release.id, deleteByMs: release.deleteByMs, keys: item.keys });
            readable.push({ id: release.id, category: header.category });
          }
          settled += 1;
          break;
        }
      }
    }
    vault.put(rows);
    data.db.transaction(() => {
      for (const record of records) {
        if (!record) continue;
        const { epoch, number } = record.statement.value;
        data.keepKeyRecord(origin, epoch, number, record.bytes);
      }
      for (const { id } of readable) data.setState(origin, id, 'readable');
    });
    for (const { id, category } of readable) {
      this.#context.notices.tell({ kind: 'READABLE', origin, id, category });
    }
    return settled === 0 ? Math.max(waitMs, RETRY_MS_MIN) : waitMs;
  }

  #headerOf(bytes: Uint8Array): Header {
    const header = parseHeader(this.#context.codec, bytes);
    if (!header.ok) throw header.error;
    return header.value;
  }

  #refuse(id: EventId, reason: string): void {
    this.#context.data.setState(this.#origin, id, 'refused', reason);
    this.#context.data.chains.count(`keys.refused.${reason}`);
  }

  /** The event was sealed before its key was asked for: no row, a tombstone, and no receipt, for nothing was held. */
  #bury(release: Release, seal: Uint8Array): void {
    const { codec, keys, state, clock, data, warn } = this.#context;
    const origin = this.#origin;
    const orderId = checkShredded(codec, keys, seal, { origin, release });
    if (!orderId.ok) {
      warn(orderId.error.code, `keys from ${origin}: ${orderId.error.message}`);
      this.#refuse(release.id, orderId.error.code);
      return;
    }
    state.db.transaction(() => {
      state.bury([{ origin, id: release.id }], { orderId: orderId.value, atMs: clock.nowMs() });
    });
    data.chains.count('keys.shredded');
    finishBurials(this.#context);
  }
}
