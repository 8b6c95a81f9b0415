import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { asConcordatError } from '../domain/errors.js';
import type { MemberId, ServiceName } from '../domain/ids.js';
import { guardCrashOutput } from './crash-output.js';
import { type LogLevel, type Logger, createLogger } from './logger.js';
import { systemClock } from './system-ports.js';

/** What only people can put right: a supervisor need not try again. */
const EXIT_UNUSABLE = 2;
const EXIT_FAILED = 1;

interface CommonConfig {
  readonly member: MemberId;
  readonly log: { readonly level: LogLevel };
  readonly shutdownGraceMs: number;
}

/**
 * How much garbage may lie beside what lives, in per cent of it, before all of the heap is gone through. By default it is
 * up to three times as much on a machine with memory to spare: 100 MiB more of a node that publishes, for no less CPU time.
 */
const HEAP_GROWING_PERCENT = 80;

/** A service that runs. */
export interface RunningService {
  /** where calls are served */
  readonly port: number;
  /** resolves with the cause when the service cannot go on: the process ends with it */
  readonly died: Promise<Error>;
  /** stops reading, finishes what was begun, disconnects */
  close(): Promise<void>;
}

/**
 * The life of a service process: settings, start, then until a signal or its death, stop.
 *
 * Exit codes: 0 stopped by a signal · 1 died or crashed, or could not start for a reason that may pass · 2 settings, files or
 * topics that cannot be used, or a close that hung.
 */
export async function runService<Config extends CommonConfig>(
  service: ServiceName,
  life: {
    readonly readConfig: () => Config;
    readonly start: (config: Config, logger: Logger) => Promise<RunningService>;
  },
): Promise<never> {
  setFlagsFromString(`--heap-growing-percent=${String(HEAP_GROWING_PERCENT)}`);
  const config = configOrExit(life.readConfig);
  const { member, log } = config;
  const logger = createLogger({ service, member, level: log.level, clock: systemClock });
  guardCrashOutput(logger);
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const running = await life.start(config, logger).catch((cause: unknown) => {
    const error = asConcordatError(cause);
    logger.error('cannot start', { error });
    process.exit(error.retryable ? EXIT_FAILED : EXIT_UNUSABLE);
  });
  logger.info('ready', { address: `port ${String(running.port)}` });

  const death = await Promise.race([running.died, stopped.then(() => undefined)]);
  if (death) logger.error('died', { error: death });
  setTimeout(() => process.exit(EXIT_UNUSABLE), config.shutdownGraceMs).unref(); // a stuck close must not hang
  await running.close();
  process.exit(death ? EXIT_FAILED : 0); // 1: the supervisor starts us again
}

function configOrExit<Config>(readConfig: () => Config): Config {
  try {
    return readConfig();
  } catch (cause) {
    const { code, message } = asConcordatError(cause);
    process.stderr.write(`${code}: ${message}\n`);
    process.exit(EXIT_UNUSABLE);
  }
}
