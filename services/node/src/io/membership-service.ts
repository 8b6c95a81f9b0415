import { fieldError } from '@concordat/common/domain/errors.js';
import { parseMemberId } from '@concordat/common/domain/ids.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import { MembershipService } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';
import { letMemberBeGone, letMemberGo } from '../flows/membership.js';

export function membershipService(context: NodeContext): Served {
  // read after the change was committed, so every key release before it has a lower number
  const ledgerHead = () => ({
    ledgerHead: context.state.chains.ownHead(ledgerTopic(context.self)).number,
  });
  return serve(MembershipService, {
    async letMemberGo({ order, approvals }) {
      return { change: await letMemberGo(context, order, approvals), ...ledgerHead() };
    },
    async letMemberBeGone({ member }) {
      const id = parseMemberId(member);
      if (!id.ok) throw fieldError('REQUEST_INVALID', 'member', 'expected a member id');
      return { change: await letMemberBeGone(context, id.value), ...ledgerHead() };
    },
  });
}
