import { type ReceivedRelease, readFeedBlock } from '@concordat/common/domain/block.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { type LogRecord, sourceOf } from '@concordat/common/io/log-client.js';
import type { FeedPlace } from '../io/data-store.js';
import type { NodeContext } from './context.js';
import type { TopicFlow } from './readers.js';
import { StoppedLanes } from './stopped-lanes.js';

/**
 * Takes feed blocks in: rows and ciphertexts with the position in one commit, waiting for their keys. What is purged
 * here already is not taken in again, whatever the feed says.
 */
export class Ingest implements TopicFlow {
  readonly #context: NodeContext;
  readonly #origin: MemberId;
  readonly #onWaiting: () => void;
  readonly #stopped: StoppedLanes;

  constructor(context: NodeContext, origin: MemberId, onWaiting: () => void) {
    this.#context = context;
    this.#origin = origin;
    this.#onWaiting = onWaiting;
    this.#stopped = new StoppedLanes(context.warn);
  }

  get topic(): string {
    return feedTopic({ origin: this.#origin, recipient: this.#context.self });
  }

  position(lane: number): bigint {
    return this.#context.data.chains.position(this.topic, lane);
  }

  reopen(): void {
    this.#stopped.clear();
  }

  close(): void {
    // nothing here ever waits
  }

  handle(batch: readonly LogRecord[]): Promise<void> {
    const { data } = this.#context;
    let waiting = 0;
    data.db.transaction(() => {
      for (const record of batch) {
        if (this.#stopped.has(record)) return;
        waiting += this.#take(record);
      }
    });
    if (waiting > 0) this.#onWaiting();
    return Promise.resolve();
  }

  /** @returns how many rows now wait for keys */
  #take(record: LogRecord): number {
    const { codec, keys, self, data, clock } = this.#context;
    const chains = data.chains;
    const done = (): void => {
      chains.setPosition(record.topic, record.lane, record.offset + 1n);
    };
    const refuse = (why: ConcordatError): number => {
      chains.quarantine(sourceOf(record), why, record.value, clock.nowMs());
      this.#context.warn(why.code, `${sourceOf(record)}: ${why.message}`);
      done();
      return 0;
    };
    const block = readFeedBlock(codec, keys, record.value, {
      origin: this.#origin,
      recipient: self,
    });
    if (!block.ok) return refuse(block.error);
    const { statement, releases } = block.value;
    const { lane, epoch, number, previous } = statement.value;
    const chain = `${record.topic}/${String(lane)}`;
    if (lane !== record.lane) {
      return refuse(new ConcordatError('NOT_ADDRESSED_HERE', 'a block of another lane'));
    }
    const problem = releases.map(termsProblem).find((one) => one !== undefined);
    if (problem !== undefined) return refuse(new ConcordatError('ENVELOPE_MALFORMED', problem));
    const link = { epoch, number, previous, hash: statement.hash };
    const followed = chains.follow(chain, link, clock.nowMs());
    switch (followed.kind) {
      case 'gap':
        this.#stopped.stop(record, chain, followed);
        return 0;
      case 'broken':
        return refuse(new ConcordatError('CHAIN_BROKEN', `${chain}: does not follow its head`));
      case 'equivocation':
        return refuse(
          new ConcordatError(
            'EQUIVOCATION',
            `${chain}: two statements of number ${String(number)}`,
          ),
        );
      case 'duplicate':
        chains.count('feed.duplicate');
        done();
        return 0;
      case 'next': {
        const place = { chain, epoch, number };
        chains.count('feed.blocks');
        const taken = this.#insert(releases, place, statement.value.releases, statement.bytes);
        done();
        return taken;
      }
    }
  }

  #insert(
    received: readonly ReceivedRelease[],
    place: Omit<FeedPlace, 'index'>,
    order: readonly ReceivedRelease['release'][],
    statement: Uint8Array,
  ): number {
    const { data, state } = this.#context;
    let taken = 0;
    for (const { release, header, headerBytes, sections } of received) {
      if (state.tombstones.isBuried(this.#origin, release.id)) {
        data.chains.count('feed.purged');
        continue;
      }
      const { agreementId, agreementVersion, consentId, purposes, deleteByMs, onward } = release;
      const { lane, epoch, number } = release.block;
      const inserted = data.insert(
        {
          origin: this.#origin,
          id: release.id,
          state: 'waiting',
          category: header.category,
          header: headerBytes,
          release: {
            agreementId,
            agreementVersion,
            consentId,
            purposes,
            deleteByMs,
            onward,
            sections: release.sections,
            block: { lane, epoch, number },
            leaf: release.leaf,
          },
        },
        sections,
        { ...place, index: order.indexOf(release) },
      );
      if (inserted) taken += 1;
      else data.chains.count('feed.known');
    }
    if (taken > 0) data.keepFeedStatement(place, statement);
    return taken;
  }
}

/** A release may narrow what the origin's node signed in the header, never widen it. */
function termsProblem({ release, header }: ReceivedRelease): string | undefined {
  const { purposes, sections, deleteByMs } = release;
  if (purposes.length === 0 || !purposes.every((name) => header.purposes.includes(name))) {
    return 'a release for another purpose than the event names';
  }
  if (sections.length === 0 || new Set(sections).size !== sections.length) {
    return 'a release of no section, or of one twice';
  }
  return deleteByMs > header.retainUntilMs ? 'a release beyond the retention term' : undefined;
}
