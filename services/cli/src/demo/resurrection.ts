import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type EventId, type MemberId, idBytes } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import type { Book } from './book.js';
import type { DemoClients } from './clients.js';
import { inParallel } from './patience.js';
import type { Places } from './places.js';
import { refusalOf } from './read-back.js';
import { ORIGIN, RECIPIENTS } from './scenario.js';

const WIDTH = 8;

/** Purged ids that some recipient's node still opens. */
export async function readablePurged(
  clock: Clock,
  clients: DemoClients,
  book: Book,
): Promise<Set<EventId>> {
  const found = new Set<EventId>();
  for (const node of clients.recipients.values()) {
    await inParallel(book.purged, WIDTH, async ({ id }) => {
      if ((await refusalOf(clock, node, id)) === undefined) found.add(id);
    });
  }
  return found;
}

/** Purged ids of which a member's files still hold a row or a key; looked up in the files, with the nodes stopped. */
export function storedPurged(places: Places, book: Book): Set<EventId> {
  const found = new Set<EventId>();
  for (const member of [ORIGIN, ...RECIPIENTS]) {
    for (const { id } of book.purged) if (isStored(places, member, id)) found.add(id);
  }
  return found;
}

function isStored(places: Places, member: MemberId, id: EventId): boolean {
  const dir = places.dataDir(member, 'node');
  return [
    { file: 'data.db', tables: ['event'] },
    { file: 'vault.db', tables: ['event_key'] },
  ].some(({ file, tables }) => {
    const path = join(dir, file);
    if (!existsSync(path)) throw new TypeError(`${path} is not there`);
    const store = new Sqlite(path, '');
    try {
      return tables.some(
        (table) =>
          store.get(
            `SELECT 1 AS one FROM ${table} WHERE origin = ? AND id = ? LIMIT 1`,
            ORIGIN,
            idBytes(id),
          ) !== undefined,
      );
    } finally {
      store.close();
    }
  });
}
