import type { EventId, MemberId, OrderId, UnixMs } from '@concordat/common/domain/ids.js';
import type { Release } from '@concordat/common/domain/records.js';
import {
  type KeyRecord,
  type SealedCover,
  checkKeys,
  checkSealed,
  checkShredded,
  readKeyRecord,
} from '../domain/check-key-answer.js';
import type { Moment } from '../domain/moment.js';
import { KEYS_CAME } from '../domain/purge/order-of-commits.js';
import { type AskedRow, wantsKeys } from '../domain/purge/take-in.js';
import type { VaultRow } from '../io/vault.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';
import { burySections } from './finish-sections.js';
import { type SectionKeys, wipe } from './leases/leased-keys.js';
import { announce } from './notices.js';

/** Shortest and longest pause before a key is asked for again, whatever the origin says. */
export const LATER_MS_MIN = 100;
export const LATER_MS_MAX = 60_000;
/** For a release that the origin left without an answer. */
const UNANSWERED_MS = 2_000;

export type KeyItem =
  | {
      readonly kind: 'released';
      readonly keys: ReadonlyMap<string, Uint8Array>;
      /** places in `KeyReply.records` */
      readonly records: readonly number[];
      /** of narrower covers, which take the sections without a key */
      readonly seals: readonly Uint8Array[];
    }
  | { readonly kind: 'shredded'; readonly seal: Uint8Array }
  | { readonly kind: 'withdrawn'; readonly reason: string; readonly seals: readonly Uint8Array[] }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly waitMs: number };

export interface KeyReply {
  readonly answers: readonly {
    readonly statement: number;
    readonly release: number;
    readonly item: KeyItem;
  }[];
  readonly records: readonly Uint8Array[];
}

/** A feed statement as received, and those of its releases whose keys are asked for, by their place in it. */
export interface Wanted {
  readonly statement: Uint8Array;
  readonly releases: ReadonlyMap<number, Release>;
}

interface Named {
  readonly id: EventId;
  readonly category: string;
}

interface Judged {
  readonly rows: VaultRow[];
  readonly readable: Named[];
  /** keys that are never stored */
  readonly leased: (Named & { readonly keys: SectionKeys })[];
  readonly records: Set<KeyRecord>;
  readonly refused: { readonly id: EventId; readonly reason: string }[];
  readonly shredded: { readonly id: EventId; readonly orderId: OrderId }[];
  /** narrower covers that seals in the answer prove */
  readonly covers: (SealedCover & { readonly id: EventId })[];
  readonly later: { readonly id: EventId; readonly waitMs: number }[];
}

export interface AskedKeys {
  readonly wanted: readonly Wanted[];
  /** before the request left: what it leases counts from there */
  readonly sentAt: Moment;
  /** runs in the commit that makes rows readable */
  readonly onStored?: () => void;
}

/** Why of an event that was asked for no key came. */
export type NoKey =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly waitMs: number };

/**
 * Stores what an origin answered: tombstones of what it sealed, then keys, then the rows become readable. Keys on lease
 * go to memory only. What it did not answer, or not for now, is asked again later and holds up nothing else.
 */
export function applyKeys(
  context: NodeContext,
  origin: MemberId,
  asked: AskedKeys,
  reply: KeyReply,
): ReadonlyMap<EventId, NoKey> {
  try {
    return apply(context, origin, asked, reply);
  } finally {
    wipeLeased(asked.wanted, reply);
  }
}

function apply(
  context: NodeContext,
  origin: MemberId,
  { wanted, sentAt, onStored }: AskedKeys,
  reply: KeyReply,
): ReadonlyMap<EventId, NoKey> {
  const still = stillWanted(context, origin, wanted);
  const judged = judge(context, origin, { wanted, still }, reply);
  const begun = judged.leased.filter(({ id }) => !still.onLease.has(id));
  const nowMs = context.clock.nowMs();
  const came: Came = { origin, judged, begun, still, nowMs, sentAt, onStored };
  for (const step of KEYS_CAME) KEEP[step](context, came);
  return new Map<EventId, NoKey>([
    ...judged.refused.map(({ id, reason }) => [id, { kind: 'refused', reason }] as const),
    ...judged.later.map(({ id, waitMs }) => [id, { kind: 'later', waitMs }] as const),
  ]);
}

/** An answer that was judged, on its way into the stores. */
interface Came extends Pick<AskedKeys, 'sentAt'> {
  readonly origin: MemberId;
  readonly judged: Judged;
  /** leased now, and not before */
  readonly begun: readonly Named[];
  readonly still: StillWanted;
  readonly nowMs: UnixMs;
  readonly onStored: AskedKeys['onStored'] | undefined;
}

const KEEP: Readonly<
  Record<(typeof KEYS_CAME)[number], (context: NodeContext, came: Came) => void>
> = {
  tombstones(context, { origin, judged, nowMs }) {
    const { state } = context;
    state.db.transaction(() => {
      for (const { id, orderId } of judged.shredded) {
        state.tombstones.bury([{ origin, id }], { orderId, atMs: nowMs });
      }
      for (const { id, orderId, sections } of judged.covers) {
        if (sections.length > 0) burySections(context, origin, [id], { orderId, sections });
        else state.tombstones.bury([{ origin, id }], { orderId, atMs: nowMs });
      }
    });
  },
  keys({ vault }, { judged }) {
    vault.put(judged.rows);
  },
  // before the rows: after a crash in between, the next start makes them readable, and finds them announced
  notices({ state }, { origin, judged, begun }) {
    state.db.transaction(() => announce(state, origin, [...judged.readable, ...begun]));
  },
  rows({ data }, came) {
    data.db.transaction(() => setRows(data, came));
  },
  leases({ leases, data, notices }, { origin, judged, sentAt }) {
    leases.end(judged.refused.map(({ id }) => ({ origin, id })));
    for (const { id, keys } of judged.leased) leases.grant({ origin, id }, keys, sentAt);
    if (judged.leased.length > 0) data.chains.count('keys.leased', judged.leased.length);
    notices.wake();
  },
  deletion: finishBurials,
};

function setRows(data: NodeContext['data'], came: Came): void {
  const { origin, judged, begun, still, nowMs, onStored } = came;
  for (const { statement, bytes } of judged.records) {
    data.keepKeyRecord(origin, statement.value.epoch, statement.value.number, bytes);
  }
  data.setReadable(
    origin,
    judged.readable.map(({ id }) => id),
  );
  data.setReadable(
    origin,
    begun.map(({ id }) => id),
    'leased',
  );
  for (const { id, reason } of judged.refused) {
    // of a leased event the row stays: it was given once, so an entry purges it, or a rule lets it be read again
    data.setRefused(origin, id, reason);
    data.chains.count(`keys.refused.${reason}`);
  }
  for (const { id, waitMs } of judged.later) {
    if (!still.onLease.has(id)) data.waiting.putOff(origin, id, nowMs + waitMs);
  }
  if (judged.later.length > 0) data.chains.count('keys.later', judged.later.length);
  if (judged.shredded.length > 0) data.chains.count('keys.shredded', judged.shredded.length);
  onStored?.();
}

/** Leases have copies of their own; what the answer itself holds must not stay. */
function wipeLeased(wanted: readonly Wanted[], { answers }: KeyReply): void {
  for (const { statement, release, item } of answers) {
    const asked = wanted[statement]?.releases.get(release);
    if (item.kind === 'released' && asked?.custody !== 'held') wipe(item.keys);
  }
}

function judge(
  context: NodeContext,
  origin: MemberId,
  { wanted, still }: { readonly wanted: readonly Wanted[]; readonly still: StillWanted },
  reply: KeyReply,
): Judged {
  const { codec, keys, self, warn } = context;
  const records = reply.records.map((bytes) => {
    const record = readKeyRecord(codec, keys, bytes, { origin, self });
    if (!record.ok) warn(record.error.code, `keys from ${origin}: ${record.error.message}`);
    return record.ok ? record.value : undefined;
  });
  const judged: Judged = {
    ...{
      rows: [],
      readable: [],
      leased: [],
      records: new Set(),
      refused: [],
      shredded: [],
      later: [],
      covers: [],
    },
  };
  const open = wanted.map(({ releases }) => new Map(releases));
  const ids = wanted.flatMap(({ releases }) => [...releases.values()].map(({ id }) => id));
  // a purge entry may have come while the origin was asked
  const taken = context.state.sections.among(origin, ids);
  for (const { statement, release: index, item } of reply.answers) {
    const release = open[statement]?.get(index);
    if (!release) continue;
    open[statement]?.delete(index);
    if (!still.waiting.has(release.id) && !still.onLease.has(release.id)) continue;
    const before = taken.get(release.id) ?? NONE;
    judgeItem(context, { origin, release, item, records, before }, judged);
  }
  const unanswered = open.flatMap((releases) => [...releases.values()]);
  judged.later.push(...unanswered.map(({ id }) => ({ id, waitMs: UNANSWERED_MS })));
  return judged;
}

interface Answered {
  readonly origin: MemberId;
  readonly release: Release;
  readonly item: KeyItem;
  readonly records: readonly (KeyRecord | undefined)[];
  /** sections that are taken back already */
  readonly before: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

function judgeItem(context: NodeContext, answered: Answered, judged: Judged): void {
  const { codec, keys, self, warn } = context;
  const { origin, release, item, before } = answered;
  const { id } = release;
  switch (item.kind) {
    case 'later': {
      const waitMs = Math.min(Math.max(item.waitMs, LATER_MS_MIN), LATER_MS_MAX);
      judged.later.push({ id, waitMs });
      return;
    }
    case 'withdrawn':
      if (takeSeals(context, answered, item.seals, judged) === 'all') return;
      judged.refused.push({ id, reason: asReason(item.reason) });
      return;
    case 'refused':
      judged.refused.push({ id, reason: asReason(item.reason) });
      return;
    case 'shredded': {
      const orderId = checkShredded(codec, keys, item.seal, { origin, self, release });
      if (orderId.ok) {
        judged.shredded.push({ id, orderId: orderId.value });
        return;
      }
      warn(orderId.error.code, `keys from ${origin}: ${orderId.error.message}`);
      judged.refused.push({ id, reason: orderId.error.code });
      return;
    }
    case 'released': {
      const header = context.recent.get(origin, id)?.header;
      if (!header) return;
      const named = item.records.flatMap((at) => answered.records[at] ?? []);
      takeSeals(context, answered, item.seals, judged);
      const taken = takenIn(judged, id);
      const held = new Map([...item.keys].filter(([name]) => !before.has(name)));
      const sections = release.sections.filter((name) => !taken.has(name) && !before.has(name));
      const check = checkKeys({ header, release: { ...release, sections } }, held, named);
      if (!check.ok) {
        warn(check.error.code, `keys from ${origin}: ${check.error.message}`);
        judged.refused.push({ id, reason: check.error.code });
        return;
      }
      if (sections.length === 0) return;
      const { category } = header;
      if (release.custody === 'leased') judged.leased.push({ id, category, keys: held });
      else {
        judged.rows.push({ origin, id, deleteByMs: release.deleteByMs, keys: held });
        judged.readable.push({ id, category });
      }
      for (const record of named) judged.records.add(record);
      return;
    }
  }
}

/**
 * Keeps what the seals of narrower covers prove; one that proves nothing is named and passed by.
 *
 * @returns `all` when they take every section of the release
 */
function takeSeals(
  { codec, keys, self, warn }: NodeContext,
  { origin, release }: Answered,
  seals: readonly Uint8Array[],
  judged: Judged,
): 'all' | 'some' {
  for (const bytes of seals) {
    const sealed = checkSealed(codec, keys, bytes, { origin, self, release });
    if (sealed.ok) judged.covers.push({ id: release.id, ...sealed.value });
    else warn(sealed.error.code, `keys from ${origin}: ${sealed.error.message}`);
  }
  const own = judged.covers.filter(({ id }) => id === release.id);
  if (own.some(({ sections }) => sections.length === 0)) return 'all';
  const taken = takenIn(judged, release.id);
  return release.sections.every((name) => taken.has(name)) ? 'all' : 'some';
}

function takenIn({ covers }: Judged, id: EventId): Set<string> {
  return new Set(covers.flatMap((cover) => (cover.id === id ? cover.sections : [])));
}

/** A reason is a word of the origin's, kept and counted: nothing but a code may become one. */
function asReason(text: string): string {
  return /^[A-Z][A-Z_]{0,39}$/.test(text) ? text : 'UNNAMED';
}

/** Events whose keys are still wanted: no tombstone covers them. */
interface StillWanted {
  readonly waiting: ReadonlySet<EventId>;
  /** their keys were leased before, and may be again */
  readonly onLease: ReadonlySet<EventId>;
}

function stillWanted(
  { data, state }: NodeContext,
  origin: MemberId,
  wanted: readonly Wanted[],
): StillWanted {
  const releases = wanted.flatMap((one) => [...one.releases.values()]);
  const ids = releases.map(({ id }) => id);
  const buried = state.tombstones.buriedAmong(origin, ids);
  const still = (row: AskedRow, among: ReadonlySet<EventId>): Set<EventId> =>
    new Set([...among].filter((id) => wantsKeys({ isBuried: buried.has(id), row })));
  const lends = releases.some(({ custody }) => custody === 'leased');
  return {
    waiting: still('waiting', data.waitingAmong(origin, ids)),
    onLease: still('leased', lends ? data.leasedAmong(origin, ids) : new Set()),
  };
}
