import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import type { OwnTopic } from '@concordat/common/io/adopt-tails.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { NodeContext } from '../context.js';
import { chainsAhead } from './own-topics.js';

type Replayed = 'DerivationGrant' | 'MembershipChange';

/**
 * Brings the state up to an own topic of one lane whose records are statements.
 *
 * @param takeOver keeps one that the state does not have yet; called in order, in one commit
 * @returns how many were taken over
 * @throws ConcordatError STATE_LOST when the topic does not carry the whole chain
 */
export async function replayStatements<Name extends Replayed>(
  context: NodeContext,
  log: LogClient,
  { name, own }: { readonly name: Name; readonly own: OwnTopic<Name> },
  takeOver: (statement: Verified<Name>) => void,
): Promise<number> {
  const ahead = await chainsAhead(context, log, own);
  if (ahead.size === 0) return 0;
  const { codec, keys, self, state } = context;
  const { topic } = own;
  const before = state.chains.ownHead(topic).number;
  const found: Verified<Name>[] = [];
  await log.scan(topic, 0, 0n, ({ value }) => {
    const statement = verifyStatement(codec, keys, name, value, { signer: self });
    // a stranger's bytes on our topic are none of ours
    if (statement.ok && statement.value.value.number > before) found.push(statement.value);
  });
  state.db.transaction(() => {
    for (const statement of found) if (advance(context, topic, statement)) takeOver(statement);
  });
  return state.chains.ownHead(topic).number - before;
}

/** Is it the next one? */
function advance(
  { state }: NodeContext,
  topic: string,
  { value, hash }: Pick<Verified<Replayed>, 'value' | 'hash'>,
): boolean {
  const head = state.chains.ownHead(topic);
  const { epoch, number, previous } = value;
  // sent twice, byte for byte
  if (number <= head.number) return false;
  if (number !== head.number + 1 || !equalBytes(previous, head.hash)) {
    const expected = `expected number ${String(head.number + 1)} of one chain`;
    throw new ConcordatError('STATE_LOST', `${topic}: ${expected}, came ${String(number)}`);
  }
  state.chains.advanceOwn(topic, head, { epoch, number, hash });
  return true;
}
