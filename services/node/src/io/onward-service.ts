import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import { isName } from '@concordat/common/domain/header.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import {
  OnwardService,
  type OperatorService,
  type concordat,
} from '@concordat/common/io/rpc/definitions.js';
import { type Handlers, type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';
import { type OnwardWish, takeOnward } from '../flows/onward.js';
import type { AskOnward } from './peers.js';
import { eventIdField, memberField } from './request-fields.js';

const REASON_MAX = 500;
const LIST_MAX = 1_000;

/** For nodes of other members: a holder asks that an own event be released to a third member. */
export function onwardService(context: NodeContext): Served {
  return serve(OnwardService, {
    async requestOnward(request, { caller }) {
      takeOnward(context, caller.member, wishIn(request));
      return {};
    },
  });
}

/** The operator's side of it: asking an origin, and what others asked of us. */
export function onwardCalls(
  context: NodeContext,
  askers: ReadonlyMap<MemberId, AskOnward>,
): Pick<Handlers<typeof OperatorService>, 'askOnward' | 'listOnward'> {
  const { data, state } = context;
  return {
    async askOnward({ origin: text, ...request }) {
      const origin = memberField('origin', text);
      const wish = wishIn({ ...request });
      const release = data.find(origin, wish.id)?.release;
      const ask = askers.get(origin);
      if (!release || !ask) {
        const message = `expected an event of another member that is held here, came ${wish.id} of ${origin}`;
        throw new ConcordatError('ONWARD_NOT_HELD', message);
      }
      if (!release.onward) {
        const message = 'expected an event that was given with leave to share it on';
        throw new ConcordatError('ONWARD_NOT_ALLOWED', message);
      }
      await ask({ ...wish, eventId: wish.id });
      return {};
    },
    listOnward: async () => ({
      requests: state.onward.newest(LIST_MAX).map(({ id, sections, number: _number, ...rest }) => ({
        ...rest,
        ...{ eventId: id, sections: [...sections] },
      })),
    }),
  };
}

function wishIn(request: concordat.node.v1.OnwardRequest): OnwardWish {
  const { purpose, reason } = request;
  if (!isName(purpose)) throw fieldError('REQUEST_INVALID', 'purpose', 'expected a name');
  if (reason.trim() === '' || reason.length > REASON_MAX) {
    throw fieldError('REQUEST_INVALID', 'reason', `expected 1 to ${String(REASON_MAX)} characters`);
  }
  return {
    id: eventIdField('event_id', request.eventId),
    recipient: memberField('recipient', request.recipient),
    ...{ purpose, reason },
  };
}
