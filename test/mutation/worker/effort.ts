import process from 'node:process';
import { Worker } from 'node:worker_threads';
import type { Answer } from './protocol.js';

const LOOK_MS = 250;
/** A test may also wait for something that is slow when the machine is busy. */
const WAITING_MS = 60_000;

/** Ends the process when it worked too long in one go: nothing else in it can, while a loop does not end. */
const WATCHDOG = `
  const { workerData } = require('node:worker_threads');
  const most = new BigInt64Array(workerData);
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1000 > Atomics.load(most, 0)) process.kill(process.pid, 'SIGKILL');
  }, ${String(LOOK_MS)});
`;

const mostWork = new BigInt64Array(new SharedArrayBuffer(8));
Atomics.store(mostWork, 0, 2n ** 62n);
new Worker(WATCHDOG, { eval: true, workerData: mostWork.buffer }).unref();

/** Milliseconds that this process worked or waited, not those in which others had the processor. */
export function effort(): number {
  return workMs() + performance.eventLoopUtilization().idle;
}

/** From now on: an answer once `limitMs` of work and a minute of waiting are over, and the process's end if it cannot answer. */
export function limitEffort(limitMs: number): {
  readonly reached: Promise<Answer>;
  readonly end: () => void;
} {
  Atomics.store(mostWork, 0, BigInt(Math.ceil(workMs() + 2 * limitMs)));
  const mostOfAll = effort() + limitMs + WAITING_MS;
  let look: NodeJS.Timeout | undefined;
  const reached = new Promise<Answer>((answer) => {
    look = setInterval(() => {
      if (effort() > mostOfAll) answer({ kind: 'failed', test: '', why: 'no end', how: 'endless' });
    }, LOOK_MS);
  });
  return {
    reached,
    end: () => {
      clearInterval(look);
      Atomics.store(mostWork, 0, 2n ** 62n);
    },
  };
}

function workMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
