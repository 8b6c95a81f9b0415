import { decideRead, isCaseId } from '@concordat/common/domain/decide-read.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { isName, parseHeader } from '@concordat/common/domain/header.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { type Identity, identityUri } from '@concordat/common/domain/identity.js';
import type { Header } from '@concordat/common/domain/records.js';
import { openSection } from '@concordat/common/domain/sealing.js';
import type { Json } from '@concordat/common/domain/strict-json.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { goneBecause } from '../domain/purge/gone.js';
import type { EventRow } from '../io/data-store.js';
import type { NodeContext } from './context.js';
import type { FreshnessKeeper } from './keep-fresh.js';
import type { LeaseDesk } from './leases/lease-desk.js';
import type { SectionKeys } from './leases/leased-keys.js';

export interface ReadRequest {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly purpose: string;
  readonly caseId: string;
  readonly caller: Identity;
}

export interface OpenedEvent {
  readonly header: Header;
  readonly sections: ReadonlyMap<string, Json>;
  readonly deleteByMs: UnixMs;
  readonly warnings: readonly string[];
}

/** Stands in the log for a purpose or case that is none. */
const UNNAMED = '-';

/** Opens events. Every attempt is logged, without content, before its answer goes out. */
export class Reader {
  readonly #context: NodeContext;
  readonly #freshness: ReadonlyMap<MemberId, FreshnessKeeper>;
  readonly #desks: ReadonlyMap<MemberId, Pick<LeaseDesk, 'obtain'>>;

  constructor(
    context: NodeContext,
    partners: {
      readonly freshness: ReadonlyMap<MemberId, FreshnessKeeper>;
      readonly desks: ReadonlyMap<MemberId, Pick<LeaseDesk, 'obtain'>>;
    },
  ) {
    this.#context = context;
    this.#freshness = partners.freshness;
    this.#desks = partners.desks;
  }

  async read(request: ReadRequest): Promise<OpenedEvent> {
    try {
      // what was found before a lease was waited for may be gone: everything is looked for once more
      const opened =
        (await this.#open(request)) ??
        (await this.#obtain(request).then(() => this.#open(request)));
      if (!opened) throw this.#endedAtOnce(request.origin);
      this.#log(request, 'READ');
      return opened;
    } catch (cause) {
      this.#log(request, cause instanceof ConcordatError ? cause.code : 'INTERNAL');
      throw cause;
    }
  }

  async #obtain({ origin, id }: ReadRequest): Promise<void> {
    await this.#desks.get(origin)?.obtain(id);
  }

  #endedAtOnce(origin: MemberId): ConcordatError {
    const text = `expected a lease of ${origin} that runs, came one that was over at once: are this machine's clocks set?`;
    return new ConcordatError('LEASE_UNAVAILABLE', text);
  }

  /** @returns undefined when its keys are only lent, and no lease runs */
  async #open(request: ReadRequest): Promise<OpenedEvent | undefined> {
    const { self, clock, data, state } = this.#context;
    const { origin, id, purpose, caseId, caller } = request;
    this.#refusePurged(origin, id);
    const isFresh = origin === self ? 'FRESH' : await this.#demandFresh(origin);
    // the purge may have come while we waited
    this.#refusePurged(origin, id);
    const row = data.find(origin, id);
    if (!row) {
      if (state.sections.of(origin, id).size > 0) throw takenBack(origin);
      throw new ConcordatError('EVENT_UNKNOWN', `no such event of ${origin} is held here`);
    }
    const header = this.#headerOf(row);
    const deleteByMs = row.release?.deleteByMs ?? header.retainUntilMs;
    const purposes = row.release?.purposes ?? header.purposes;
    const decision = decideRead(
      { release: { purposes, deleteByMs }, purpose, caseId, role: caller.service },
      clock.nowMs(),
    );
    if (decision.outcome === 'refused') {
      throw new ConcordatError('READ_REFUSED', REFUSALS[decision.reason]);
    }
    const keys = this.#keysOf(row);
    if (!keys) return undefined;
    const sections = this.#sections(row, header, keys);
    const warnings = [
      ...(isFresh === 'WARN' ? [`the last purge news of ${origin} is over 15 min old`] : []),
      ...(this.#isIncomplete(origin) ? [`events of ${origin} are missing here: see status`] : []),
    ];
    return { header, sections, deleteByMs, warnings };
  }

  #refusePurged(origin: MemberId, id: EventId): void {
    const gone = goneBecause(this.#context.state.tombstones.causeOf(origin, id));
    if (gone === 'PURGED') throw takenBack(origin);
    if (gone === 'RETENTION') {
      throw new ConcordatError('PURGED', 'its retention is over; this event is deleted here');
    }
  }

  async #demandFresh(origin: MemberId): Promise<'FRESH' | 'WARN'> {
    const keeper = this.#freshness.get(origin);
    if (!keeper) throw new ConcordatError('EVENT_UNKNOWN', `${origin} publishes nothing to us`);
    return keeper.demandFresh();
  }

  /** Does a lane of the origin's feed stand at a gap? Then what replaces this event may be among the missing. */
  #isIncomplete(origin: MemberId): boolean {
    const { self, data } = this.#context;
    return data.chains.hasGapOn(feedTopic({ origin, recipient: self }));
  }

  /** @returns undefined when its keys are only lent, and no lease runs */
  #keysOf(row: EventRow): SectionKeys | undefined {
    const { vault, leases, self } = this.#context;
    const { origin, id } = row;
    if (row.state === 'leased') return leases.keysOf(origin, id);
    if (row.state === 'waiting') {
      throw new ConcordatError('NOT_READABLE_YET', 'its keys are still asked for: try again');
    }
    if (row.state === 'refused') {
      const reason = this.#context.data.refusal(row.origin, row.id) ?? 'unknown';
      throw new ConcordatError('RELEASE_WITHHELD', `the origin gave no key: ${reason}`);
    }
    const keys = vault.get(origin, id);
    if (keys.size === 0 && origin === self) {
      throw new ConcordatError('KEY_LOST', 'its keys were lost with the vault: publish it again');
    }
    return keys;
  }

  #headerOf(row: EventRow): Header {
    const header = parseHeader(this.#context.codec, row.header);
    if (!header.ok) throw header.error;
    return header.value;
  }

  #sections(row: EventRow, header: Header, keys: SectionKeys): Map<string, Json> {
    const { data, state, categories } = this.#context;
    const { origin, id } = row;
    const type = categories.find(header.schemaHash);
    if (!type) throw new ConcordatError('SCHEMA_UNKNOWN', `${header.category}: schema not here`);
    const opened = new Map<string, Json>();
    // tombstones stand from the commit on, the deletion follows
    const gone = state.sections.of(origin, id);
    const left = data.sections(origin, id).filter(({ name }) => !gone.has(name));
    if (left.length === 0 && gone.size > 0) throw takenBack(origin);
    const released = row.release?.sections ?? header.sections.map((section) => section.name);
    const lost = released.find((name) => !gone.has(name) && !left.some((one) => one.name === name));
    if (lost !== undefined) {
      throw new ConcordatError('INTERNAL', `section ${lost} is not here: the store is damaged`);
    }
    for (const { name, sealed } of left) {
      const key = keys.get(name);
      const place = { origin, id, section: name, schemaHash: header.schemaHash };
      const plaintext = key && openSection(sealed, place, key);
      if (!plaintext) {
        throw new ConcordatError('INTERNAL', `section ${name} does not open: the store is damaged`);
      }
      const value = type.decode(name, plaintext);
      if (!value.ok) throw value.error;
      opened.set(name, value.value);
    }
    return opened;
  }

  #log(request: ReadRequest, outcome: string): void {
    const { state, clock } = this.#context;
    const { origin, id, purpose, caseId, caller } = request;
    state.readings.add({
      atMs: clock.nowMs(),
      origin,
      id,
      // whatever else was written there is none of the log's business, and may be content
      purpose: isName(purpose) ? purpose : UNNAMED,
      caseId: isCaseId(caseId) ? caseId : UNNAMED,
      caller: identityUri(caller),
      outcome,
    });
  }
}

function takenBack(origin: MemberId): ConcordatError {
  return new ConcordatError('PURGED', `${origin} took it back; this event is deleted here`);
}

const REFUSALS = {
  ROLE_NOT_ALLOWED: 'ROLE_NOT_ALLOWED: only a national system may read content',
  CASE_MISSING: 'CASE_MISSING: expected a case number of 1 to 64 letters, digits, . _ / -',
  PURPOSE_NOT_RELEASED: 'PURPOSE_NOT_RELEASED: this event was not released for that purpose',
  DELETE_BY_PASSED: 'DELETE_BY_PASSED: the retention term of this event is over',
} as const;
