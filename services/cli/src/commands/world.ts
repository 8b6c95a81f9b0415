import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { Settings } from '../config.js';
import type { Output } from '../io/print.js';

/** All that a command touches besides files, processes and the network; a test brings its own. */
export interface World extends Output {
  readonly settings: Settings;
  readonly stdin: NodeJS.ReadableStream;
  readonly isTerminal: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by the first Ctrl-C or SIGTERM from now on; these then no longer end the process by themselves. */
  readonly interruption: () => AbortSignal;
  /** The exit code of a command that answered, and still has more to say than "done". */
  readonly finish: (exitCode: number) => void;
}
