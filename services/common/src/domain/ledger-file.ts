import { bytesKey, equalBytes } from './bytes.js';
import { EMPTY_HEAD, followChain } from './chain.js';
import { ConcordatError } from './errors.js';
import type { Hash, MemberId } from './ids.js';
import { readLedgerBody } from './ledger-body.js';
import type { LedgerRecord, RecordCodec } from './records.js';
import { type Result, err, ok } from './result.js';
import { type KeyDirectory, type Verified, verifyStatement } from './statement.js';

/** What a ledger that holds says: how far it goes, and what is not there. */
export interface LedgerFile {
  readonly kind: 'dissemination' | 'purge';
  readonly origin: MemberId;
  /** of a purge ledger */
  readonly recipient: MemberId | undefined;
  readonly records: number;
  /** the last number that is there */
  readonly last: number;
  /** numbers that are missing, both included, up to the number that was expected */
  readonly missing: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Checks the records of one ledger, a dissemination ledger or the purge ledger of one recipient: each is signed, is what
 * it commits to, and names the one before.
 *
 * @param records as they travelled, in their order from number 1; one may come twice
 * @param until the last number, as another proof names it: what is missing at the end cannot be seen otherwise
 * @returns the first thing that does not hold: a malformed or unsigned record, CHAIN_BROKEN, EQUIVOCATION
 */
export function verifyLedgerFile(
  codec: RecordCodec,
  keys: KeyDirectory,
  records: readonly Uint8Array[],
  until: number,
): Result<LedgerFile, ConcordatError> {
  const follower = new Follower(codec, keys);
  for (const [at, bytes] of records.entries()) {
    const problem = follower.take(bytes);
    if (!problem) continue;
    const message = `record ${String(at + 1)}: ${problem.message}`;
    return err(new ConcordatError(problem.code, message, { cause: problem }));
  }
  return follower.result(records.length, until);
}

type Line = (
  | {
      readonly kind: 'dissemination';
      readonly record: LedgerRecord;
      readonly statement: Verified<'LedgerStatement'>;
    }
  | { readonly kind: 'purge'; readonly statement: Verified<'PurgeEntry'> }
) & { readonly origin: MemberId };

class Follower {
  readonly #codec: RecordCodec;
  readonly #keys: KeyDirectory;
  readonly #hashes = new Map<number, Hash>();
  /** by block: how many records of it, and the last one's hash */
  readonly #blocks = new Map<string, { readonly next: number; readonly hash: Hash }>();
  readonly #missing: { readonly from: number; readonly to: number }[] = [];
  #first:
    | {
        readonly kind: Line['kind'];
        readonly origin: MemberId;
        readonly recipient: MemberId | undefined;
      }
    | undefined;
  #head = EMPTY_HEAD;

  constructor(codec: RecordCodec, keys: KeyDirectory) {
    this.#codec = codec;
    this.#keys = keys;
  }

  take(bytes: Uint8Array): ConcordatError | undefined {
    const line = this.#read(bytes);
    if (!line.ok) return line.error;
    const { kind, origin, statement } = line.value;
    const recipient =
      line.value.kind === 'purge' ? line.value.statement.value.recipient : undefined;
    this.#first ??= { kind, origin, recipient };
    const isSame =
      this.#first.kind === kind &&
      this.#first.origin === origin &&
      this.#first.recipient === recipient;
    if (!isSame) return new ConcordatError('CHAIN_BROKEN', 'a record of another ledger');
    const { epoch, number, previous } = statement.value;
    const { hash } = statement;
    const known = this.#hashes.get(number);
    if (known) {
      if (equalBytes(known, hash)) return undefined;
      return new ConcordatError('EQUIVOCATION', `number ${String(number)} was signed twice`);
    }
    const step = followChain(this.#head, { epoch, number, previous, hash });
    if (step.kind === 'seen')
      return new ConcordatError('CHAIN_BROKEN', 'records are not in their order');
    if (step.kind === 'broken') {
      const text = `number ${String(number)} does not name the one before`;
      return new ConcordatError('CHAIN_BROKEN', text);
    }
    if (step.kind === 'gap') this.#missing.push({ from: step.missingFrom, to: step.missingTo });
    this.#head = { epoch, number, hash };
    this.#hashes.set(number, hash);
    return line.value.kind === 'dissemination'
      ? this.#followBlock(line.value.statement)
      : undefined;
  }

  result(records: number, until: number): Result<LedgerFile, ConcordatError> {
    if (!this.#first)
      return err(new ConcordatError('RECORD_MALFORMED', 'expected at least one record'));
    const last = this.#head.number;
    const missing = [...this.#missing, ...(last < until ? [{ from: last + 1, to: until }] : [])];
    return ok({ ...this.#first, records, last, missing });
  }

  #read(bytes: Uint8Array): Result<Line, ConcordatError> {
    const record = this.#codec.decode('LedgerRecord', bytes);
    if (!record.ok && record.error.code !== 'SCHEMA_UNKNOWN') return record;
    const signed = record.ok ? record.value.statement : bytes;
    const origin = this.#signerOf(signed);
    if (!origin.ok) return origin;
    const by = { signer: origin.value };
    if (!record.ok) {
      const entry = verifyStatement(this.#codec, this.#keys, 'PurgeEntry', signed, by);
      return entry.ok ? ok({ kind: 'purge', origin: origin.value, statement: entry.value }) : entry;
    }
    const statement = verifyStatement(this.#codec, this.#keys, 'LedgerStatement', signed, by);
    if (!statement.ok) return statement;
    const body = readLedgerBody(this.#codec, statement.value.value, record.value.body);
    if (!body.ok) return err(body.error.code === 'BLOCK_ROOT_MISMATCH' ? notSigned() : body.error);
    return ok({
      kind: 'dissemination',
      origin: origin.value,
      record: record.value,
      statement: statement.value,
    });
  }

  #signerOf(bytes: Uint8Array): Result<MemberId, ConcordatError> {
    const signed = this.#codec.decode('Signed', bytes);
    if (!signed.ok) return signed;
    const key = this.#keys.find(signed.value.keyId);
    return key
      ? ok(key.member)
      : err(new ConcordatError('KEY_UNKNOWN', 'its key is in no trust file'));
  }

  /** After a gap in the ledger a block's own numbers may jump too; while nothing is missing they do not. */
  #followBlock({ value, hash }: Verified<'LedgerStatement'>): ConcordatError | undefined {
    const key = bytesKey(value.block.hash);
    const { next, hash: previous } = this.#blocks.get(key) ?? { next: 0, hash: EMPTY_HEAD.hash };
    const isNext = value.blockNumber === next && equalBytes(value.blockPrevious, previous);
    this.#blocks.set(key, { next: value.blockNumber + 1, hash });
    if (isNext || (this.#missing.length > 0 && value.blockNumber > next)) return undefined;
    return new ConcordatError('CHAIN_BROKEN', "a record does not follow in its block's chain");
  }
}

function notSigned(): ConcordatError {
  return new ConcordatError('CHAIN_BROKEN', 'its body is not the one that was signed');
}
