import { type MemberId, uuidText } from '@concordat/common/domain/ids.js';
import { type Row, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { RowChange } from './row-watch.js';

/** `un/0190…`: an event's identity is the pair. */
export type EventKey = string;

export function keyOf(origin: string, id: string): EventKey {
  return `${origin}/${id}`;
}

export interface HeldRow {
  readonly state: string;
  readonly deleteByMs: number | undefined;
}

/** What is purged at a node, as far as its own stores say so. */
export interface Burial {
  /** the first order that took it back; undefined: its retention was over */
  readonly orderId: string | undefined;
  /** the step of the commit */
  readonly step: number;
}

/** What the stores of one node hold now, kept beside them commit by commit. */
export class Holdings {
  readonly member: MemberId;
  /** names of the sections whose keys are held */
  readonly keys = new Map<EventKey, readonly string[]>();
  readonly rows = new Map<EventKey, HeldRow>();
  readonly buried = new Map<EventKey, Burial>();
  /** sections that were taken back, since which step */
  readonly narrowed = new Map<EventKey, Map<string, Burial>>();
  /** under legal hold */
  readonly held = new Set<EventKey>();
  /** copy systems that have not said yet that it is gone there */
  readonly owed = new Map<EventKey, Set<string>>();
  /** number of the newest purge entry that is applied, by origin */
  readonly applied = new Map<string, number>();
  /** members that leave, since which step */
  readonly leaving = new Map<string, number>();

  constructor(member: MemberId) {
    this.member = member;
  }

  /** Another file may stand there: it is told anew, row by row. */
  forget(store: string): void {
    if (store.endsWith('vault.db')) this.keys.clear();
    if (store.endsWith('data.db')) this.rows.clear();
    if (!store.endsWith('state.db')) return;
    for (const all of [this.buried, this.narrowed, this.held, this.owed, this.applied]) all.clear();
    this.leaving.clear();
  }

  take({ table, verb, row }: RowChange, step: number): void {
    const isSet = verb === 'set';
    if (table === 'event_key') this.#takeKey(row, isSet);
    else if (table === 'event') this.#takeRow(row, isSet);
    else if (table === 'tombstone') this.#takeTombstone(row, isSet, step);
    else if (table === 'section_tombstone') this.#takeNarrow(row, isSet, step);
    else if (table === 'legal_hold') this.#takeHold(row, isSet);
    else if (table === 'owed') this.#takeOwed(row, isSet);
    else if (table === 'followed') this.#takeApplied(row);
    else if (table === 'membership') {
      const member = textOf(row, 'member');
      this.leaving.set(member, this.leaving.get(member) ?? step);
    }
  }

  #takeKey(row: Row, isSet: boolean): void {
    if (isSet) this.keys.set(eventIn(row), textOf(row, 'sections').split(' '));
    else this.keys.delete(eventIn(row));
  }

  #takeRow(row: Row, isSet: boolean): void {
    if (!isSet) this.rows.delete(eventIn(row));
    else this.rows.set(eventIn(row), { state: textOf(row, 'state'), deleteByMs: termIn(row) });
  }

  #takeTombstone(row: Row, isSet: boolean, step: number): void {
    const event = eventIn(row);
    if (!isSet) this.buried.delete(event);
    else this.buried.set(event, { step: this.buried.get(event)?.step ?? step, ...orderIn(row) });
  }

  #takeNarrow(row: Row, isSet: boolean, step: number): void {
    const sections = this.narrowed.get(eventIn(row)) ?? new Map<string, Burial>();
    this.narrowed.set(eventIn(row), sections);
    const name = textOf(row, 'section');
    if (!isSet) sections.delete(name);
    else sections.set(name, { step: sections.get(name)?.step ?? step, ...orderIn(row) });
  }

  #takeHold(row: Row, isSet: boolean): void {
    if (isSet && row['released_at_ms'] === null) this.held.add(eventIn(row));
    else this.held.delete(eventIn(row));
  }

  #takeOwed(row: Row, isSet: boolean): void {
    const systems = this.owed.get(eventIn(row)) ?? new Set();
    if (isSet) systems.add(textOf(row, 'system'));
    else systems.delete(textOf(row, 'system'));
    if (systems.size > 0) this.owed.set(eventIn(row), systems);
    else this.owed.delete(eventIn(row));
  }

  #takeApplied(row: Row): void {
    const [kind, origin] = textOf(row, 'chain').split('.');
    if (kind === 'purge' && origin !== undefined) this.applied.set(origin, numberOf(row, 'number'));
  }
}

export function eventIn(row: Row): EventKey {
  return keyOf(textOf(row, 'origin'), uuidText(bytesOf(row, 'id')));
}

function orderIn(row: Row): Pick<Burial, 'orderId'> {
  const id = row['order_id'];
  return { orderId: id instanceof Uint8Array ? uuidText(id) : undefined };
}

/** Terms stand as eight bytes that sort as they count. */
function termIn(row: Row): number | undefined {
  const bytes = row['delete_by'];
  if (!(bytes instanceof Uint8Array)) return undefined;
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readBigUInt64BE());
}
