import { BoundedMap } from '@concordat/common/domain/bounded-map.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Audience, Header, RecordCodec } from '@concordat/common/domain/records.js';
import type { DataStore } from '../io/data-store.js';

/** Headers that are kept parsed, of the newest events; some 10 MB when full. */
const KEPT_MAX = 8_192;

export interface Facts {
  readonly header: Header;
  /** own events only */
  readonly audience?: Audience;
  /** received events only: what they were released for */
  readonly purposes?: readonly string[];
}

/**
 * The facts of events that were just published or taken in, whose keys are asked for next and of which subscribers are told:
 * they need not be read and parsed again. Nothing that is decided rests on an event being here, and nothing here is content.
 */
export class RecentHeaders {
  readonly #codec: RecordCodec;
  readonly #data: DataStore;
  readonly #kept = new BoundedMap<string, Facts>(KEPT_MAX);

  constructor(codec: RecordCodec, data: DataStore) {
    this.#codec = codec;
    this.#data = data;
  }

  keep(origin: MemberId, id: EventId, facts: Facts): void {
    this.#kept.set(key(origin, id), facts);
  }

  forget(origin: MemberId, id: EventId): void {
    this.#kept.delete(key(origin, id));
  }

  /**
   * @returns undefined when no row is held
   * @throws ConcordatError when the stored header does not parse: the store is damaged
   */
  get(origin: MemberId, id: EventId): Facts | undefined {
    return this.#kept.get(key(origin, id)) ?? this.#read(origin, id);
  }

  #read(origin: MemberId, id: EventId): Facts | undefined {
    const row = this.#data.find(origin, id);
    if (!row) return undefined;
    const header = parseHeader(this.#codec, row.header);
    if (!header.ok) throw header.error;
    const { release } = row;
    if (release) return { header: header.value, purposes: release.purposes };
    if (!row.audience) return { header: header.value };
    const audience = this.#codec.decode('Audience', row.audience.value);
    if (!audience.ok) throw new ConcordatError('INTERNAL', 'an own audience does not decode');
    return { header: header.value, audience: audience.value };
  }
}

function key(origin: MemberId, id: EventId): string {
  return `${origin}/${id}`;
}
