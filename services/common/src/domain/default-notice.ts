import { verifyDsse } from './dsse-json.js';
import { ConcordatError } from './errors.js';
import type { DefaultNotice, RecordCodec } from './records.js';
import { type Result, err, ok } from './result.js';
import type { KeyDirectory } from './statement.js';

/**
 * Does this file say, signed by an origin, that a holder was silent past its deadline? It proves that the origin said so,
 * not that the holder was.
 *
 * @returns NOTICE_INVALID with the first thing that does not hold
 */
export function verifyNotice(
  codec: RecordCodec,
  keys: KeyDirectory,
  text: string,
): Result<DefaultNotice, ConcordatError> {
  const signed = verifyDsse(codec, keys, 'DefaultNotice', text);
  if (!signed.ok) return invalid(signed.error.message);
  const { value } = signed.value;
  if (value.recipient === value.origin) return invalid('expected another member than the origin');
  if (value.timeMs <= value.deadlineMs) return invalid('expected a time after the deadline');
  return ok(value);
}

function invalid(message: string): Result<never, ConcordatError> {
  return err(new ConcordatError('NOTICE_INVALID', message));
}
