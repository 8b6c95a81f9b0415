import { followChain } from '@concordat/common/domain/chain.js';
import { stageOf } from '@concordat/common/domain/purge-order.js';
import { freshness } from '@concordat/node/domain/freshness.js';
import { outcomeNow } from '@concordat/node/domain/purge/answer.js';
import { dutiesOf, mayBeMade } from '@concordat/node/domain/purge/children.js';
import { burialOf, holdsAnyOf } from '@concordat/node/domain/purge/entry.js';
import { goneBecause } from '@concordat/node/domain/purge/gone.js';
import { holdersOf } from '@concordat/node/domain/purge/holders.js';
import { keyStop } from '@concordat/node/domain/purge/leaving.js';
import { mendOf } from '@concordat/node/domain/purge/mend.js';
import {
  AFTER_BURIAL,
  DELETION,
  KEYS_CAME,
  startSteps,
} from '@concordat/node/domain/purge/order-of-commits.js';
import { takeIn, wantsKeys } from '@concordat/node/domain/purge/take-in.js';
import { draftEntries } from '@concordat/revocation/domain/entries.js';
import type { EntryKind } from './verdicts.js';

/** What decides in a purge: functions and orders that the services run. A mutant has another one in the place of one. */
export interface Rules {
  readonly accepts: Readonly<Record<EntryKind, boolean>>;
  readonly followChain: typeof followChain;
  readonly takeIn: typeof takeIn;
  readonly wantsKeys: typeof wantsKeys;
  readonly burialOf: typeof burialOf;
  readonly holdsAnyOf: typeof holdsAnyOf;
  readonly outcomeNow: typeof outcomeNow;
  readonly stageOf: typeof stageOf;
  readonly dutiesOf: typeof dutiesOf;
  readonly mayBeMade: typeof mayBeMade;
  readonly goneBecause: typeof goneBecause;
  /** as a restore asks it */
  readonly mayComeBack: typeof goneBecause;
  readonly mendOf: typeof mendOf;
  readonly keyStop: typeof keyStop;
  readonly holdersOf: typeof holdersOf;
  readonly draftEntries: typeof draftEntries;
  readonly freshness: typeof freshness;
  readonly afterBurial: readonly (typeof AFTER_BURIAL)[number][];
  readonly deletion: readonly (typeof DELETION)[number][];
  readonly keysCame: readonly (typeof KEYS_CAME)[number][];
  readonly startSteps: typeof startSteps;
  /** nothing shipped drops a tombstone: a mutant does */
  readonly tombstonesExpire: boolean;
}

/** @param accepts see `entryVerdicts` */
export function shippedRules(accepts: Rules['accepts']): Rules {
  return {
    accepts,
    followChain,
    ...{ takeIn, wantsKeys, goneBecause, mayComeBack: goneBecause, mendOf, freshness },
    ...{ burialOf, holdsAnyOf, outcomeNow, stageOf, dutiesOf, mayBeMade },
    ...{ keyStop, holdersOf, draftEntries },
    ...{ afterBurial: AFTER_BURIAL, deletion: DELETION, keysCame: KEYS_CAME, startSteps },
    tombstonesExpire: false,
  };
}
