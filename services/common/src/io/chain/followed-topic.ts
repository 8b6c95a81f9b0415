import { bytesKey } from '../../domain/bytes.js';
import type { Link } from '../../domain/chain.js';
import { ConcordatError, asConcordatError } from '../../domain/errors.js';
import type { UnixMs } from '../../domain/ids.js';
import type { Clock } from '../../domain/ports.js';
import type { Void } from '../../domain/records.js';
import type { Result } from '../../domain/result.js';
import { type LogRecord, sourceOf } from '../log-client.js';
import type { ChainTables } from '../store/chain-tables.js';
import type { Sqlite } from '../store/sqlite.js';
import type { Quarantine } from './quarantine.js';

/** Numbers remembered behind a gap. What comes after more of them is read again at the next start at the latest. */
const EARLY_NUMBERS_MAX = 10_000;
/** So often is the effect of a record tried before it is set aside. */
const EFFECT_TRIES_MAX = 3;

/** Reasons that a new version of the service, or of the federation file, may have ended. */
const MAY_BE_KNOWN_NOW = ['SCHEMA_UNKNOWN', 'KEY_UNKNOWN'] as const;

/** A verified statement of a chain, and what it does here once it is its turn. */
export interface ReadStatement {
  readonly link: Link;
  /** Runs in the commit that moves the chain's head; an error puts the record into quarantine, the chain goes on. */
  readonly apply: (nowMs: UnixMs) => ConcordatError | undefined;
}

/** A verified void of the chain on a lane; `hash` is what the statement after `to` names as the one before. */
export type ReadVoid = Pick<Void, 'epoch' | 'from' | 'to' | 'hash' | 'reason'>;

export interface FollowedTopicOptions {
  readonly topic: string;
  /** The chain that a lane carries; its name in the tables and in messages. */
  readonly chainOf: (lane: number) => string;
  readonly read: (value: Uint8Array, lane: number) => Result<ReadStatement, ConcordatError>;
  /** The counter of what was read before. */
  readonly duplicates: string;
  /**
   * What becomes of a record whose effect throws again and again. `set aside`: after the third time it is quarantined as
   * RECORD_FAILED and the chain goes on. `stop`: it is never passed by, for a purge must not be.
   */
  readonly onEffectFailing: 'set aside' | 'stop';
  /** A signed word that numbers of a lane will never come. Without it none is believed: nothing here can be left out. */
  readonly readVoid?: (value: Uint8Array, lane: number) => Result<ReadVoid, ConcordatError>;
  /**
   * Told, in the commit, that missing statements should be asked for. Where nobody can be asked, a lane at a gap reads its
   * topic again from the beginning at every start.
   */
  readonly onMissing?: () => void;
}

export interface FollowedTopicPorts {
  readonly db: Pick<Sqlite, 'transaction'>;
  readonly chains: ChainTables;
  readonly clock: Clock;
  readonly quarantine: Pick<Quarantine, 'keep'>;
  /** Told what people should know of: a refusal, a gap, a log made anew. */
  readonly onNotice: (error: ConcordatError, at: { topic: string; lane: number }) => void;
}

/** A lane that stands still: numbers that came too early, the first and the newest of them. */
interface Standing {
  readonly early: Set<number>;
  first: number;
  newest: number;
  /** the offset after the last record that was looked at */
  next: bigint | undefined;
}

export interface MissingPart {
  readonly lane: number;
  readonly epoch: number;
  /** the first number that is wanted */
  readonly from: number;
}

type Taken = 'applied' | 'refused' | 'duplicate' | 'gap';
type Place = Pick<LogRecord, 'topic' | 'lane'> & { readonly source: string };

/**
 * Follows the signed chains on a topic, one on each lane. Refused records go to quarantine and the lane goes on; a missing
 * number stops the lane where it stands, by name: its position no longer moves and nothing behind the gap has an effect,
 * until the missing statements come, by the topic or by `fill`. Then it goes on from where it stopped, without a restart.
 */
export class FollowedTopic {
  readonly topic: string;
  readonly #options: FollowedTopicOptions;
  readonly #ports: FollowedTopicPorts;
  readonly #standing = new Map<number, Standing>();
  /**
   * Lanes that may miss something though no number that came shows it, and the newest number that their writer has told of:
   * 0 where the log was made anew.
   */
  readonly #suspected = new Map<number, number>();
  readonly #failing = new Map<number, { readonly source: string; readonly tries: number }>();
  #taking: Place | undefined;

  constructor(ports: FollowedTopicPorts, options: FollowedTopicOptions) {
    this.topic = options.topic;
    this.#ports = ports;
    this.#options = options;
  }

  /** The offset of the first record that has no effect yet. */
  position(lane: number): bigint {
    const { chains } = this.#ports;
    const isNew = !this.#options.onMissing && !this.#standing.has(lane);
    // what was refused before, for want of a key, may be the missing piece
    if (isNew && chains.hasGap(this.chainOf(lane))) return 0n;
    return chains.position(this.topic, lane);
  }

  /**
   * Takes consecutive records of one lane in one commit.
   *
   * @returns `read again` when the gap was filled and records that came too early are the next ones: throw `filled()`
   * @throws ConcordatError RECORD_FAILED, retryable, when the effect of a record threw; nothing counts
   */
  commit(records: readonly LogRecord[]): 'done' | 'read again' {
    const [first] = records;
    if (!first) return 'done';
    const { lane } = first;
    const { db, chains } = this.#ports;
    try {
      const isFilled = db.transaction(() => {
        let next: bigint | undefined;
        for (const record of records) {
          this.#take({ topic: this.topic, lane, source: sourceOf(record) }, record.value);
          const standing = this.#standing.get(lane);
          if (standing) standing.next = record.offset + 1n;
          else next = record.offset + 1n;
        }
        if (next !== undefined) chains.setPosition(this.topic, lane, next);
        return this.#isEarly(lane, this.#head(lane).number + 1);
      });
      if (isFilled) this.#standing.delete(lane);
      return isFilled ? 'read again' : 'done';
    } catch (cause) {
      this.#standing.delete(lane); // nothing counts: the lane is read again from its position
      throw this.#failed(lane, cause);
    }
  }

  /** What `handle` throws for `read again`: retryable, so the lane asks for `position` again. */
  filled(): ConcordatError {
    return new ConcordatError('CHAIN_GAP', `${this.topic}: the gap is filled, reading goes on`);
  }

  /**
   * Takes missing statements that came another way, in order; each is checked like any other.
   *
   * @returns how many numbers the chain has moved on
   */
  fill(lane: number, values: readonly Uint8Array[]): number {
    const before = this.#head(lane).number;
    try {
      this.#ports.db.transaction(() => {
        for (const value of values) {
          const wanted = String(this.#head(lane).number + 1);
          const source = `${this.topic}/${String(lane)}/fetched-${wanted}`;
          if (this.#take({ topic: this.topic, lane, source }, value) === 'gap') return;
        }
      });
    } catch (cause) {
      throw this.#failed(lane, cause);
    }
    return this.#head(lane).number - before;
  }

  /**
   * Goes past what its writer has signed will never come; the statement is kept.
   *
   * @returns why not
   */
  leaveOut(lane: number, value: Uint8Array): ConcordatError | undefined {
    const chain = this.chainOf(lane);
    const read = this.#options.readVoid?.(value, lane);
    if (!read) return new ConcordatError('CHAIN_GAP', `${chain}: nothing of it may be left out`);
    if (!read.ok) return read.error;
    const { from, to, reason } = read.value;
    const { first = Infinity } = this.#standing.get(lane) ?? {};
    const numbers = `numbers ${String(from)} to ${String(to)}`;
    if (first <= to) {
      const text = `${chain}: a void says that ${numbers} will never come, but ${String(first)} is here`;
      return new ConcordatError('CHAIN_GAP', text);
    }
    const { db, chains, clock } = this.#ports;
    const isDone = db.transaction(() => {
      const done = chains.skip(chain, read.value, value, clock.nowMs());
      if (done) chains.count(`voids.${this.topic}`);
      return done;
    });
    if (!isDone) return new ConcordatError('CHAIN_GAP', `${chain}: a void of other ${numbers}`);
    const text = `${chain}: ${numbers} will never come: ${JSON.stringify(reason.slice(0, 200))}`;
    this.#ports.onNotice(new ConcordatError('CHAIN_GAP', text), { topic: this.topic, lane });
    return undefined;
  }

  /** Lanes that stand at a gap, or may miss something, and the number from which on they want to be told. */
  missing(): MissingPart[] {
    const lanes = new Set([...this.#standing.keys(), ...this.#suspected.keys()]);
    return [...lanes]
      .toSorted((a, b) => a - b)
      .map((lane) => {
        const { epoch, number } = this.#head(lane);
        return { lane, epoch, from: number + 1 };
      });
  }

  /** The writer has nothing after our head: what the log lost is here. */
  isComplete(lane: number): void {
    this.#suspected.delete(lane);
  }

  /**
   * The writer has told of statements up to a number, in another way than by the topic, and they do not come. They are
   * named as missing and asked for.
   */
  expect(lane: number, upTo: number): void {
    const from = this.#head(lane).number + 1;
    if (upTo < from) return;
    const isKnown = this.#standing.has(lane) || (this.#suspected.get(lane) ?? 0) > 0;
    this.#suspected.set(lane, Math.max(upTo, this.#suspected.get(lane) ?? 0));
    if (!isKnown) {
      const text = `${this.chainOf(lane)}: ${missingText({ missingFrom: from, missingTo: upTo })} do not come`;
      this.#ports.onNotice(new ConcordatError('CHAIN_GAP', text), { topic: this.topic, lane });
    }
    this.#options.onMissing?.();
  }

  /** What is missing after the newest number that came, as the tables name gaps: by their chain. */
  expected(): string[] {
    return [...this.#suspected]
      .filter(([lane, upTo]) => !this.#standing.has(lane) && upTo > this.#head(lane).number)
      .map(([lane, upTo]) => {
        const from = this.#head(lane).number + 1;
        return `${this.chainOf(lane)}: missing ${String(from)} to ${String(upTo)}`;
      });
  }

  /** The name of the chain on a lane, in the tables and in messages. */
  chainOf(lane: number): string {
    return this.#options.chainOf(lane);
  }

  /** The lane's log was made anew or cut: it is read from its start, and the chain's numbers tell what is known. */
  restarted(lane: number, error: ConcordatError): void {
    const { db, chains, onNotice } = this.#ports;
    this.#standing.delete(lane);
    if (!this.#suspected.has(lane)) this.#suspected.set(lane, 0);
    db.transaction(() => {
      chains.setPosition(this.topic, lane, 0n);
      chains.count(`restarted.${this.topic}`);
    });
    onNotice(error, { topic: this.topic, lane });
    this.#options.onMissing?.();
  }

  /** Positions were changed: what was remembered of them no longer counts. */
  forget(): void {
    this.#standing.clear();
  }

  /**
   * Handles a quarantined record of this topic once more; with success it leaves the quarantine.
   *
   * @returns why it stays
   * @throws ConcordatError REQUEST_INVALID for a source that is not there, or is a part of a record only
   */
  replay(source: string): ConcordatError | undefined {
    const { db, chains } = this.#ports;
    const item = chains.quarantinedAt(source);
    const lane = Number(/^[^/]+\/(\d+)\/[^#]+$/.exec(source)?.[1]);
    if (!item || Number.isNaN(lane)) {
      const text =
        'source: expected one of the list that is a whole record, <topic>/<lane>/<offset>';
      throw new ConcordatError('REQUEST_INVALID', text);
    }
    return db.transaction(() => {
      const problem = this.#again(lane, item);
      if (!problem) chains.release(source);
      return problem;
    });
  }

  /** What was refused for want of a schema or a key is handled again: call at the start, before reading. */
  replayUnderstood(): void {
    for (const source of this.#ports.chains.quarantinedFor(this.topic, MAY_BE_KNOWN_NOW)) {
      this.replay(source);
    }
  }

  #again(
    lane: number,
    { value, code }: { readonly value: Uint8Array; readonly code: string },
  ): ConcordatError | undefined {
    const { chains, clock } = this.#ports;
    const nowMs = clock.nowMs();
    const read = this.#options.read(value, lane);
    if (!read.ok) return read.error;
    const { link, apply } = read.value;
    const followed = chains.follow(this.chainOf(lane), link, nowMs);
    if (followed.kind === 'next') return apply(nowMs);
    // its number was taken then, only its effect was left out
    if (followed.kind === 'duplicate') return code === 'RECORD_FAILED' ? apply(nowMs) : undefined;
    return this.#refusalOf(followed, lane, link);
  }

  #head(lane: number) {
    return this.#ports.chains.followedHead(this.chainOf(lane));
  }

  #isEarly(lane: number, number: number): boolean {
    return this.#standing.get(lane)?.early.has(number) === true;
  }

  #take(place: Place, value: Uint8Array): Taken {
    const { chains, clock } = this.#ports;
    const nowMs = clock.nowMs();
    const { lane } = place;
    const read = this.#options.read(value, lane);
    if (!read.ok) return this.#refuse(place, read.error, value, nowMs);
    const { link, apply } = read.value;
    const standing = this.#standing.get(lane);
    if (standing && link.number > Math.max(standing.first, this.#head(lane).number + 1)) {
      remember(standing, link.number);
      return 'gap';
    }
    const followed = chains.follow(this.chainOf(lane), link, nowMs);
    switch (followed.kind) {
      case 'next': {
        const problem = this.#effect(place, apply, nowMs);
        if (standing && link.number >= standing.newest) this.#goOn(lane, standing);
        return problem ? this.#refuse(place, problem, value, nowMs) : 'applied';
      }
      case 'duplicate':
        chains.count(this.#options.duplicates);
        return 'duplicate';
      case 'gap':
        this.#stop(place, followed, link.number);
        return 'gap';
      case 'broken':
      case 'equivocation':
        return this.#refuse(place, this.#refusalOf(followed, lane, link), value, nowMs);
    }
  }

  #refusalOf(
    followed: Exclude<ReturnType<ChainTables['follow']>, { kind: 'next' | 'duplicate' }>,
    lane: number,
    { epoch, number, hash }: Link,
  ): ConcordatError {
    const chain = this.chainOf(lane);
    const where = `${chain} number ${String(number)}`;
    switch (followed.kind) {
      case 'gap':
        return new ConcordatError('CHAIN_GAP', `${where}: ${missingText(followed)} are missing`);
      case 'broken': {
        const text = `${where}: does not follow the statement before it`;
        return new ConcordatError('CHAIN_BROKEN', text);
      }
      case 'equivocation': {
        const before = this.#ports.chains.seenHash(chain, epoch, number);
        const hashes = `${before ? bytesKey(before) : '?'}, now as ${bytesKey(hash)}`;
        return new ConcordatError('EQUIVOCATION', `${where}: signed before as ${hashes}`);
      }
    }
  }

  #effect(place: Place, apply: ReadStatement['apply'], nowMs: UnixMs): ConcordatError | undefined {
    const failing = this.#failing.get(place.lane);
    if (failing?.source !== place.source || failing.tries < EFFECT_TRIES_MAX) {
      this.#taking = place;
      const problem = apply(nowMs);
      this.#taking = undefined;
      return problem;
    }
    const text = `${place.source}: its effect failed ${String(failing.tries)} times, it is set aside`;
    return new ConcordatError('RECORD_FAILED', text);
  }

  /** Counts the tries of one record, so that the fourth time it is passed by. */
  #failed(lane: number, cause: unknown): unknown {
    const place = this.#taking;
    this.#taking = undefined;
    if (!place || this.#options.onEffectFailing === 'stop' || isStoreFailure(cause)) return cause;
    const before = this.#failing.get(lane);
    const tries = before?.source === place.source ? before.tries + 1 : 1;
    this.#failing.set(lane, { source: place.source, tries });
    const { code } = asConcordatError(cause);
    const text = `${place.source}: try ${String(tries)} of its effect failed (${code})`;
    return new ConcordatError('RECORD_FAILED', text, { cause });
  }

  #stop(
    { topic, lane }: Place,
    gap: { readonly missingFrom: number; readonly missingTo: number },
    came: number,
  ): void {
    const standing = this.#standing.get(lane);
    if (standing) {
      remember(standing, came);
      return;
    }
    this.#standing.set(lane, {
      early: new Set([came]),
      first: came,
      newest: came,
      next: undefined,
    });
    const text = `${this.chainOf(lane)}: ${missingText(gap)} are missing; the lane waits`;
    this.#ports.onNotice(new ConcordatError('CHAIN_GAP', text), { topic, lane });
    this.#options.onMissing?.();
  }

  /** Nothing is missing any more of all that was looked at. */
  #goOn(lane: number, { next }: Standing): void {
    this.#standing.delete(lane);
    if (next !== undefined) this.#ports.chains.setPosition(this.topic, lane, next);
  }

  #refuse(place: Place, why: ConcordatError, value: Uint8Array, nowMs: UnixMs): 'refused' {
    const { quarantine, onNotice } = this.#ports;
    if (quarantine.keep(place.source, why, value, nowMs)) onNotice(why, place);
    return 'refused';
  }
}

function remember(standing: Standing, came: number): void {
  standing.first = Math.min(standing.first, came);
  standing.newest = Math.max(standing.newest, came);
  if (standing.early.size < EARLY_NUMBERS_MAX) standing.early.add(came);
}

/** A full disk or a failing one is no record's fault. */
function isStoreFailure(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code.startsWith('SQLITE_') && !code.startsWith('SQLITE_CONSTRAINT');
}

function missingText(gap: { readonly missingFrom: number; readonly missingTo: number }): string {
  return `numbers ${String(gap.missingFrom)} to ${String(gap.missingTo)}`;
}
