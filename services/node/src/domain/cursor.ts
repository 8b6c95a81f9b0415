import { equalBytes, sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';

/** Random bytes that begin with a node's state: numbers of another node or of a lost state mean nothing here. */
export const EPOCH_BYTES = 8;
const NUMBER_BYTES = 6;
const CHECK_BYTES = 4;
const LABEL = utf8('concordat-cursor-1');

/** Where a node's notices stand: cursors of other epochs, and beyond the newest number, are refused. */
export interface NoticePlace {
  readonly epoch: Uint8Array;
  /** of the newest notice; 0: none yet */
  readonly newest: number;
}

/** A place after a notice, as text that only this node reads: epoch, number, and a check against damage. */
export function cursorAfter(number: number, epoch: Uint8Array): string {
  const bytes = Buffer.alloc(EPOCH_BYTES + NUMBER_BYTES);
  bytes.set(epoch);
  bytes.writeUIntBE(number, EPOCH_BYTES, NUMBER_BYTES);
  return Buffer.concat([bytes, checkOf(bytes)]).toString('base64url');
}

/** The number of the notice that a cursor stands after. @returns CURSOR_INVALID with what to do */
export function parseCursor(text: string, place: NoticePlace): Result<number, ConcordatError> {
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(0, EPOCH_BYTES + NUMBER_BYTES);
  const isWhole =
    bytes.length === EPOCH_BYTES + NUMBER_BYTES + CHECK_BYTES &&
    bytes.toString('base64url') === text &&
    equalBytes(bytes.subarray(body.length), checkOf(body));
  if (!isWhole) return invalid('a damaged one');
  if (!equalBytes(body.subarray(0, EPOCH_BYTES), place.epoch)) {
    return invalid('one of another node, or of a state that this node lost');
  }
  const number = body.readUIntBE(EPOCH_BYTES, NUMBER_BYTES);
  return number > place.newest ? invalid('one beyond its newest notice') : ok(number);
}

function checkOf(body: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([LABEL, body])).subarray(0, CHECK_BYTES);
}

function invalid(came: string): Result<never, ConcordatError> {
  const advice = 'subscribe with an empty cursor and include_held, and compare with what you have';
  const problem = `expected a cursor that this node gave, came ${came}: ${advice}`;
  return err(fieldError('CURSOR_INVALID', 'cursor', problem));
}
