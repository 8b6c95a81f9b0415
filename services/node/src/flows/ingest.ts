import { type ReceivedRelease, readFeedBlock } from '@concordat/common/domain/block.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import {
  FollowedTopic,
  type ReadStatement,
  type ReadVoid,
} from '@concordat/common/io/chain/followed-topic.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { takeIn } from '../domain/purge/take-in.js';
import type { NewRow } from '../io/data-store.js';
import type { BatchPlace } from '../io/data/waiting-rows.js';
import { type NodeContext, followPorts } from './context.js';
import type { FeedReleases } from './feed-releases.js';
import type { TopicFlow } from './readers.js';

export interface IngestPorts {
  /** remembers what a statement releases: it need not be decoded again */
  readonly releases: Pick<FeedReleases, 'remember'>;
  /** after the commit: rows wait */
  readonly onWaiting: () => void;
  /** numbers of the feed are missing */
  readonly onMissing: () => void;
}

/**
 * Takes feed blocks in: rows and ciphertexts with the position in one commit, waiting for their keys. What is purged
 * here already is not taken in again, whatever the feed says.
 */
export class Ingest implements TopicFlow {
  readonly followed: FollowedTopic;
  readonly #context: NodeContext;
  readonly #origin: MemberId;
  readonly #releases: IngestPorts['releases'];
  readonly #onWaiting: IngestPorts['onWaiting'];
  #waiting = 0;

  constructor(context: NodeContext, origin: MemberId, told: IngestPorts) {
    this.#context = context;
    this.#origin = origin;
    this.#releases = told.releases;
    this.#onWaiting = told.onWaiting;
    const topic = feedTopic({ origin, recipient: context.self });
    this.followed = new FollowedTopic(followPorts(context, 'data'), {
      topic,
      chainOf: (lane) => `${topic}/${String(lane)}`,
      read: (value, lane) => this.#read(value, lane),
      duplicates: 'feed.duplicate',
      onEffectFailing: 'set aside',
      onMissing: told.onMissing,
      readVoid: (value, lane) => this.#readVoid(value, lane),
    });
  }

  close(): void {
    // nothing here ever waits
  }

  handle(batch: readonly LogRecord[]): Promise<void> {
    const came = this.followed.commit(batch);
    this.settle();
    return came === 'done' ? Promise.resolve() : Promise.reject(this.followed.filled());
  }

  settle(): void {
    if (this.#waiting === 0) return;
    this.#waiting = 0;
    this.#onWaiting();
  }

  #read(value: Uint8Array, onLane: number): Result<ReadStatement, ConcordatError> {
    const { codec, keys, self, data } = this.#context;
    const block = readFeedBlock(codec, keys, value, { origin: this.#origin, recipient: self });
    if (!block.ok) return block;
    const { statement, releases } = block.value;
    const { lane, epoch, number, previous } = statement.value;
    if (lane !== onLane) {
      return err(new ConcordatError('NOT_ADDRESSED_HERE', 'a block of another lane'));
    }
    const problem = releases.map(termsProblem).find((one) => one !== undefined);
    if (problem !== undefined) return err(new ConcordatError('ENVELOPE_MALFORMED', problem));
    return ok({
      link: { epoch, number, previous, hash: statement.hash },
      apply: () => {
        const chain = `${this.followed.topic}/${String(lane)}`;
        data.chains.count('feed.blocks');
        this.#waiting += this.#insert(releases, { chain, epoch, number }, statement);
        return undefined;
      },
    });
  }

  /** Only who writes the feed may say that a part of it will never come. */
  #readVoid(value: Uint8Array, lane: number): Result<ReadVoid, ConcordatError> {
    const { codec, keys } = this.#context;
    const read = verifyStatement(codec, keys, 'Void', value, { signer: this.#origin });
    if (!read.ok) return read;
    const { value: said, key } = read.value;
    if (key.role !== 'consent') {
      return err(new ConcordatError('KEY_ROLE_WRONG', `Void: expected consent, got ${key.role}`));
    }
    if (said.chain !== this.followed.chainOf(lane)) {
      return err(new ConcordatError('NOT_ADDRESSED_HERE', 'a void of another chain'));
    }
    return ok(said);
  }

  /** @returns how many rows now wait for keys */
  #insert(
    received: readonly ReceivedRelease[],
    place: Omit<BatchPlace, 'origin'>,
    statement: Verified<'FeedStatement'>,
  ): number {
    const { data, state, recent } = this.#context;
    const origin = this.#origin;
    const ids = received.map(({ release }) => release.id);
    const buried = state.tombstones.buriedAmong(origin, ids);
    const taken = state.sections.among(origin, ids);
    const known = data.knownAmong(origin, ids);
    const places = new Map(statement.value.releases.map(({ id }, at) => [id, at]));
    const rows: NewRow[] = [];
    for (const { release, header, headerBytes, sections } of received) {
      const { id } = release;
      const isHere = { isBuried: buried.has(id), isKnown: known.has(id) };
      const came = takeIn({ ...isHere, gone: taken.get(id) ?? NONE }, sections);
      if (came.kind !== 'waits') {
        data.chains.count(`feed.${came.kind}`);
        continue;
      }
      const { category } = header;
      const body = { category, header: headerBytes, release, sections: came.sections };
      rows.push({ id, place: places.get(id) ?? 0, body });
      recent.keep(origin, id, { header, purposes: release.purposes });
    }
    if (rows.length === 0) return 0;
    const batch = data.waiting.open({ origin, ...place }, statement.bytes);
    data.insert(
      origin,
      'waiting',
      batch,
      rows.sort((one, other) => one.place - other.place),
    );
    this.#releases.remember(batch, statement.value.releases);
    return rows.length;
  }
}

const NONE: ReadonlySet<string> = new Set();

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
