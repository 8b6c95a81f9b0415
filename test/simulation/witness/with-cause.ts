import type { MemberId } from '@concordat/common/domain/ids.js';
import type { SealRecord } from '@concordat/common/domain/records.js';
import { textOf } from '@concordat/common/io/store/sqlite.js';
import { type Scene, violate } from './scene.js';
import { type EventKey, eventIn, keyOf } from './sight/holdings.js';
import { takes } from './sight/papers.js';
import type { RowChange } from './sight/row-watch.js';
import type { Sight } from './sight/sight.js';
import type { Place, Witness } from './witness.js';

/**
 * S3: nothing is purged but by a seal or an entry of its own origin that covers it, or at the end of its term; and nothing is
 * sealed but what an officer ordered or what is a fact. S11: nothing is deleted that is not purged.
 */
export class WithCause implements Witness {
  readonly name = 'every purge has its cause';
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #serving = new Set<MemberId>();

  constructor(scene: Scene, sight: Sight) {
    this.#scene = scene;
    this.#sight = sight;
  }

  started({ member, process }: Place): void {
    if (process === 'node') this.#serving.add(member);
  }

  died({ member, process }: Place): void {
    if (process === 'node') this.#serving.delete(member);
  }

  committed({ member, process }: Place): void {
    if (process !== 'node' || this.#sight.commit.isOpening) return;
    const { changes, seals } = this.#sight.commit;
    for (const { record } of seals) this.#demandOrdered(member, record);
    for (const change of changes) {
      if (change.verb === 'deleted') this.#demandPurged(member, change);
      else if (change.table.endsWith('tombstone')) this.#demandCause(member, change);
    }
  }

  #demandCause(member: MemberId, { table, row }: RowChange): void {
    const event = eventIn(row);
    const { buried, narrowed, rows } = this.#sight.at(member);
    const section = table === 'tombstone' ? undefined : textOf(row, 'section');
    const burial = section === undefined ? buried.get(event) : narrowed.get(event)?.get(section);
    if (!burial) return;
    if (burial.orderId === undefined) {
      const endMs =
        rows.get(event)?.deleteByMs ??
        this.#sight.papers.published.get(event)?.header.retainUntilMs ??
        0;
      if (endMs <= this.#scene.nowMs() + this.#scene.skewOf(member)) return;
      violate(this.#scene, 'S3', member, `ends ${event} before its term`);
      return;
    }
    if (this.#isCovered(event, member, burial.orderId, section)) return;
    const what = section === undefined ? event : `${section} of ${event}`;
    violate(
      this.#scene,
      'S3',
      member,
      `purges ${what} for ${burial.orderId}, which covers no such`,
    );
  }

  #isCovered(event: EventKey, member: MemberId, orderId: string, section?: string): boolean {
    const cover = { recipient: member, section: section ?? WHOLE };
    const isSealed = (this.#sight.papers.sealsOf.get(event) ?? []).some(
      ({ record }) => record.orderId === orderId && takes(record, cover),
    );
    const isEntered = (this.#sight.papers.entriesOf.get(event) ?? []).some(
      ({ entry }) =>
        entry.orderId === orderId &&
        entry.recipient === member &&
        (entry.sections.length === 0 ||
          (section !== undefined && entry.sections.includes(section))),
    );
    return isSealed || isEntered;
  }

  #demandPurged(member: MemberId, { table, row }: RowChange): void {
    if ((table !== 'event' && table !== 'event_key') || !this.#serving.has(member)) return;
    const event = eventIn(row);
    const { buried, narrowed } = this.#sight.at(member);
    if (buried.has(event) || narrowed.has(event)) return;
    const what = table === 'event' ? 'the row' : 'keys';
    violate(this.#scene, 'S11', member, `deletes ${what} of ${event}, which nobody took back`);
  }

  #demandOrdered(origin: MemberId, record: SealRecord): void {
    const order = this.#scene.orderOf(record.orderId);
    if (!order) {
      for (const id of record.ids) this.#demandFact(origin, record, keyOf(origin, id));
      return;
    }
    const isOrders =
      order.origin === origin &&
      record.ids.every((id) => order.ids.includes(id)) &&
      sameNames(record.recipients, order.recipients) &&
      sameNames(record.sections, order.sections);
    if (!isOrders) {
      violate(this.#scene, 'S3', origin, `seals more than order ${record.orderId} takes`);
    }
  }

  /** A rule's order rests on what is so: a term is over, something newer is there, its parent went, a rule or a member left. */
  #demandFact(origin: MemberId, record: SealRecord, event: EventKey): void {
    const { published } = this.#sight.papers;
    const known = published.get(event);
    const nowMs = this.#scene.nowMs() + Math.max(this.#scene.skewOf(origin), 0);
    const isNarrow = record.recipients.length > 0; // scope, or a member that leaves: looked at by the model of the truth
    const isOver = known !== undefined && known.header.retainUntilMs <= nowMs;
    const isReplaced = this.#sight.isSuperseded(event);
    const isOrphan =
      known?.parents.some((parent) => this.#sight.papers.sealsOf.has(parent)) ?? false;
    if (isNarrow || isOver || isReplaced || isOrphan) return;
    violate(this.#scene, 'S3', origin, `seals ${event} for ${record.orderId}: nobody ordered that`);
  }
}

/** No section has this name. */
const WHOLE = '';

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
