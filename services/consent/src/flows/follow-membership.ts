import { verifyStatement } from '@concordat/common/domain/statement.js';
import { membershipTopic } from '@concordat/common/domain/topics.js';
import { ok } from '@concordat/common/domain/result.js';
import { FollowedTopic } from '@concordat/common/io/chain/followed-topic.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { type ConsentContext, followPorts } from './context.js';

/** Reads who leaves, as the own node has signed it: from then on nothing is released to that member. */
export function followMembership(context: ConsentContext): FollowedTopic {
  const { codec, keys, self, store, logger } = context;
  const topic = membershipTopic(self);
  return new FollowedTopic(followPorts(context), {
    topic,
    chainOf: () => topic,
    duplicates: 'duplicate.membership',
    onEffectFailing: 'stop', // who leaves is never passed by
    read: (value) => {
      const change = verifyStatement(codec, keys, 'MembershipChange', value, { signer: self });
      if (!change.ok) return change;
      const { epoch, number, previous, member, stage } = change.value.value;
      return ok({
        link: { epoch, number, previous, hash: change.value.hash },
        apply: () => {
          store.leavers.add(member);
          logger.info('a member leaves: nothing more is released to it', {
            peer: member,
            outcome: stage,
          });
          return undefined;
        },
      });
    },
  });
}

const LOOK_AGAIN_MS = 20;

/**
 * Resolves when the topic is read to its present end: nothing is decided before it is known who leaves, also when the database
 * was lost. A gap in it is named and holds nobody up; the node gives no key to who leaves.
 */
export async function untilMembershipIsRead(
  { store, clock }: Pick<ConsentContext, 'store' | 'clock'>,
  log: Pick<LogClient, 'ends'>,
  topic: string,
): Promise<void> {
  const [end] = await log.ends(topic);
  while (end && store.chains.position(topic, 0) < end.high && !store.chains.hasGap(topic)) {
    await clock.sleep(LOOK_AGAIN_MS);
  }
}
