import { type OwnTopic, adoptTails } from '@concordat/common/io/adopt-tails.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { eventsTopic, ledgerTopic, receiptsTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from './context.js';

/**
 * A node's topics must not be ahead of its state: the heads could be taken over, but who holds what and what was
 * purged would be lost with the rest. Such a node must be restored from its ledger first.
 *
 * @throws ConcordatError STATE_LOST
 */
export async function refuseLostState(
  context: NodeContext,
  log: LogClient,
  origins: { readonly isOrigin: boolean; readonly others: readonly MemberId[] },
): Promise<void> {
  const { codec, keys, self, state } = context;
  const refuse = (chain: string, own: { number: number }, found: { number: number }): never => {
    throw new ConcordatError(
      'STATE_LOST',
      `${chain}: the topic has number ${String(found.number)}, the state store only ${String(own.number)}: an older or empty state must not serve`,
    );
  };
  const adopter = {
    ...{ log, codec, keys, self },
    tables: { ownHead: (chain: string) => state.chains.ownHead(chain), advanceOwn: refuse },
    onAdopted: () => undefined,
  };
  if (origins.isOrigin) {
    await adoptTails(adopter, ownBlocks(context));
    await adoptTails(adopter, ownLedger(context));
  }
  for (const origin of origins.others) await adoptTails(adopter, ownReceipts(context, origin));
}

function ownBlocks({ codec, self }: NodeContext): OwnTopic<'BlockStatement'> {
  const topic = eventsTopic(self);
  return {
    topic,
    name: 'BlockStatement',
    chainOf: (lane) => `${topic}/${String(lane)}`,
    statementOf: (value) => {
      const block = codec.decode('Block', value);
      return block.ok ? block.value.statement : undefined;
    },
    belongs: (statement, lane) => statement.lane === lane,
  };
}

function ownLedger({ codec, self }: NodeContext): OwnTopic<'LedgerStatement'> {
  const topic = ledgerTopic(self);
  return {
    topic,
    name: 'LedgerStatement',
    chainOf: () => topic,
    statementOf: (value) => {
      const record = codec.decode('LedgerRecord', value);
      return record.ok ? record.value.statement : undefined;
    },
    belongs: () => true,
  };
}

function ownReceipts({ self }: NodeContext, origin: MemberId): OwnTopic<'Receipt'> {
  const topic = receiptsTopic({ origin, recipient: self });
  return {
    topic,
    name: 'Receipt',
    chainOf: () => topic,
    statementOf: (value) => value,
    belongs: (receipt) => receipt.origin === origin,
  };
}
