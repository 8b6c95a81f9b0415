import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { parseCursor } from '../domain/cursor.js';
import type { NationalSystem, SystemKind } from '../io/state/systems-table.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';
import { writeReceipts } from './honour-purge.js';

/** A member has a handful; each copy system multiplies what a purge writes. */
const SYSTEMS_MAX = 64;

/** @throws ConcordatError SYSTEM_UNKNOWN */
export function demandSystem({ state }: NodeContext, id: string): NationalSystem {
  const system = state.systems.find(id);
  if (system) return system;
  const problem = 'expected a registered system: call RegisterSystem first';
  throw fieldError('SYSTEM_UNKNOWN', 'system_id', problem);
}

/** The same again changes nothing. A copy system becomes a view only when it owes no answer to a withdrawal. */
export function registerSystem(context: NodeContext, id: string, kind: SystemKind): NationalSystem {
  const { state, data, clock } = context;
  const known = state.systems.find(id);
  if (!known && state.systems.all().length >= SYSTEMS_MAX) {
    const text = `expected at most ${String(SYSTEMS_MAX)} systems: use the id of one that is registered`;
    throw fieldError('REQUEST_INVALID', 'system_id', text);
  }
  if (known?.kind === 'copy' && kind === 'view' && known.outstanding > 0) {
    const text = `expected copy, for ${String(known.outstanding)} withdrawals are not acknowledged: acknowledge them first`;
    throw fieldError('REQUEST_INVALID', 'kind', text);
  }
  state.systems.register(id, kind, clock.nowMs());
  const registered = demandSystem(context, id);
  data.systems.keep(registered);
  return registered;
}

/** After a loss of the state, and before anything is receipted: copy systems are asked as before. */
export function rememberSystems({ state, data }: NodeContext): void {
  for (const { id, kind, registeredAtMs } of data.systems.all()) {
    if (!state.systems.find(id)) state.systems.register(id, kind, registeredAtMs);
  }
  for (const system of state.systems.all()) data.systems.keep(system);
}

/** Keeps what a system has done; receipts that waited for it are signed at once. */
export function acknowledge(
  context: NodeContext,
  systemId: string,
  done: {
    readonly cursor: string;
    readonly withdrawn: readonly { readonly origin: MemberId; readonly id: EventId }[];
  },
): NationalSystem {
  const { state } = context;
  demandSystem(context, systemId);
  const cursor = done.cursor === '' ? undefined : parseCursor(done.cursor, state.notices.place());
  if (cursor?.ok === false) throw cursor.error;
  demandBuried(context, done.withdrawn);
  state.db.transaction(() => {
    if (cursor) state.systems.advance(systemId, cursor.value);
    for (const { origin, id } of done.withdrawn) state.systems.acknowledge(systemId, origin, id);
  });
  if (done.withdrawn.length > 0) {
    finishBurials(context);
    writeReceipts(context);
  }
  return demandSystem(context, systemId);
}

/** Whoever acknowledges what was never withdrawn has mixed something up, and may still hold what was. */
function demandBuried(
  { state }: NodeContext,
  withdrawn: readonly { readonly origin: MemberId; readonly id: EventId }[],
): void {
  for (const [at, { origin, id }] of withdrawn.entries()) {
    if (state.tombstones.isBuried(origin, id)) continue;
    if (state.sections.of(origin, id).size > 0) continue;
    const field = `withdrawn[${String(at)}]`;
    const details = { fields: [{ field, problem: 'expected a withdrawn event' }] };
    const text = `${field}: expected an event that was withdrawn here: nothing is acknowledged`;
    throw new ConcordatError('EVENT_UNKNOWN', text, { details });
  }
}
