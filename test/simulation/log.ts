import type { Clock } from '@concordat/common/domain/ports.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { type MemoryLog, memoryLogClient } from '@concordat/common/io/memory-log.js';
import { BROKER, type Fates, brokerFault } from './fates.js';
import type { SimulatedProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** How soon a reader whose line to the broker is cut looks again. */
const CUT_MS = 1_000;

/**
 * The broker as one process sees it: records that it sends and records that it reads wait for their turn, and so does the
 * acknowledgement of what it sent. Questions about a topic are answered at once.
 */
export function simulatedLog(
  log: MemoryLog,
  around: {
    readonly scheduler: Scheduler;
    readonly process: SimulatedProcess;
    readonly clock: Clock;
    readonly faults: Fates;
  },
): LogClient {
  const { scheduler, process, clock, faults } = around;
  const client = memoryLogClient(log, clock);
  const passing = { from: process.name, to: BROKER };
  process.atDeath(() => void client.close());
  const unlessCut = <T>(ask: () => Promise<T>): Promise<T> =>
    faults.isCut(passing) ? Promise.reject(brokerFault()) : ask();
  return {
    ...client,
    send: async (topic, lane, records) => {
      const fate = faults.isCut(passing) ? 'lost' : faults.next(passing);
      const where = `${String(records.length)} to ${topic}/${String(lane)}`;
      if (fate === 'late') await scheduler.sleep(process, faults.lateMs());
      const sent = await scheduler.turn(process, `sends ${where}, ${fate}`, async () => {
        if (fate === 'lost') return undefined;
        const first = await client.send(topic, lane, records);
        if (fate === 'twice') await client.send(topic, lane, records);
        return first;
      });
      return scheduler.turn(process, `is told of ${where}, ${fate}`, () => {
        if (fate === 'unknown' || !sent) throw brokerFault();
        return sent;
      });
    },
    read: (options) =>
      client.read({
        ...options,
        handle: async (batch) => {
          const [first] = batch;
          const what = `${String(batch.length)} from ${first?.topic ?? ''}/${String(first?.lane)}`;
          while (faults.isCut(passing)) await scheduler.sleep(process, CUT_MS);
          await scheduler.turn(process, `gets ${what}`, () => undefined);
          await options.handle(batch);
        },
      }),
    tails: (topic) => unlessCut(() => client.tails(topic)),
    scan: (topic, lane, from, visit) => unlessCut(() => client.scan(topic, lane, from, visit)),
    laneCount: (topic) => unlessCut(() => client.laneCount(topic)),
    ends: (topic) => unlessCut(() => client.ends(topic)),
  };
}
