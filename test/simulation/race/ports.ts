import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { MemoryLog } from '@concordat/common/io/memory-log.js';
import type { AskForKeys } from '@concordat/node/flows/fetch-keys.js';
import type { NodePorts } from '@concordat/node/service.js';
import { DE } from '../../support/node-world.js';
import type { TestPurgeLedger } from '../../support/purge-ledger.js';
import type { SimulatedNetwork } from '../calls.js';
import { simulatedClock } from '../clock.js';
import type { Faults } from '../fates.js';
import { simulatedLog } from '../log.js';
import type { SimulatedProcess } from '../process.js';
import type { Scheduler } from '../scheduler.js';
import type { Branch } from './branches.js';

/** What one race has around its nodes. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly log: MemoryLog;
  readonly network: SimulatedNetwork;
  /** where the revocation service answers from */
  readonly outside: SimulatedProcess;
  readonly purges: TestPurgeLedger;
  readonly reached: (branch: Branch) => void;
  readonly askForKeys: (
    caller: SimulatedProcess,
    recipient: MemberId,
    ...asked: Parameters<AskForKeys>
  ) => ReturnType<AskForKeys>;
}

/** What is around one life of a node of this race. */
export function portsOf(
  around: Surroundings,
  process: SimulatedProcess,
): Omit<NodePorts, 'listen' | 'random'> {
  const [scheduler, faults] = [around.scheduler, around.faults];
  const clock = simulatedClock(scheduler, process);
  const say = (text: string): void => scheduler.note(`${process.name} says: ${text}`);
  return {
    clock,
    readPolicy: () => {
      throw new ConcordatError('CONFIG_INVALID', 'no policy but the first');
    },
    log: simulatedLog(around.log, { scheduler, process, clock, faults }),
    logger: { debug: () => undefined, info: () => undefined, warn: say, error: say },
    peers: {
      askForKeys: () => (wanted, signal) => around.askForKeys(process, DE, wanted, signal),
      askFreshness: () => (nonce) =>
        around.network.call(
          process,
          () => around.outside,
          'for freshness',
          async () => around.purges.answer(DE, nonce),
        ),
      askOnward: () => () => Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'no holder')),
      askForGrants: () => () =>
        Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'nothing is derived')),
      fetchFeed: () => () => Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'no consent')),
      fetchLedger: () => (wanted) => {
        around.reached('a purge entry is fetched that its topic does not have');
        return around.network.call(
          process,
          () => around.outside,
          'for purge entries',
          async () => around.purges.fetchAgain(DE, wanted),
        );
      },
      close: () => undefined,
    },
  };
}
