import { ConcordatError } from '@concordat/common/domain/errors.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { NodeContext } from '../flows/context.js';
import type { EventRow } from './data-store.js';

type ShowResponse = concordat.node.v1.ShowResponse;

const SHOWN = {
  published: 'PUBLISHED',
  waiting: 'WAITING',
  readable: 'READABLE',
  leased: 'LEASED',
  refused: 'REFUSED',
  held: 'HELD',
} as const;

/** Of an event that is gone nothing is told but that, and what replaced it. */
const NOTHING = {
  category: '',
  sections: [],
  purposes: [],
  collectedAtMs: 0,
  retainUntilMs: 0,
  deleteByMs: 0,
  supersedes: '',
  agreement: '',
  legalBasis: '',
  schemaHash: new Uint8Array(),
};

/** Header facts of one event, own or received; no content. @throws ConcordatError EVENT_UNKNOWN */
export function showEvent(context: NodeContext, origin: MemberId, id: EventId): ShowResponse {
  const { data, state, codec, self } = context;
  const supersededBy = (origin === self ? state.own.successorOf(id) : undefined) ?? '';
  const cause = state.tombstones.causeOf(origin, id);
  if (cause !== undefined) {
    const gone = cause === 'retention' ? 'ENDED' : 'PURGED';
    const isHeld = state.holds.find(origin, id) !== undefined;
    return { origin, eventId: id, state: isHeld ? 'HELD' : gone, ...NOTHING, supersededBy };
  }
  const row = data.find(origin, id);
  if (!row) throw new ConcordatError('EVENT_UNKNOWN', `no event ${id} of ${origin} is held here`);
  const header = parseHeader(codec, row.header);
  if (!header.ok) throw header.error;
  const { category, collectedAtMs, retainUntilMs, handling, supersedes } = header.value;
  const { release } = row;
  return {
    origin,
    eventId: id,
    category,
    state: SHOWN[row.state],
    sections: release?.sections ?? header.value.sections.map(({ name }) => name),
    purposes: release?.purposes ?? header.value.purposes,
    collectedAtMs,
    retainUntilMs,
    deleteByMs: release?.deleteByMs ?? retainUntilMs,
    handling,
    supersedes: supersedes ?? '',
    agreement: release ? `${release.agreementId} v${String(release.agreementVersion)}` : '',
    legalBasis: header.value.legalBasis,
    schemaHash: header.value.schemaHash,
    supersededBy,
    ...audienceOf(context, row),
  };
}

/** Own events only: a recipient sees no more than a commitment. */
function audienceOf({ codec }: NodeContext, row: EventRow): Pick<ShowResponse, 'audience'> {
  if (!row.audience) return {};
  const audience = codec.decode('Audience', row.audience.value);
  if (!audience.ok) throw audience.error;
  return { audience: audience.value };
}
