import { writeFileSync } from 'node:fs';
import type { Logger } from './logger.js';

/** Linux: which memory of this process, and of those that it starts, goes into a core file (core(5)). */
const CORE_FILTER = '/proc/self/coredump_filter';
const EXIT_FAILED = 1;

/**
 * Keys and opened content are in memory, and a crash writes nothing of it to a disk: a core file has no memory in it, and
 * of an error that nobody caught there is one log line with its kind and place, never its message, which may quote content.
 */
export function guardCrashOutput(logger: Logger): void {
  if (!keepMemoryOutOfCores()) {
    logger.warn('core files cannot be kept free of memory here: see that none are written');
  }
  process.on('uncaughtException', (error) => {
    logger.error('crashed', { error });
    process.exit(EXIT_FAILED);
  });
}

/** @returns false where the system has no such filter */
export function keepMemoryOutOfCores(): boolean {
  try {
    writeFileSync(CORE_FILTER, '0');
    return true;
  } catch {
    return false;
  }
}
