import { type ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';

/** The own node's answer, or why there is none; a call that does not end with its signal is not waited for. */
export async function askNode<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
): Promise<Result<T, ConcordatError>> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new Error('this service stops'));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return ok(await Promise.race([call(), stopped]));
  } catch (cause) {
    return err(asConcordatError(cause));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
