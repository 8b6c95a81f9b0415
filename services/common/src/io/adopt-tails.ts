import type { Head } from '../domain/chain.js';
import { equalBytes } from '../domain/bytes.js';
import { ConcordatError } from '../domain/errors.js';
import type { MemberId } from '../domain/ids.js';
import type { RecordCodec, RecordTypes } from '../domain/records.js';
import { type KeyDirectory, kindOfStatement, verifyStatement } from '../domain/statement.js';
import type { LogClient, LogRecord } from './log-client.js';
import type { ChainTables } from './store/chain-tables.js';

/** Statements that form chains on a topic of their writer. */
export type ChainedName =
  | 'BlockStatement'
  | 'DerivationGrant'
  | 'FeedStatement'
  | 'LedgerStatement'
  | 'MediaErased'
  | 'MembershipChange'
  | 'PurgeEntry'
  | 'Receipt';

/** A topic that only we write, and how to find our statement in a record of it. */
export interface OwnTopic<Name extends ChainedName> {
  readonly topic: string;
  /** of the statements that stand on its chains */
  readonly names: readonly Name[];
  readonly chainOf: (lane: number) => string;
  /** the signed statement in a record's value; undefined when it is no such record */
  readonly statementOf: (value: Uint8Array) => Uint8Array | undefined;
  /** Was this statement made for this topic and lane? A verified one of another place may have been copied here. */
  readonly belongs: (statement: RecordTypes[Name], lane: number) => boolean;
}

export interface Adopter {
  readonly log: LogClient;
  readonly codec: RecordCodec;
  readonly keys: KeyDirectory;
  readonly self: MemberId;
  readonly tables: Pick<ChainTables, 'ownHead' | 'advanceOwn'>;
  readonly onAdopted: (chain: string, from: Head, to: Head) => void;
}

/**
 * At the start of a writer: what it sent and its database does not know of, because the database is older than the topic,
 * counts as written; otherwise two statements would carry one number.
 *
 * @throws ConcordatError EQUIVOCATION when topic and database hold two statements of one number
 */
export async function adoptTails<Name extends ChainedName>(
  adopter: Adopter,
  own: OwnTopic<Name>,
): Promise<void> {
  for (const tail of await adopter.log.tails(own.topic)) {
    const found = headIn(adopter, own, tail) ?? (await scanned(adopter, own, tail.lane));
    if (found) adopt(adopter, own.chainOf(tail.lane), found);
  }
}

/** A stranger's record at the end of the lane hides ours: then the lane is read from its beginning. */
async function scanned<Name extends ChainedName>(
  adopter: Adopter,
  own: OwnTopic<Name>,
  lane: number,
): Promise<Head | undefined> {
  let newest: Head | undefined;
  await adopter.log.scan(own.topic, lane, 0n, (record) => {
    const found = headIn(adopter, own, record);
    if (found && (!newest || isAhead(found, newest))) newest = found;
  });
  return newest;
}

function headIn<Name extends ChainedName>(
  { codec, keys, self }: Adopter,
  own: OwnTopic<Name>,
  { value, lane }: LogRecord,
): Head | undefined {
  const bytes = own.statementOf(value);
  const name = bytes && kindOfStatement(codec, own.names, bytes);
  if (!bytes || !name) return undefined;
  const verified = verifyStatement(codec, keys, name, bytes, { signer: self });
  if (!verified.ok || !own.belongs(verified.value.value, lane)) return undefined;
  const { epoch, number } = verified.value.value;
  return { epoch, number, hash: verified.value.hash };
}

function isAhead(a: Head, b: Head): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.number > b.number);
}

function adopt({ tables, onAdopted }: Adopter, chain: string, found: Head): void {
  const own = tables.ownHead(chain);
  if (isAhead(found, own)) {
    tables.advanceOwn(chain, own, found);
    onAdopted(chain, own, found);
    return;
  }
  const same = found.epoch === own.epoch && found.number === own.number;
  if (same && !equalBytes(found.hash, own.hash)) {
    throw new ConcordatError(
      'EQUIVOCATION',
      `${chain}: number ${String(own.number)} on the topic is another statement than in the database`,
    );
  }
}
