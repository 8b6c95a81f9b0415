import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerWay } from '@concordat/cli/domain/broker-way.js';
import { findBroker } from '@concordat/cli/io/broker/find-broker.js';
import { STEADY_JVM_FLAGS } from '@concordat/cli/io/broker/kraft-settings.js';
import type { Calls } from './calls.js';
import { type Child, type WorkerProcess, startWorker } from './children.js';

/** What all phases share: the broker, the processes that run, and what ends the bench. */
export interface Stage {
  /** what is written while it runs; removed at the end */
  readonly dir: string;
  readonly brokers: readonly string[];
  readonly brokerSource: 'given' | BrokerWay;
  /** of a launched broker */
  readonly brokerPid: number | undefined;
  /** ends the bench: a process died */
  readonly fail: (cause: Error) => void;
  /** rejects as soon as the bench has failed */
  unlessFailed<T>(work: Promise<T>): Promise<T>;
  /** options of Node.js for the process of this name */
  nodeOptions(name: string): readonly string[];
  /** ended with the stage, and its memory noted */
  own(child: Child): Child;
  worker<C extends Calls>(role: string): Promise<WorkerProcess<C>>;
  /** by name, the most memory that one process held at once */
  peakRssMiB(): Promise<Record<string, number>>;
  progress(text: string): void;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly dir: string;
  readonly kafkaBrokers: string | undefined;
  readonly brokerWay: BrokerWay | undefined;
  readonly profiled: readonly string[];
  readonly profilesDir: string;
  readonly progress: (text: string) => void;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { dir, kafkaBrokers, brokerWay: way, profiled, profilesDir, progress } = options;
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const broker = await findBroker({
    ...{ kafkaBrokers, way, directory: dir, progress },
    jvmFlags: STEADY_JVM_FLAGS,
  });
  const children: Child[] = [];
  let fail: (cause: Error) => void = () => undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failure.catch(() => undefined);
  const own = (child: Child): Child => {
    children.push(child);
    return child;
  };
  const nodeOptions = (name: string): string[] =>
    profiled.some((asked) => name === asked || name.endsWith(`-${asked}`))
      ? [
          '--cpu-prof',
          `--cpu-prof-dir=${profilesDir}`,
          `--cpu-prof-name=${name}-${String(children.length)}.cpuprofile`,
        ]
      : [];
  return {
    ...{ dir, fail, own, nodeOptions, progress },
    brokers: broker.brokers,
    brokerSource: broker.kind === 'given' ? 'given' : broker.local.way,
    brokerPid: broker.kind === 'launched' ? broker.local.pid() : undefined,
    unlessFailed: (work) => Promise.race([failure, work]),
    worker: async <C extends Calls>(role: string) => {
      const worker = await startWorker<C>(
        { name: role, role, nodeOptions: nodeOptions(role) },
        fail,
      );
      own(worker.child);
      return worker;
    },
    peakRssMiB: async () => {
      const peaks: Record<string, number> = {};
      for (const child of children) {
        peaks[child.name] = Math.max(peaks[child.name] ?? 0, await child.peakRssMiB());
      }
      return peaks;
    },
    close: async () => {
      await Promise.all(children.map((child) => child.stop()));
      await broker.stop();
      await rm(join(dir, 'broker'), { recursive: true, force: true });
    },
  };
}
