import { createInterface } from 'node:readline/promises';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Surroundings, usageError } from './options.js';
import type { World } from './world.js';

/** More events than this are not taken back by a slip of the pen. */
export const CONFIRM_ABOVE = 100;

/**
 * Asks at the terminal unless `--yes` says so already.
 *
 * @throws ConcordatError REQUEST_INVALID when nobody is there to ask, CALL_CANCELLED when the answer is another than yes
 */
export async function confirm(
  world: World,
  question: string,
  { yes }: { readonly yes?: true },
  { print }: Pick<Surroundings, 'print'>,
): Promise<void> {
  if (yes) return;
  if (!world.isTerminal)
    throw usageError(`--yes: expected, for nobody is there to ask: ${question}`);
  print.progress(`${question} Type yes to go on.`);
  const lines = createInterface({ input: world.stdin });
  try {
    for await (const line of lines) {
      if (line.trim() === 'yes') return;
      break;
    }
  } finally {
    lines.close();
  }
  throw new ConcordatError('CALL_CANCELLED', 'expected yes, came another answer: nothing was done');
}
