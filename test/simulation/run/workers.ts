import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SeedResult } from './seed.js';

const WORKER = fileURLToPath(new URL('../worker.js', import.meta.url));

/** What a worker tells: that it is ready, and then of each seed. */
export interface Told {
  readonly result: SeedResult | undefined;
  /** of the worker, so far */
  readonly cpuSeconds: number;
}

/**
 * Runs seeds in processes of their own, each as soon as one is free. Ends early at `stop`.
 *
 * @returns CPU seconds of all workers
 * @throws Error when a worker dies
 */
export async function runSeeds(
  seeds: readonly number[],
  options: {
    readonly workers: number;
    readonly trace: boolean;
    readonly everybody: boolean;
    /** where V8 writes what every worker has run, when it ends */
    readonly v8Dir: string | undefined;
  },
  onResult: (result: SeedResult) => void,
): Promise<number> {
  const left = [...seeds];
  const { v8Dir } = options;
  const env = { ...process.env, ...(v8Dir !== undefined && { NODE_V8_COVERAGE: v8Dir }) };
  const cpu = new Map<ChildProcess, number>();
  const workers = Math.min(options.workers, seeds.length);
  await Promise.all(
    Array.from({ length: workers }, () => {
      const child = fork(
        WORKER,
        [...(options.trace ? ['--trace'] : []), ...(options.everybody ? ['--everybody'] : [])],
        {
          serialization: 'advanced',
          env,
        },
      );
      return new Promise<void>((resolve, reject) => {
        child.once('exit', (code, signal) => {
          if (code === 0) resolve();
          else reject(new Error(`a worker ended with ${signal ?? `exit code ${String(code)}`}`));
        });
        child.on('message', ({ result, cpuSeconds }: Told) => {
          cpu.set(child, cpuSeconds);
          if (result) onResult(result);
          child.send(left.shift() ?? 'end');
        });
      });
    }),
  );
  return [...cpu.values()].reduce((sum, one) => sum + one, 0);
}
