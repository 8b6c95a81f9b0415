import { ConcordatError } from '../../domain/errors.js';
import type { ChainTables } from '../store/chain-tables.js';

/** Bytes of one answer, but for one record that is larger alone. */
export const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const NUMBER_MAX = 2 ** 31 - 1;

/** The request and the answer of FetchFeed and FetchBlocks; those of FetchLedger and FetchReceipts have one lane. */
export interface WantedAgain {
  readonly lane: number;
  readonly epoch: number;
  readonly fromNumber: number;
}
export interface SentAgain {
  readonly blocks: readonly Uint8Array[];
  readonly firstKept: number;
  readonly head: number;
  /** signed: that the wanted number, and others beside it, will never come */
  readonly voids?: readonly Uint8Array[];
}

/**
 * What we sent on a lane of a topic of ours, from a number on, byte for byte.
 *
 * @param chain the lane's name in the tables
 * @throws ConcordatError REQUEST_INVALID
 */
export function sendAgain(
  chains: ChainTables,
  topic: string,
  wantedAgain: WantedAgain,
  chain = `${topic}/${String(wantedAgain.lane)}`,
): SentAgain {
  demandWanted(wantedAgain);
  const { lane, epoch, fromNumber } = wantedAgain;
  const wanted = { topic, lane, epoch, from: fromNumber };
  const { values, firstKept } = chains.keptFrom(wanted, ANSWER_BYTES_MAX);
  const head = chains.ownHead(chain);
  return { blocks: values, firstKept, head: head.epoch === epoch ? head.number : 0 };
}

/** @throws ConcordatError REQUEST_INVALID */
export function demandWanted({ lane, epoch, fromNumber }: WantedAgain): void {
  const numbers = { lane: [lane, 0], epoch: [epoch, 1], from_number: [fromNumber, 1] } as const;
  for (const [name, [value, min]] of Object.entries(numbers)) {
    if (Number.isInteger(value) && value >= min && value <= NUMBER_MAX) continue;
    throw new ConcordatError('REQUEST_INVALID', `${name}: expected a whole number from ${min}`);
  }
}
