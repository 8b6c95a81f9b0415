import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { AnsweredCall } from '../world/connections.js';
import { type Scene, violate } from './scene.js';
import { keyOf } from './sight/holdings.js';
import type { Sight } from './sight/sight.js';
import type { Place, Witness } from './witness.js';

const FRESH_MS = 4 * 3_600_000;
const LEASE_MS = 5 * 60_000;

/** What somebody was told in one life of a node. */
interface Told {
  readonly atMs: number;
  readonly what: number;
}

/**
 * S5: another member's event is read only when its origin has said in the last four hours, to this life of the node, up to
 * where its purges go, and all of these are applied. S6: what is only lent, within five minutes of a loan.
 */
export class ReadsCurrent implements Witness {
  readonly name = 'readings are current';
  readonly #scene: Scene;
  readonly #sight: Sight;
  /** by reader and origin: newest head numbers */
  readonly #heads = new Map<string, Told[]>();
  /** by reader and event: newest loan */
  readonly #loans = new Map<string, number>();

  constructor(scene: Scene, sight: Sight) {
    this.#scene = scene;
    this.#sight = sight;
  }

  died({ member, process }: Place): void {
    if (process !== 'node') return;
    for (const all of [this.#heads, this.#loans]) {
      for (const place of all.keys()) if (place.startsWith(`${member} `)) all.delete(place);
    }
  }

  answered(call: AnsweredCall): void {
    if (call.outcome !== 'answered') return;
    if (call.method === 'FreshnessService.freshness') this.#noteHead(call);
    if (call.method === 'KeyService.keyRelease') this.#noteLoans(call);
    if (call.method === 'NationalService.read') this.#look(call);
  }

  #noteHead({ caller, callee, answer }: AnsweredCall): void {
    const { answer: bytes } = answer as concordat.revocation.v1.FreshnessResponse;
    const what = this.#sight.papers.headIn(callee.member, bytes);
    if (what === undefined) return;
    const place = `${caller.member} ${callee.member}`;
    const nowMs = this.#scene.nowMs();
    const recent = (this.#heads.get(place) ?? []).filter(({ atMs }) => atMs >= nowMs - FRESH_MS);
    this.#heads.set(place, [...recent, { what, atMs: nowMs }]);
  }

  #noteLoans({ caller, callee, request, answer }: AnsweredCall): void {
    const { statements } = request as concordat.node.v1.KeyReleaseRequest;
    for (const one of (answer as concordat.node.v1.KeyReleaseResponse).answers) {
      const asked = statements[one.statement];
      if (!one.released || !asked) continue;
      const release = this.#sight.papers.releasesOf(callee.member, asked.statement)[one.release];
      if (release?.custody !== 'leased') continue;
      const event = keyOf(callee.member, release.id);
      this.#loans.set(`${caller.member} ${event}`, this.#scene.nowMs());
    }
  }

  #look({ callee: { member }, request }: AnsweredCall): void {
    const { origin, eventId } = request as concordat.node.v1.ReadRequest;
    if (origin === member) return;
    const at = this.#sight.at(member);
    const applied = at.applied.get(origin) ?? 0;
    const nowMs = this.#scene.nowMs();
    const heads = this.#heads.get(`${member} ${origin}`) ?? [];
    const fresh = heads.filter(({ atMs }) => atMs >= nowMs - FRESH_MS);
    const event = keyOf(origin, eventId);
    if (fresh.length === 0) {
      violate(this.#scene, 'S5', member, `reads ${event} and is not fresh`);
    } else if (!fresh.some(({ what }) => what <= applied)) {
      const what = `reads ${event} with ${String(applied)} purges applied, of ${String(fresh.at(-1)?.what)}`;
      violate(this.#scene, 'S5', member, what);
    }
    if (at.rows.get(event)?.state !== 'leased') return;
    const lentAt = this.#loans.get(`${member} ${event}`);
    if (lentAt !== undefined && lentAt >= nowMs - LEASE_MS) return;
    violate(this.#scene, 'S6', member, `reads ${event}, of which no lease runs`);
  }
}
