import { sha256 } from '../../domain/bytes.js';
import type { ConcordatError } from '../../domain/errors.js';
import type { MemberId, ServiceName, UnixMs } from '../../domain/ids.js';
import type { RecordCodec } from '../../domain/records.js';
import { quarantineTopic } from '../../domain/topics.js';
import type { ChainTables } from '../store/chain-tables.js';
import type { Outbox } from '../store/outbox.js';

/** A larger value does not fit into a record of the topic with its source and reason. */
const COPY_BYTES_MAX = 1024 * 1024 - 8 * 1024;
/** Copies that wait for the broker; while there are so many, further ones stay in the own database only. */
const COPIES_WAITING_MAX = 1_000;

export interface QuarantineParts {
  readonly member: MemberId;
  readonly service: ServiceName;
  readonly codec: RecordCodec;
  readonly chains: ChainTables;
  /** sends what `chains` enqueues */
  readonly outbox: Pick<Outbox, 'wake'>;
}

/**
 * Keeps what a service refused: in its own database, in the commit that passes the record by, and a copy on the member's
 * quarantine topic. Bytes stay as they travelled; nothing is opened.
 */
export class Quarantine {
  readonly #parts: QuarantineParts;

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
  }

  /** Call inside a transaction of the database. @returns false when this source was kept before */
  keep(source: string, why: ConcordatError, value: Uint8Array, nowMs: UnixMs): boolean {
    const { member, service, codec, chains, outbox } = this.#parts;
    if (chains.quarantine(source, why, value, nowMs) === 'known') return false;
    const topic = quarantineTopic(member);
    if (chains.outboxSize(topic) >= COPIES_WAITING_MAX) {
      chains.count('quarantined.not-copied');
      return true;
    }
    const copy = codec.encode('QuarantinedRecord', {
      ...{ member, service, source, code: why.code, message: why.message, atMs: nowMs },
      valueHash: sha256(value),
      value: value.length > COPY_BYTES_MAX ? null : value,
    });
    chains.enqueue(topic, 0, { key: source, value: copy });
    outbox.wake(topic, 0); // it looks after this commit
    return true;
  }
}
