import { ConcordatError } from '../domain/errors.js';
import { type Result, err, ok } from '../domain/result.js';
import { type LaneEnds, type OutgoingRecord, SEND_BYTES_MAX } from './log-client.js';

/** Frame of a record batch (KIP-98), and the most that a record's lengths, deltas and attributes take. */
const BATCH_FRAME_BYTES = 61;
const RECORD_FRAME_BYTES = 32;
const HEADER_FRAME_BYTES = 10;

/** An upper bound of the bytes that one `send` comes to on the broker. */
export function sendBytes(records: readonly OutgoingRecord[]): number {
  let bytes = BATCH_FRAME_BYTES;
  for (const { key = '', value, headers } of records) {
    bytes += RECORD_FRAME_BYTES + Buffer.byteLength(key) + value.length;
    for (const [name, text] of Object.entries(headers ?? {})) {
      bytes += HEADER_FRAME_BYTES + Buffer.byteLength(name) + Buffer.byteLength(text);
    }
  }
  return bytes;
}

/** @throws ConcordatError REQUEST_INVALID for nothing to send, RECORD_TOO_LARGE for more than a batch may hold */
export function checkSend(topic: string, records: readonly OutgoingRecord[]): void {
  if (records.length === 0) {
    throw new ConcordatError('REQUEST_INVALID', `${topic}: a send needs at least one record`);
  }
  const bytes = sendBytes(records);
  if (bytes > SEND_BYTES_MAX) {
    const text = `${topic}: ${String(bytes)} bytes in one send, at most ${String(SEND_BYTES_MAX)}`;
    throw new ConcordatError('RECORD_TOO_LARGE', text);
  }
}

export function closedError(): ConcordatError {
  return new ConcordatError('BROKER_UNAVAILABLE', 'this client of the log is closed');
}

/** The lane no longer holds what the position speaks of: it was made anew, or cut at either end. */
export function logRestarted(topic: string, position: bigint, ends: LaneEnds): ConcordatError {
  const lane = `${topic} lane ${String(ends.lane)}`;
  const held = `[${String(ends.low)}, ${String(ends.high)})`;
  return new ConcordatError(
    'LOG_RESTARTED',
    `${lane}: log restarted, expected offset ${String(position)}, it holds ${held}`,
  );
}

/** Where reading begins for a position of the caller's: never a silent jump, except that 0 means "from what is left". */
export function startOffset(
  topic: string,
  position: bigint,
  ends: LaneEnds,
): Result<bigint, ConcordatError> {
  if (position === 0n) return ok(ends.low);
  if (position < ends.low || position > ends.high) return err(logRestarted(topic, position, ends));
  return ok(position);
}
