import { readBlock } from '@concordat/common/domain/block.js';
import type { ReadBlock } from '@concordat/common/domain/block.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { eventsTopic, feedTopic } from '@concordat/common/domain/topics.js';
import { type LogRecord, sourceOf } from '@concordat/common/io/log-client.js';
import { type DecidedEnvelope, decideBlock } from '../domain/decide-block.js';
import { type Released, sourceBlock } from '../domain/feed-block.js';
import type { ConsentContext } from './context.js';
import { writeFeed } from './write-feed.js';

/** Records and bytes of one transaction: small blocks share a sync of the disk, large ones do not hold up the calls. */
const COMMIT_RECORDS_MAX = 64;
const COMMIT_BYTES_MAX = 512 * 1024;
/** Feed blocks that wait for the broker; until there are fewer, no more events are decided on. */
const OUTBOX_ROWS_MAX = 10_000;
const OUTBOX_WAIT_MS = 200;

/**
 * Follows the own node's blocks. Each is decided on for every possible recipient; decisions, feed statements, outbox rows, the
 * followed head and the position commit together, and only then is anything sent.
 */
export class EventsFollower {
  readonly topic: string;
  readonly #context: ConsentContext;
  /** Lanes that met a gap. Their position stays before it, so that a restart reads on from there; other lanes go on. */
  readonly #stopped = new Set<number>();
  readonly #closing = new AbortController();

  constructor(context: ConsentContext) {
    this.#context = context;
    this.topic = eventsTopic(context.self);
  }

  position(lane: number): bigint {
    return this.#context.store.chains.position(this.topic, lane);
  }

  async handle(batch: readonly LogRecord[]): Promise<void> {
    for (const [i, records] of commits(batch).entries()) {
      if (i > 0) await this.#pause(0);
      while (this.#context.store.chains.outboxSize() >= OUTBOX_ROWS_MAX) {
        await this.#pause(OUTBOX_WAIT_MS);
      }
      const lane = records[0]?.lane ?? 0;
      const recipients = this.#context.store.db.transaction(() => this.#take(records));
      for (const recipient of recipients) {
        this.#context.outbox.wake(feedTopic({ origin: this.#context.self, recipient }), lane);
      }
    }
  }

  /** Ends the waiting of `handle`. */
  close(): void {
    this.#closing.abort();
  }

  #pause(ms: number): Promise<void> {
    return this.#context.clock.sleep(ms, this.#closing.signal);
  }

  /** @returns who got something */
  #take(records: readonly LogRecord[]): Set<MemberId> {
    const { chains } = this.#context.store;
    const fed = new Set<MemberId>();
    for (const record of records) {
      if (this.#stopped.has(record.lane)) break;
      const taken = this.#takeOne(record);
      if (taken === 'gap') break;
      for (const recipient of taken) fed.add(recipient);
      chains.setPosition(this.topic, record.lane, record.offset + 1n);
    }
    return fed;
  }

  #takeOne(record: LogRecord): readonly MemberId[] | 'gap' {
    const { codec, keys, self, store, clock } = this.#context;
    const nowMs = clock.nowMs();
    const read = readBlock(codec, keys, record.value, self);
    if (!read.ok) return this.#refuse(record, read.error, nowMs);
    const { value, hash } = read.value.statement;
    const { lane, epoch, number, previous } = value;
    if (lane !== record.lane) {
      const text = `a block of lane ${String(lane)} on another lane`;
      return this.#refuse(record, new ConcordatError('NOT_ADDRESSED_HERE', text), nowMs);
    }
    const chain = `${this.topic}/${String(lane)}`;
    const followed = store.chains.follow(chain, { epoch, number, previous, hash }, nowMs);
    switch (followed.kind) {
      case 'next':
        return this.#decide(record, read.value, nowMs);
      case 'duplicate':
        store.chains.count('duplicate.events');
        return [];
      case 'broken': {
        const text = `${chain}: number ${String(number)} does not follow the one before`;
        return this.#refuse(record, new ConcordatError('CHAIN_BROKEN', text), nowMs);
      }
      case 'equivocation': {
        const text = `${chain}: two blocks of number ${String(number)}`;
        return this.#refuse(record, new ConcordatError('EQUIVOCATION', text), nowMs);
      }
      case 'gap': {
        this.#stop(record, chain, followed);
        return 'gap';
      }
    }
  }

  #stop(
    record: LogRecord,
    chain: string,
    { missingFrom, missingTo }: { readonly missingFrom: number; readonly missingTo: number },
  ): void {
    this.#stopped.add(record.lane);
    const missing = `${String(missingFrom)} to ${String(missingTo)}`;
    const error = new ConcordatError('CHAIN_GAP', `${chain}: numbers ${missing} are missing`);
    this.#context.logger.error('the lane stops here until they are there', {
      ...at(record),
      error,
    });
  }

  #decide(record: LogRecord, block: ReadBlock, nowMs: UnixMs): readonly MemberId[] {
    const { codec, recipients, policy, store } = this.#context;
    const decided = decideBlock(codec, block, recipients, policy, nowMs);
    const released = new Map<MemberId, Released[]>();
    for (const one of decided) {
      if (one.problem) this.#setAside(record, one, one.problem, nowMs);
      this.#keep(one, released, nowMs);
    }
    store.chains.count('events.blocks');
    store.chains.count('events.envelopes', decided.length);
    const source = sourceBlock(block);
    for (const [recipient, some] of released) {
      writeFeed(this.#context, source, recipient, some, nowMs);
    }
    return [...released.keys()];
  }

  #keep(
    { envelope, decisions }: DecidedEnvelope,
    released: Map<MemberId, Released[]>,
    nowMs: UnixMs,
  ): void {
    const { store } = this.#context;
    const { id, category } = envelope.header;
    for (const { recipient, decision } of decisions) {
      if (store.decide({ id, recipient, category }, decision, nowMs) === 'known') {
        store.chains.count('repeated.events');
        continue;
      }
      if (decision.outcome !== 'release') continue;
      const some = released.get(recipient) ?? [];
      released.set(recipient, some);
      some.push({ envelope, terms: decision.terms });
    }
  }

  /** One envelope of a block that holds otherwise: its header is kept as evidence, and the block goes on. */
  #setAside(
    record: LogRecord,
    { envelope }: DecidedEnvelope,
    why: ConcordatError,
    nowMs: UnixMs,
  ): void {
    const { store, logger } = this.#context;
    const source = `${sourceOf(record)}#${String(envelope.leaf)}`;
    store.chains.quarantine(source, why, envelope.envelope.header, nowMs);
    const eventId = envelope.header.id;
    logger.warn('an event is withheld from all', { ...at(record), eventId, error: why });
  }

  #refuse(record: LogRecord, why: ConcordatError, nowMs: UnixMs): readonly [] {
    const { store, logger } = this.#context;
    store.chains.quarantine(sourceOf(record), why, record.value, nowMs);
    logger.warn('a record is quarantined', { ...at(record), error: why });
    return [];
  }
}

function at({ topic, lane, offset }: LogRecord): { topic: string; lane: number; offset: string } {
  return { topic, lane, offset: offset.toString() };
}

/** Consecutive records in groups of at least one. */
function commits(batch: readonly LogRecord[]): LogRecord[][] {
  const groups: LogRecord[][] = [];
  let bytes = 0;
  for (const record of batch) {
    const group = groups.at(-1);
    bytes += record.value.length;
    if (group && group.length < COMMIT_RECORDS_MAX && bytes <= COMMIT_BYTES_MAX) {
      group.push(record);
    } else {
      groups.push([record]);
      bytes = record.value.length;
    }
  }
  return groups;
}
