import { readBlock } from '@concordat/common/domain/block.js';
import { equalBytes } from '@concordat/common/domain/bytes.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { eventsTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { type OwnEvent, blockKey } from '../../io/state/own-publications.js';
import type { NodeContext } from '../context.js';

const PAGE = 4_096;

/** Own blocks of which events lack their rows. */
type Wanted = Map<string, { readonly event: OwnEvent; readonly ids: Set<EventId> }>;

/**
 * Puts the rows of own events back that the data store lost: from the blocks that are kept to be sent again, else from
 * the own events topic, which has them for some days.
 *
 * @returns how many own events, not purged, have no row still
 */
export async function rescueOwnRows(context: NodeContext, log: LogClient): Promise<number> {
  if (!isAnyMissing(context)) return 0;
  const wanted = missing(context);
  for (const [key, { event, ids }] of wanted) {
    const { lane, epoch, number: from } = event;
    const place = { topic: eventsTopic(context.self), lane, epoch, from };
    const [value] = context.state.chains.keptFrom(place, 1).values;
    if (value && putBack(context, value, ids)) wanted.delete(key);
  }
  if (wanted.size > 0) await fromTopic(context, log, wanted);
  return [...wanted.values()].reduce((sum, { ids }) => sum + ids.size, 0);
}

function isAnyMissing({ self, state, data }: NodeContext): boolean {
  const published = state.own.count() - (state.tombstones.counts()[self] ?? 0);
  const rows = data.countByState().find((one) => one.origin === self && one.state === 'published');
  return (rows?.n ?? 0) < published;
}

function missing({ self, state, data }: NodeContext): Wanted {
  const wanted: Wanted = new Map();
  for (let last: EventId | undefined; ;) {
    const page = state.own.after(last, PAGE);
    last = page.at(-1)?.id;
    if (!last) return wanted;
    const ids = page.map(({ id }) => id);
    const there = data.knownAmong(self, ids);
    const buried = state.tombstones.buriedAmong(self, ids);
    for (const { id, event } of page) {
      if (there.has(id) || buried.has(id)) continue;
      const one = wanted.get(blockKey(event)) ?? { event, ids: new Set() };
      wanted.set(blockKey(event), one);
      one.ids.add(id);
    }
  }
}

async function fromTopic(context: NodeContext, log: LogClient, wanted: Wanted): Promise<void> {
  const { codec, self } = context;
  const topic = eventsTopic(self);
  for (const lane of new Set([...wanted.values()].map(({ event }) => event.lane))) {
    await log.scan(topic, lane, 0n, ({ value }) => {
      const block = codec.decode('Block', value);
      const signed = block.ok ? codec.decode('Signed', block.value.statement) : block;
      const statement = signed.ok ? codec.decode('BlockStatement', signed.value.payload) : signed;
      const one = statement.ok ? wanted.get(blockKey(statement.value)) : undefined;
      if (!one || !statement.ok) return;
      if (putBack(context, value, one.ids)) wanted.delete(blockKey(statement.value));
    });
  }
}

/** @returns false when this is not the block that was published there */
function putBack(context: NodeContext, value: Uint8Array, ids: ReadonlySet<EventId>): boolean {
  const { codec, keys, self, state, data } = context;
  const block = readBlock(codec, keys, value, self);
  if (!block.ok) return false;
  const { value: statement, hash } = block.value.statement;
  const own = state.own.block(statement);
  if (!own || !equalBytes(own.hash, hash)) return false;
  const rows = block.value.envelopes
    .filter(({ header }) => ids.has(header.id))
    .map(({ header, leaf, envelope: { header: bytes, audience, sections } }) => ({
      id: header.id,
      place: leaf,
      body: { category: header.category, header: bytes, sections, ...(audience && { audience }) },
    }));
  const { lane, epoch, number } = statement;
  const chain = `${eventsTopic(self)}/${String(lane)}`;
  data.db.transaction(() => {
    const batch = data.waiting.open({ origin: self, chain, epoch, number });
    data.insert(self, 'published', batch, rows);
  });
  return true;
}
