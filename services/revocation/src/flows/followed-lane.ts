import { setImmediate as turn } from 'node:timers/promises';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Hash, UnixMs } from '@concordat/common/domain/ids.js';
import type { Result } from '@concordat/common/domain/result.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import type { RevocationContext } from './context.js';

/** Records of one commit: calls are answered between two of them. */
const COMMIT_RECORDS = 32;
/** Numbers remembered behind a gap. What comes after more of them is read again at the next start at the latest. */
const EARLY_NUMBERS_MAX = 10_000;

/** A verified statement of the chain, and what it does here once it is its turn. */
export interface ReadStatement {
  readonly link: {
    readonly epoch: number;
    readonly number: number;
    readonly previous: Hash;
    readonly hash: Hash;
  };
  /** Runs in the commit that moves the chain's head; an error puts the record into quarantine, the chain goes on. */
  readonly apply: (nowMs: UnixMs) => ConcordatError | undefined;
}

export interface FollowedLaneOptions {
  /** A topic of one lane that carries one chain; also the chain's name. */
  readonly topic: string;
  readonly read: (value: Uint8Array) => Result<ReadStatement, ConcordatError>;
  /** Told after every commit. */
  readonly onCommit: () => void;
}

/**
 * Follows one signed chain on its topic. Refused records go to quarantine and the lane goes on; a missing number stops the
 * lane where it stands, by name: its position no longer moves and nothing behind the gap has an effect, until the missing
 * statements come. Then it goes on from where it stopped, without a restart.
 */
export class FollowedLane {
  readonly topic: string;
  readonly #context: RevocationContext;
  readonly #options: FollowedLaneOptions;
  /** While the lane stands still: numbers that came too early and have to be read again. */
  #early: Set<number> | undefined;

  constructor(context: RevocationContext, options: FollowedLaneOptions) {
    this.topic = options.topic;
    this.#context = context;
    this.#options = options;
  }

  /** A lane that stood at a gap reads all again: what was refused then, for want of a key, may be the missing piece. */
  position(): bigint {
    const { store } = this.#context;
    if (store.hasGap(this.topic) && !this.#early) return 0n;
    return store.chains.position(this.topic, 0);
  }

  async handle(batch: readonly LogRecord[]): Promise<void> {
    for (let at = 0; at < batch.length; at += COMMIT_RECORDS) {
      if (at > 0) await turn();
      const chunk = batch.slice(at, at + COMMIT_RECORDS);
      const isFilled = this.#commit(chunk);
      this.#options.onCommit();
      if (isFilled) {
        // retryable: the lane asks for `position` again
        throw new ConcordatError('CHAIN_GAP', `${this.topic}: the gap is filled, reading goes on`);
      }
    }
  }

  #commit(chunk: readonly LogRecord[]): boolean {
    const { store, clock } = this.#context;
    try {
      const isFilled = store.db.transaction(() => {
        for (const record of chunk) {
          this.#take(record, clock.nowMs());
          if (!this.#early) store.chains.setPosition(this.topic, 0, record.offset + 1n);
        }
        const { number } = store.chains.followedHead(this.topic);
        return this.#early?.has(number + 1) === true;
      });
      if (isFilled) this.#early = undefined;
      return isFilled;
    } catch (cause) {
      this.#early = undefined; // nothing counts: the lane is read again from its position
      throw cause;
    }
  }

  #take(record: LogRecord, nowMs: UnixMs): void {
    const { chains } = this.#context.store;
    const read = this.#options.read(record.value);
    if (!read.ok) {
      this.#quarantine(record, read.error, nowMs);
      return;
    }
    const { link, apply } = read.value;
    const followed = chains.follow(this.topic, link, nowMs);
    const where = `${this.topic} number ${link.number}`;
    switch (followed.kind) {
      case 'next': {
        const problem = apply(nowMs);
        if (problem) this.#quarantine(record, problem, nowMs);
        return;
      }
      case 'duplicate':
        chains.count(`duplicates.${this.topic}`);
        return;
      case 'gap':
        this.#stop(followed.missingFrom, link.number);
        return;
      case 'broken': {
        const text = `${where}: does not follow the statement before it`;
        this.#quarantine(record, new ConcordatError('CHAIN_BROKEN', text), nowMs);
        return;
      }
      case 'equivocation': {
        const text = `${where}: signed before with other contents`;
        this.#quarantine(record, new ConcordatError('EQUIVOCATION', text), nowMs);
      }
    }
  }

  #stop(missingFrom: number, came: number): void {
    if (!this.#early) {
      this.#early = new Set();
      const text = `${this.topic}: expected number ${missingFrom}, came ${came}; the lane waits`;
      const error = new ConcordatError('CHAIN_GAP', text);
      this.#context.logger.warn('a lane stopped at a gap', { topic: this.topic, error });
    }
    if (this.#early.size < EARLY_NUMBERS_MAX) this.#early.add(came);
  }

  #quarantine(record: LogRecord, why: ConcordatError, nowMs: UnixMs): void {
    const source = `${record.topic}/${record.lane}/${record.offset}`;
    const { chains } = this.#context.store;
    if (chains.quarantine(source, why, record.value, nowMs) === 'known') return;
    const offset = String(record.offset);
    this.#context.logger.warn('a record was refused', { topic: this.topic, offset, error: why });
  }
}
