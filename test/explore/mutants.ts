import { WHOLE_COVER } from '@concordat/common/domain/purge-order.js';
import { CASTS } from './moves.js';
import type { Rules } from './rules.js';
import type { Cast } from './state.js';

/** A mistake that somebody could make, made on purpose: one shipped function or order replaced. */
export interface Mutant {
  readonly name: string;
  /** what has to say so */
  readonly caughtBy: `S${number}`;
  readonly cast: Cast;
  readonly change: (shipped: Rules) => Partial<Rules>;
}

const [ONE, DERIVED] = CASTS as [Cast, Cast];

const outcomes = (of: { readonly events: Parameters<Rules['burialOf']>[0]['events'] }) =>
  of.events.map(({ id }) => ({ id, outcome: 'NOT_HELD' as const }));

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a tombstone of what was never seen is not remembered',
    ...{ caughtBy: 'S10', cast: ONE },
    change: ({ burialOf }) => ({
      burialOf: (entry) => ({
        ...burialOf(entry),
        ids: entry.events.filter(({ isHeld }) => isHeld).map(({ id }) => id),
      }),
    }),
  },
  {
    name: 'a restore is not filtered by tombstones',
    ...{ caughtBy: 'S1', cast: ONE },
    change: () => ({ mayComeBack: () => undefined }),
  },
  {
    name: 'a start does not look for what came back',
    ...{ caughtBy: 'S1', cast: ONE },
    change: ({ startSteps }) => ({
      startSteps: (isClean) => startSteps(isClean).filter((step) => step !== 'what came back'),
    }),
  },
  {
    name: 'a start serves before it has deleted',
    ...{ caughtBy: 'S2', cast: ONE },
    change: ({ startSteps }) => ({
      startSteps: (isClean) => startSteps(isClean).filter((step) => step !== 'deletion'),
    }),
  },
  {
    name: 'a feed brings back what is purged',
    ...{ caughtBy: 'S1', cast: ONE },
    change: ({ takeIn }) => ({
      takeIn: (known, sections) => takeIn({ ...known, isBuried: false }, sections),
    }),
  },
  {
    name: 'tombstones expire',
    ...{ caughtBy: 'S10', cast: ONE },
    change: () => ({ tombstonesExpire: true }),
  },
  {
    name: 'the signature of an entry is not checked',
    ...{ caughtBy: 'S3', cast: ONE },
    change: ({ accepts }) => ({ accepts: { ...accepts, 'changed on the way': true } }),
  },
  {
    name: 'the role of who signs an entry is not checked',
    ...{ caughtBy: 'S3', cast: ONE },
    change: ({ accepts }) => ({ accepts: { ...accepts, 'by another role': true } }),
  },
  {
    name: 'an entry is taken again',
    ...{ caughtBy: 'S13', cast: ONE },
    change: ({ followChain }) => ({
      followChain: (head, link) => followChain({ ...head, number: 0 }, link),
    }),
  },
  {
    name: 'a newcomer reads before the ledger has spoken',
    ...{ caughtBy: 'S5', cast: ONE },
    change: ({ freshness }) => ({
      freshness: (answer, applied, now) => (answer ? freshness(answer, applied, now) : 'FRESH'),
    }),
  },
  {
    name: 'a node that is behind reads',
    ...{ caughtBy: 'S5', cast: ONE },
    change: ({ freshness }) => ({
      freshness: (answer, _applied, now) => freshness(answer, Infinity, now),
    }),
  },
  {
    name: 'a receipt is signed before the deletion',
    ...{ caughtBy: 'S2', cast: ONE },
    change: ({ afterBurial }) => ({ afterBurial: afterBurial.toReversed() }),
  },
  {
    name: 'a deletion counts as finished before it is made',
    ...{ caughtBy: 'S1', cast: ONE },
    change: ({ deletion }) => ({
      deletion: ['finished', ...deletion.filter((step) => step !== 'finished')],
    }),
  },
  {
    name: 'a seal leaves out a holder',
    ...{ caughtBy: 'S4', cast: ONE },
    change: ({ holdersOf }) => ({
      holdersOf: (events, taken) => holdersOf(events, taken).slice(1),
    }),
  },
  {
    name: 'a seal names whom the order does not',
    ...{ caughtBy: 'S11', cast: ONE },
    change: ({ holdersOf }) => ({ holdersOf: (events) => holdersOf(events, WHOLE_COVER) }),
  },
  {
    name: 'a key leaves after the seal',
    ...{ caughtBy: 'S6', cast: ONE },
    change: ({ keyStop }) => ({ keyStop: (release) => keyStop({ ...release, isSealed: false }) }),
  },
  {
    name: 'a key leaves for a cover that is taken back',
    ...{ caughtBy: 'S6', cast: ONE },
    change: ({ keyStop }) => ({
      keyStop: (release) => keyStop({ ...release, left: ['s1', 's2'] }),
    }),
  },
  {
    name: 'an order for a section buries the event',
    ...{ caughtBy: 'S11', cast: ONE },
    change: ({ burialOf }) => ({ burialOf: (entry) => ({ ...burialOf(entry), takes: 'events' }) }),
  },
  {
    name: 'the outcome of what was held is wrong',
    ...{ caughtBy: 'S13', cast: ONE },
    change: ({ burialOf }) => ({
      burialOf: (entry) => ({ ...burialOf(entry), outcomes: entry.given ?? outcomes(entry) }),
    }),
  },
  {
    name: 'what was answered before a loss is judged anew',
    ...{ caughtBy: 'S13', cast: ONE },
    change: ({ burialOf }) => ({ burialOf: (entry) => burialOf({ ...entry, given: undefined }) }),
  },
  {
    name: 'what was derived from it is not followed',
    ...{ caughtBy: 'S2', cast: DERIVED },
    change: () => ({ dutiesOf: () => [] }),
  },
  {
    name: 'a receipt does not wait for what was derived',
    ...{ caughtBy: 'S2', cast: DERIVED },
    change: ({ outcomeNow }) => ({
      outcomeNow: (facts) => outcomeNow({ ...facts, isChildOpen: false }),
    }),
  },
];
