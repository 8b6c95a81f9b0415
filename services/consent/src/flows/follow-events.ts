import { readBlock } from '@concordat/common/domain/block.js';
import type { ReadBlock, ReadEnvelope } from '@concordat/common/domain/block.js';
import type { ReleaseDecision } from '@concordat/common/domain/decide-release.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { eventsTopic, feedTopic } from '@concordat/common/domain/topics.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { FollowedTopic, type ReadStatement } from '@concordat/common/io/chain/followed-topic.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { type DecidedEnvelope, decideBlock } from '../domain/decide-block.js';
import { type Released, sourceBlock } from '../domain/feed-block.js';
import { type ConsentContext, followPorts } from './context.js';
import { writeFeed } from './write-feed.js';

/** Records and bytes of one transaction: small blocks share a sync of the disk, large ones do not hold up the calls. */
const COMMIT_RECORDS_MAX = 64;
const COMMIT_BYTES_MAX = 512 * 1024;
/** Feed blocks that wait for the broker; until there are fewer, no more events are decided on. */
const OUTBOX_ROWS_MAX = 10_000;
const OUTBOX_WAIT_MS = 200;

/** On one event, for one recipient. */
interface Decision {
  readonly id: EventId;
  readonly category: string;
  readonly decision: ReleaseDecision;
  readonly envelope: ReadEnvelope;
}

/**
 * Follows the own node's blocks. Each is decided on for every possible recipient; decisions, feed statements, outbox rows, the
 * followed head and the position commit together, and only then is anything sent.
 */
export class EventsFollower {
  readonly followed: FollowedTopic;
  readonly #context: ConsentContext;
  readonly #closing = new AbortController();
  /** who got something on which lane in the present commit */
  #fed = new Map<number, Set<MemberId>>();

  constructor(context: ConsentContext, onMissing: () => void) {
    this.#context = context;
    const topic = eventsTopic(context.self);
    this.followed = new FollowedTopic(followPorts(context), {
      topic,
      chainOf: (lane) => `${topic}/${String(lane)}`,
      read: (value, lane) => this.#read(value, lane),
      duplicates: 'duplicate.events',
      onEffectFailing: 'set aside',
      onMissing,
    });
  }

  async handle(batch: readonly LogRecord[]): Promise<void> {
    for (const [i, records] of commits(batch).entries()) {
      if (i > 0) await this.#pause(0);
      while (this.#context.store.chains.outboxSize() >= OUTBOX_ROWS_MAX) {
        await this.#pause(OUTBOX_WAIT_MS);
      }
      const came = this.followed.commit(records);
      this.settle();
      if (came === 'read again') throw this.followed.filled();
    }
  }

  /** Call after every commit: what it wrote is sent. */
  settle(): void {
    for (const [lane, recipients] of this.#fed) {
      for (const recipient of recipients) {
        this.#context.outbox.wake(feedTopic({ origin: this.#context.self, recipient }), lane);
      }
    }
    this.#fed = new Map();
  }

  /** Ends the waiting of `handle`. */
  close(): void {
    this.#closing.abort();
  }

  #pause(ms: number): Promise<void> {
    return this.#context.clock.sleep(ms, this.#closing.signal);
  }

  #read(value: Uint8Array, onLane: number): Result<ReadStatement, ConcordatError> {
    const { codec, keys, self } = this.#context;
    const read = readBlock(codec, keys, value, self);
    if (!read.ok) return read;
    const { lane, epoch, number, previous } = read.value.statement.value;
    if (lane !== onLane) {
      const text = `a block of lane ${String(lane)} on another lane`;
      return err(new ConcordatError('NOT_ADDRESSED_HERE', text));
    }
    return ok({
      link: { epoch, number, previous, hash: read.value.statement.hash },
      apply: (nowMs) => {
        const fed = this.#fed.get(lane) ?? new Set();
        this.#fed.set(lane, fed);
        for (const recipient of this.#decide(read.value, nowMs)) fed.add(recipient);
        return undefined;
      },
    });
  }

  /** @returns who got something */
  #decide(block: ReadBlock, nowMs: UnixMs): readonly MemberId[] {
    const { codec, recipients, policy, store } = this.#context;
    const { rules } = policy;
    const leavers = store.leavers.all();
    const decided = decideBlock(codec, block, recipients, { rules, leavers }, nowMs);
    for (const one of decided) if (one.problem) this.#setAside(block, one, one.problem, nowMs);
    store.chains.count('events.blocks');
    store.chains.count('events.envelopes', decided.length);
    const source = sourceBlock(block);
    const fed = recipients.filter((recipient, at) => {
      const released = this.#keep(recipient, decided, at, nowMs);
      if (released.length > 0) writeFeed(this.#context, source, recipient, released, nowMs);
      return released.length > 0;
    });
    return fed;
  }

  /** @returns what this recipient, the one at `at`, gets of it */
  #keep(
    recipient: MemberId,
    decided: readonly DecidedEnvelope[],
    at: number,
    nowMs: UnixMs,
  ): Released[] {
    const { store } = this.#context;
    const made: Decision[] = [];
    for (const { envelope, decisions } of decided) {
      const decision = decisions[at]?.decision;
      const { id, category } = envelope.header;
      if (decision) made.push({ id, category, decision, envelope });
    }
    const fresh = store.decide(recipient, made, nowMs);
    const repeated = made.length - fresh.length;
    if (repeated > 0) store.chains.count('repeated.events', repeated);
    if (at === 0) store.countDecided(fresh.length);
    const released: Released[] = [];
    for (const { decision, envelope } of fresh) {
      if (decision.outcome === 'release') released.push({ envelope, terms: decision.terms });
    }
    return released;
  }

  /** One envelope of a block that holds otherwise: its header is kept as evidence, and the block goes on. */
  #setAside(
    { statement }: ReadBlock,
    { envelope }: DecidedEnvelope,
    why: ConcordatError,
    nowMs: UnixMs,
  ): void {
    const { quarantine, logger } = this.#context;
    const { lane, epoch, number } = statement.value;
    const { topic } = this.followed;
    const block = `${topic}/${String(lane)}/block-${String(epoch)}-${String(number)}`;
    const source = `${block}#${String(envelope.leaf)}`;
    quarantine.keep(source, why, envelope.envelope.header, nowMs);
    const eventId = envelope.header.id;
    logger.warn('an event is withheld from all', { topic, lane, eventId, error: why });
  }
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
