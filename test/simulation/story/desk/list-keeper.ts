import { diffEntries } from '@concordat/cli/domain/un-list/match.js';
import { categoryOf, toListing } from '@concordat/cli/domain/un-list/to-listing.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { MEMBERS } from '../../world/federation.js';
import type { World } from '../../world/world.js';
import type { Actor } from '../actor.js';
import { orderPurge } from '../orders.js';
import { draftOf, publishAll } from '../publish.js';

/** At most so many of a list in a seed: each costs as much as any event. */
const ENTRIES_MAX = 12;

interface Kept {
  /** how many lists were published */
  lists: number;
  /** by reference number on the list */
  readonly live: Map<string, EventId>;
}
const kept = new WeakMap<World, Kept>();

/** One member publishes the UN list, one snapshot after the other: new, amended, and taken back when it is delisted. */
export const listKeeper: Actor = {
  name: 'keeps the UN list',
  weight: 1,
  act: async (world, draw) => {
    const [origin] = MEMBERS;
    const book = kept.get(world) ?? { lists: 0, live: new Map<string, EventId>() };
    kept.set(world, book);
    const { lists } = world.template;
    const [before, now] = [lists[book.lists - 1], lists[book.lists]];
    if (!origin || !now) return;
    book.lists += 1;
    const { added, amended, delisted } = diffEntries(before?.entries ?? [], now.entries);
    const drafts = [...added, ...amended.map(({ after }) => after)]
      .slice(0, ENTRIES_MAX)
      .flatMap((entry) => {
        const listing = toListing(entry, now.dateGenerated);
        const type = world.template.schemas.categories.findByCategory(categoryOf(entry));
        if (!listing.ok || !type) return [];
        const json = Buffer.from(JSON.stringify(listing.value));
        const content = { category: categoryOf(entry), schemaHash: type.hash, json };
        const supersedes = book.live.get(entry.reference);
        const draft = draftOf(world, draw, origin, supersedes ? { supersedes } : {}, content);
        book.live.set(entry.reference, draft.event.id);
        return [draft];
      });
    await publishAll(world, origin, drafts);
    world.reached('a list is published');
    const ids = delisted.flatMap(({ reference }) => book.live.get(reference) ?? []);
    if (ids.length > 0) await orderPurge(world, draw, { origin, ids, scope: 'delisted' });
  },
};
