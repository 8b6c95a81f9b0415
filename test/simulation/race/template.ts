import { join } from 'node:path';
import { type EventId, type MemberId, eventIdOf } from '@concordat/common/domain/ids.js';
import type { Release } from '@concordat/common/domain/records.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { DataStore } from '@concordat/node/io/data-store.js';
import { codec, schemasDir } from '../../support/federation.js';
import { DE, FR, LANES, NodeWorld, UN, rule } from '../../support/node-world.js';
import { eventId } from '../../support/origin.js';
import { until } from '../../support/until.js';
import { filesIn } from '../disk.js';

/** Events of every race: the first two share a block. */
export const EVENTS = 5;
export const eventsOfRace: readonly EventId[] = Array.from({ length: EVENTS }, (_none, n) =>
  eventId(n + 1),
);
/** The section that narrower covers take. */
export const SECTION = 'remarks';

/** A feed statement as the recipient got it, and its releases by their places. */
export interface FedStatement {
  readonly statement: Uint8Array;
  readonly releases: readonly Release[];
}

/** What stands before every race: events that are published and fed, and of which nobody has a key yet. */
export interface RaceTemplate {
  readonly world: NodeWorld;
  readonly schemas: {
    readonly codec: typeof codec;
    readonly categories: ReturnType<typeof openCategoryCodec>;
  };
  readonly originFiles: ReadonlyMap<string, Uint8Array>;
  /** of a recipient that was started once */
  readonly recipientFiles: ReadonlyMap<string, Uint8Array>;
  /** topic to records, lane by lane */
  readonly topics: ReadonlyMap<string, readonly (readonly LogRecord[])[]>;
  readonly fedTo: ReadonlyMap<MemberId, readonly FedStatement[]>;
  /** by event, a piece of each section's ciphertext */
  readonly ciphertexts: ReadonlyMap<EventId, ReadonlyMap<string, Uint8Array>>;
  readonly startMs: number;
  dispose(): Promise<void>;
}

const TOPICS = ['events.un', 'ledger.un', 'membership.un', 'grants.un', 'feed.un.de', 'feed.un.fr'];

/** By the shipped services: the origin publishes, its consent service decides. */
export async function makeTemplate(): Promise<RaceTemplate> {
  const world = new NodeWorld([rule('r-de', DE, ['**'], ['*']), rule('r-fr', FR, ['**'], ['*'])]);
  await world.start(UN);
  await Promise.all([world.publish(1), world.publish(2)]);
  for (let n = 3; n <= EVENTS; n += 1) await world.publish(n);
  const fed = (member: MemberId) => statementsTo(world, member);
  await until('all is fed', () =>
    [DE, FR].every((member) => fed(member).flatMap(({ releases }) => releases).length === EVENTS),
  );
  const fedTo = new Map([DE, FR].map((member) => [member, fed(member)]));
  const dir = world.node(UN).dataDir;
  await world.stopNode(UN);
  await world.stopConsent();
  const topics = new Map(
    TOPICS.map((name) => [name, world.log.lanes(name).map(({ records }) => [...records])]),
  );
  world.log.createTopic('feed.un.de', LANES);
  const emptyDir = (await world.startNode(DE)).dataDir;
  await world.stopNode(DE);
  return {
    ...{ world, topics },
    schemas: { codec, categories: openCategoryCodec(schemasDir) },
    originFiles: filesIn(dir),
    recipientFiles: filesIn(emptyDir),
    fedTo,
    ciphertexts: ciphertextsIn(join(dir, 'data.db')),
    startMs: Date.now(),
    dispose: () => world.dispose(),
  };
}

function statementsTo(world: NodeWorld, member: MemberId): FedStatement[] {
  const lanes = Array.from({ length: LANES }, (_none, lane) => lane);
  return lanes
    .flatMap((lane) => world.records(`feed.un.${member}`, lane))
    .map(({ value }) => {
      const block = codec.decode('FeedBlock', value);
      if (!block.ok) throw block.error;
      const { statement } = block.value;
      const { keys } = world.members;
      const read = verifyStatement(codec, keys, 'FeedStatement', statement, { signer: UN });
      if (!read.ok) throw read.error;
      return { statement, releases: read.value.value.releases };
    });
}

const PIECE_BYTES = 24;

function ciphertextsIn(file: string): Map<EventId, Map<string, Uint8Array>> {
  const data = new DataStore(file);
  const found = new Map<EventId, Map<string, Uint8Array>>();
  for (const { id } of data.holdings()) {
    const known = eventIdOf(id);
    if (!known.ok) throw new Error(known.error);
    const pieces = data
      .sections(UN, known.value)
      .map(({ name, sealed }) => [name, sealed.slice(40, 40 + PIECE_BYTES)] as const);
    found.set(known.value, new Map(pieces));
  }
  data.close();
  return found;
}
