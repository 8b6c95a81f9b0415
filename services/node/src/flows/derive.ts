import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import type { Composed, Draft } from '../domain/compose.js';
import { mayBeMade } from '../domain/purge/children.js';
import type { Derivation } from '../io/derivations.js';
import type { NodeContext } from './context.js';

/** Asks an origin's node for grants; resolves to signed grants in the order of `parents`. */
export type AskForGrants = (
  child: EventId,
  parents: readonly EventId[],
  signal: AbortSignal,
) => Promise<readonly Uint8Array[]>;

type Parent = Draft['derivedFrom']['parents'][number];

/** Obtains what has to be there before a derived event may be published: a grant of each foreign parent's origin. */
export class Deriver {
  readonly #context: NodeContext;
  readonly #askers: ReadonlyMap<MemberId, AskForGrants>;
  /** one request is under way for each origin */
  readonly #turns = new Map<MemberId, Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(context: NodeContext, askers: ReadonlyMap<MemberId, AskForGrants>) {
    this.#context = context;
    this.#askers = askers;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Does this draft have to wait for others? What replaces a derived event is derived from the same events. */
  isDerived({ id, derivedFrom, supersedes }: Draft): boolean {
    if (this.#context.state.own.event(id)) return false; // published before, with what it needed
    if (derivedFrom.parents.length > 0) return true;
    return supersedes !== null && this.#inherited(supersedes).length > 0;
  }

  /**
   * The draft with all its parents, each foreign one granted. Grants are kept before anything is published: one without its
   * event is answered as never made.
   *
   * @throws ConcordatError EVENT_UNKNOWN, DERIVATION_REFUSED, or why an origin could not be asked
   */
  async permit(draft: Draft): Promise<Draft> {
    if (!this.isDerived(draft)) return draft;
    const parents = this.#parentsOf(draft);
    demandStanding(this.#context, draft.id, parents);
    for (const parent of parents) this.#demandHeld(parent);
    const { state, self } = this.#context;
    const granted = state.derivations.parentsOf(draft.id).filter(({ grant }) => grant !== null);
    const known = new Set(granted.map(keyOf));
    const wanted = parents.filter(({ origin, id }) => {
      return origin !== self && !known.has(keyOf({ origin, parent: id }));
    });
    for (const [origin, some] of grouped(wanted, (one) => one.origin)) {
      const ids = some.map(({ id }) => id);
      await this.#obtain(draft.id, origin, ids);
    }
    return { ...draft, derivedFrom: { parents } };
  }

  /**
   * What is asked for is kept first: a purge of the parent that overtakes the answer finds it, and says of the child that it
   * was never made. The origin's seal may name the grant by then.
   */
  async #obtain(child: EventId, origin: MemberId, ids: readonly EventId[]): Promise<void> {
    const asked = ids.map((parent): Derivation => ({ origin, parent, child, grant: null }));
    this.#keep(asked);
    try {
      const grants = await this.#ask(origin, child, ids);
      this.#keep(asked.map((one, at) => this.#granted(one, grants[at] ?? new Uint8Array())));
    } catch (cause) {
      if (!asConcordatError(cause).retryable) this.#forget(asked);
      throw cause;
    }
  }

  async #ask(
    origin: MemberId,
    child: EventId,
    parents: readonly EventId[],
  ): Promise<readonly Uint8Array[]> {
    const ask = this.#askers.get(origin);
    if (!ask) throw new TypeError('expected an origin whose events are received here');
    const before = this.#turns.get(origin) ?? Promise.resolve();
    const asked = before.then(() => ask(child, parents, this.#closing.signal));
    this.#turns.set(
      origin,
      asked.catch(() => undefined),
    );
    return asked;
  }

  #parentsOf({ id: child, supersedes, derivedFrom }: Draft): Parent[] {
    const before = supersedes === null ? [] : this.#inherited(supersedes);
    const all = [
      ...derivedFrom.parents,
      ...before.map(({ origin, parent: id }) => ({ origin, id })),
    ];
    if (all.some(({ id }) => id === child)) {
      throw new ConcordatError(
        'REQUEST_INVALID',
        'derived_from: expected other events than itself',
      );
    }
    return [...new Map(all.map((one) => [`${one.origin} ${one.id}`, one])).values()];
  }

  /** What the event to be replaced was derived from; not what it only asked for. */
  #inherited(supersedes: EventId): Derivation[] {
    const { state, self } = this.#context;
    const known = state.derivations.parentsOf(supersedes);
    return known.filter(({ origin, grant }) => origin === self || grant !== null);
  }

  #demandHeld({ origin, id }: Parent): void {
    const { data, state, self } = this.#context;
    const isHeld =
      origin === self ? state.own.event(id) : data.find(origin, id)?.state === 'readable';
    if (isHeld) return;
    const text = `derived_from: expected an event that can be read here, got ${origin} ${id}`;
    throw new ConcordatError('EVENT_UNKNOWN', text);
  }

  #granted(asked: Derivation, bytes: Uint8Array): Derivation {
    const { codec, keys, self } = this.#context;
    const { origin, parent, child } = asked;
    const grant = verifyStatement(codec, keys, 'DerivationGrant', bytes, { signer: origin });
    if (!grant.ok) throw grant.error;
    const { value } = grant.value;
    if (value.holder === self && value.parent === parent && value.child === child) {
      return { ...asked, grant: bytes };
    }
    const text = `expected a grant of ${origin} to derive ${child} from ${parent}, came another`;
    throw new ConcordatError('NOT_ADDRESSED_HERE', text);
  }

  #keep(derivations: readonly Derivation[]): void {
    const { data, state } = this.#context;
    for (const { db, derivations: table } of [data, state]) {
      db.transaction(() => table.keep(derivations));
    }
  }

  #forget(derivations: readonly Derivation[]): void {
    const { data, state } = this.#context;
    for (const { db, derivations: table } of [state, data]) {
      db.transaction(() => table.drop(derivations));
    }
  }
}

function keyOf({ origin, parent }: Pick<Derivation, 'origin' | 'parent'>): string {
  return `${origin} ${parent}`;
}

/**
 * Nothing is published of what is taken back, nor under an id that was answered as never made. Asked before grants are, and
 * again in the piece of work that publishes.
 *
 * @throws ConcordatError DERIVATION_REFUSED
 */
export function demandStanding(
  { state }: NodeContext,
  child: EventId,
  parents: readonly Parent[],
): void {
  const gone = parents.find(({ origin, id }) => state.tombstones.isBuried(origin, id));
  const isOwed = state.children.isOwed(child);
  if (mayBeMade({ isParentGone: gone !== undefined, isOwed })) return;
  const what = gone ? `${gone.origin} ${gone.id}` : 'an event that it was to be derived from';
  throw new ConcordatError('DERIVATION_REFUSED', `derived_from: ${what} is taken back`);
}

/** What a published event comes from, own parents too. */
export function derivationsOf({ id: child, derivedFrom }: Composed): Derivation[] {
  return derivedFrom.parents.map(({ origin, id: parent }) => ({
    origin,
    parent,
    child,
    grant: null,
  }));
}

/** After a loss of one store: what the other knows. Before anything is read: purges look for children here. */
export function rememberDerivations({ data, state }: NodeContext): void {
  data.db.transaction(() => data.derivations.keep(state.derivations.all()));
  state.db.transaction(() => state.derivations.keep(data.derivations.all()));
}
