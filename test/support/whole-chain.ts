import { EMPTY_HEAD, type Head, followChain } from '@concordat/common/domain/chain.js';
import { kindOfStatement, verifyStatement } from '@concordat/common/domain/statement.js';
import { equalBytes } from '@concordat/common/domain/bytes.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { type TestFederation, codec } from './federation.js';

type Link = Head & { readonly previous: Head['hash'] };

/**
 * Reads a chain on a topic as its readers do.
 *
 * @returns what is wrong with it, a missing number or one with two texts; undefined when nothing is
 */
export function chainProblem(
  records: readonly LogRecord[],
  linkOf: (value: Uint8Array) => Link,
): string | undefined {
  let head: Head = EMPTY_HEAD;
  const seen = new Map<number, Uint8Array>();
  for (const { value } of records) {
    const link = linkOf(value);
    const known = seen.get(link.number);
    if (known && !equalBytes(known, value)) return `${String(link.number)} has two texts`;
    seen.set(link.number, value);
    const step = followChain(head, link);
    if (step.kind === 'next') head = step.head;
    else if (step.kind !== 'seen') return `${String(link.number)} does not follow`;
  }
  return undefined;
}

/** Of a record on the ledger topic of `origin`. */
export function ledgerLink(members: TestFederation, origin: MemberId) {
  return (value: Uint8Array): Link => {
    const record = codec.decode('LedgerRecord', value);
    if (!record.ok) throw record.error;
    return linkIn(members, 'LedgerStatement', record.value.statement, origin);
  };
}

/** Of a record on a receipts topic of `holder`. */
export function receiptLink(members: TestFederation, holder: MemberId) {
  return (value: Uint8Array): Link => {
    const kind = kindOfStatement(codec, ['Receipt', 'MediaErased'], value) ?? 'Receipt';
    return linkIn(members, kind, value, holder);
  };
}

function linkIn(
  { keys }: TestFederation,
  name: 'LedgerStatement' | 'Receipt' | 'MediaErased',
  bytes: Uint8Array,
  signer: MemberId,
): Link {
  const read = verifyStatement(codec, keys, name, bytes, { signer });
  if (!read.ok) throw read.error;
  return { ...read.value.value, hash: read.value.hash };
}
