import { type ChainedName, type OwnTopic, adoptTails } from '@concordat/common/io/adopt-tails.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import {
  eventsTopic,
  grantsTopic,
  ledgerTopic,
  membershipTopic,
  receiptsTopic,
} from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';

export function ownBlocks({ codec, self }: NodeContext): OwnTopic<'BlockStatement'> {
  const topic = eventsTopic(self);
  return {
    topic,
    names: ['BlockStatement'],
    chainOf: (lane) => `${topic}/${String(lane)}`,
    statementOf: (value) => {
      const block = codec.decode('Block', value);
      return block.ok ? block.value.statement : undefined;
    },
    belongs: (statement, lane) => statement.lane === lane,
  };
}

export function ownLedger({ codec, self }: NodeContext): OwnTopic<'LedgerStatement'> {
  const topic = ledgerTopic(self);
  return {
    topic,
    names: ['LedgerStatement'],
    chainOf: () => topic,
    statementOf: (value) => {
      const record = codec.decode('LedgerRecord', value);
      return record.ok ? record.value.statement : undefined;
    },
    belongs: () => true,
  };
}

export function ownMembership({ self }: NodeContext): OwnTopic<'MembershipChange'> {
  const topic = membershipTopic(self);
  return {
    topic,
    names: ['MembershipChange'],
    chainOf: () => topic,
    statementOf: (value) => value,
    belongs: () => true,
  };
}

export function ownGrants({ self }: NodeContext): OwnTopic<'DerivationGrant'> {
  const topic = grantsTopic(self);
  return {
    topic,
    names: ['DerivationGrant'],
    chainOf: () => topic,
    statementOf: (value) => value,
    belongs: () => true,
  };
}

export function ownReceipts(
  { self }: NodeContext,
  origin: MemberId,
): OwnTopic<'Receipt' | 'MediaErased'> {
  const topic = receiptsTopic({ origin, recipient: self });
  return {
    topic,
    names: ['Receipt', 'MediaErased'],
    chainOf: () => topic,
    statementOf: (value) => value,
    belongs: (statement) => statement.origin === origin,
  };
}

/**
 * Where a topic of ours ends, of every chain that is ahead of the state: the state is empty, or older than the topic.
 *
 * @throws ConcordatError EQUIVOCATION when topic and state hold two statements of one number
 */
export async function chainsAhead<Name extends ChainedName>(
  { codec, keys, self, state }: NodeContext,
  log: LogClient,
  own: OwnTopic<Name>,
): Promise<Map<string, number>> {
  const ahead = new Map<string, number>();
  const adopter = {
    ...{ log, codec, keys, self },
    tables: {
      ownHead: (chain: string) => state.chains.ownHead(chain),
      advanceOwn: () => undefined,
    },
    onAdopted: (chain: string, _from: unknown, to: { readonly number: number }) =>
      void ahead.set(chain, to.number),
  };
  await adoptTails(adopter, own);
  return ahead;
}
