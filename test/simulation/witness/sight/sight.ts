import { type MemberId, uuidText } from '@concordat/common/domain/ids.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { type Sqlite, bytesOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { Scene } from '../scene.js';
import type { Place, Witness } from '../witness.js';
import { type EventKey, Holdings, keyOf } from './holdings.js';
import { type Entered, Papers, type Published, type Sealed } from './papers.js';
import { type RowChange, RowWatch } from './row-watch.js';

/** What one commit brought. */
export interface Commit {
  readonly place: Place;
  readonly changes: readonly RowChange[];
  /** a store that was opened just now: its rows are told as if they came with this commit */
  readonly isOpening: boolean;
  readonly seals: readonly Sealed[];
  readonly entries: readonly Entered[];
}

const NOTHING = { changes: [], isOpening: false, seals: [], entries: [] } as const;

/**
 * The memory that all witnesses share: what every node holds, and what was signed. First in the list of witnesses, so that
 * the others find it up to date.
 */
export class Sight implements Witness {
  readonly name = 'sight';
  readonly papers: Papers;
  /** the present commit */
  commit: Commit = { ...NOTHING, place: { member: '' as MemberId, process: 'node' } };
  /** events whose keys an origin lost: nobody can be given them any more */
  readonly lostAtOrigin = new Set<EventKey>();
  readonly #scene: Scene;
  readonly #holdings = new Map<string, Holdings>();
  readonly #watches = new WeakMap<Sqlite, RowWatch | 'none'>();
  readonly #superseded = new Set<EventKey>();
  readonly #listeners: ((published: Published) => void)[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
    this.papers = new Papers(scene.codec, scene.keys);
  }

  at(member: MemberId): Holdings {
    const known = this.#holdings.get(member);
    if (known) return known;
    const made = new Holdings(member);
    this.#holdings.set(member, made);
    return made;
  }

  get nodes(): readonly Holdings[] {
    return [...this.#holdings.values()];
  }

  /** Is something newer of the same origin there that replaces it? */
  isSuperseded(event: EventKey): boolean {
    return this.#superseded.has(event);
  }

  /** Calls this for every event that is published from now on. */
  onPublished(listen: (published: Published) => void): void {
    this.#listeners.push(listen);
  }

  committed(place: Place, store: Sqlite): void {
    let watch = this.#watches.get(store);
    const isOpening = watch === undefined;
    if (watch === undefined) {
      watch = RowWatch.of(store) ?? 'none';
      this.#watches.set(store, watch);
    }
    if (watch === 'none') {
      this.commit = { ...NOTHING, place };
      return;
    }
    const changes = isOpening ? watch.all() : watch.changes();
    if (place.process === 'node') this.#note(place.member, store.file, changes, isOpening);
    this.commit = { place, changes, isOpening, ...this.#sign(place.member, changes) };
  }

  appended(record: LogRecord): void {
    if (!record.topic.startsWith('events.')) return;
    for (const one of this.papers.addBlock(record.value, this.#scene.nowMs())) {
      for (const listen of this.#listeners) listen(one);
    }
  }

  #note(member: MemberId, file: string, changes: readonly RowChange[], isOpening: boolean): void {
    const holdings = this.at(member);
    const before = isOpening ? [...holdings.keys.keys()] : [];
    if (isOpening) holdings.forget(file);
    const step = this.#scene.step();
    for (const change of changes) {
      if (change.table === 'own_event') this.#noteOwn(member, change);
      else holdings.take(change, step);
    }
    if (!isOpening || !file.endsWith('vault.db')) return;
    const own = before.filter((event) => event.startsWith(`${member}/`));
    for (const event of own) if (!holdings.keys.has(event)) this.lostAtOrigin.add(event);
  }

  #noteOwn(origin: MemberId, { row }: RowChange): void {
    const id = row['supersedes'];
    if (id instanceof Uint8Array) this.#superseded.add(keyOf(origin, uuidText(id)));
  }

  #sign(member: MemberId, changes: readonly RowChange[]): Pick<Commit, 'seals' | 'entries'> {
    const now = { step: this.#scene.step(), atMs: this.#scene.nowMs() };
    const seals: Sealed[] = [];
    const entries: Entered[] = [];
    for (const { table, verb, row } of changes) {
      if (verb !== 'set') continue;
      if (table === 'seal') {
        const sealed = this.papers.addSeal(member, bytesOf(row, 'seal_record'), now);
        if (sealed) seals.push(sealed);
      }
      if (table === 'purge_entry') {
        const entered = this.papers.addEntry(member, bytesOf(row, 'bytes'), now);
        if (entered) entries.push(entered);
      }
    }
    return { seals, entries };
  }
}

/** Values of the chain of receipts that a commit of a node wrote. */
export function receiptsIn({ changes }: Pick<Commit, 'changes'>): Uint8Array[] {
  return changes
    .filter(({ table, row }) => table === 'kept' && textOf(row, 'topic').startsWith('receipts.'))
    .map(({ row }) => bytesOf(row, 'value'));
}
