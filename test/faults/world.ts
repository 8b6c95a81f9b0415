import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Book } from './load/book.js';
import type { Generations } from './load/lane-reader.js';
import type { Officer } from './load/officer.js';
import type { Subscriber } from './load/subscriber.js';
import type { Cluster } from './stage/cluster.js';
import type { SmallDisk } from './stage/small-disk.js';
import type { Stage } from './stage/federation.js';

/** Everything that one run works with. */
export interface World {
  readonly stage: Stage;
  readonly cluster: Cluster;
  readonly book: Book;
  readonly officer: Officer;
  readonly generations: Generations;
  readonly subscribers: readonly Subscriber[];
  /** by the name of a process, `un-node` or `broker-1`: the disk under its data, where a small one could be had */
  readonly disks: ReadonlyMap<string, SmallDisk>;
  readonly tell: (text: string) => void;
}

export function nationalOf({ stage }: Pick<World, 'stage'>, member: MemberId) {
  const client = stage.national.get(member);
  if (!client) throw new TypeError(`${member} has no node`);
  return client;
}

/** The one of these to which a number from 0 to 1 leads. */
export function pick<T>(among: readonly T[], part: number): T {
  const found = among[Math.floor(part * among.length)];
  if (found === undefined) throw new TypeError('there is nothing to choose from');
  return found;
}
