import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Question } from './worker/protocol.js';

const WORKER = fileURLToPath(new URL('worker/main.js', import.meta.url));
/** A worker is replaced now and then, so that nothing that tests leave behind adds up. */
const QUESTIONS_PER_WORKER = 400;

/** `silent`: no answer in time, or the process ended. */
export type Reply = Answer | { readonly kind: 'silent' };

/** A question, how long it may take, and whether a fresh process must answer it. */
export interface Job {
  readonly question: Question;
  readonly limitMs: number;
  readonly isFresh?: boolean;
}

/** Asks as many workers as there are `jobs` at a time, each one question after another. */
export async function askAll<T extends Job>(
  queue: Iterable<T>,
  jobs: number,
  instrumentedFile: string,
  hear: (job: T, reply: Reply) => void,
): Promise<void> {
  const rest = queue[Symbol.iterator]();
  const lanes = Array.from({ length: jobs }, async () => {
    const worker = new Worker(instrumentedFile);
    try {
      for (let next = rest.next(); next.done !== true; next = rest.next()) {
        hear(next.value, await worker.ask(next.value));
      }
    } finally {
      worker.end();
    }
  });
  await Promise.all(lanes);
}

/** One process at a time that answers questions; the next when it was silent, or is used up. */
class Worker {
  readonly #instrumentedFile: string;
  #child: ChildProcess | undefined;
  #asked = 0;

  constructor(instrumentedFile: string) {
    this.#instrumentedFile = instrumentedFile;
  }

  async ask({ question, limitMs, isFresh }: Job): Promise<Reply> {
    if (isFresh === true || this.#asked >= QUESTIONS_PER_WORKER) this.end();
    const child = this.#child ?? this.#start();
    this.#asked += 1;
    const reply = await new Promise<Reply>((resolve) => {
      const silence = () => resolve({ kind: 'silent' });
      const timer = setTimeout(silence, limitMs);
      child.once('exit', silence);
      child.once('message', (answer) => {
        clearTimeout(timer);
        child.off('exit', silence);
        resolve(answer as Answer);
      });
      child.send(question);
    });
    const isSpent = reply.kind === 'silent' || (reply.kind === 'failed' && reply.how !== 'test');
    if (isSpent) this.end();
    return reply;
  }

  end(): void {
    this.#child?.removeAllListeners();
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #start(): ChildProcess {
    this.#asked = 0;
    this.#child = fork(WORKER, [this.#instrumentedFile], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=1500'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return this.#child;
  }
}
