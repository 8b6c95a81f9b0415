import { fieldError } from '@concordat/common/domain/errors.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import type { OperatorService, concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';
import { placeHold, releaseHold } from '../flows/legal-holds.js';
import { eventIdField, memberField } from './request-fields.js';
import type { HeldEvent } from './state/legal-holds.js';

type Hold = concordat.node.v1.Hold;

const TEXT_MAX = 256;

/** The calls of operators about legal holds. */
export function holdCalls(
  context: NodeContext,
): Pick<Handlers<typeof OperatorService>, 'placeHold' | 'releaseHold' | 'listHolds'> {
  return {
    placeHold: async ({ origin, eventId, ground, authority, reviewAtMs }) =>
      shown(
        context,
        placeHold(context, {
          origin: memberField('origin', origin),
          id: eventIdField('event_id', eventId),
          ground: textField('ground', ground),
          authority: textField('authority', authority),
          reviewAtMs: asUnixMs(reviewAtMs),
        }),
      ),
    releaseHold: async ({ origin, eventId }) =>
      shown(
        context,
        releaseHold(context, memberField('origin', origin), eventIdField('event_id', eventId)),
      ),
    listHolds: async () => ({
      holds: context.state.holds.all().map((hold) => shown(context, hold)),
    }),
  };
}

function textField(field: string, text: string): string {
  if (text.trim() !== '' && text.length <= TEXT_MAX && !/\p{Cc}/u.test(text)) return text;
  const problem = `expected 1 to ${TEXT_MAX} characters without control characters`;
  throw fieldError('REQUEST_INVALID', field, problem);
}

function shown({ state, clock }: NodeContext, { id, ...hold }: HeldEvent): Hold {
  return {
    eventId: id,
    ...hold,
    purged: state.tombstones.isBuried(hold.origin, id),
    reviewOverdue: hold.reviewAtMs < clock.nowMs(),
  };
}
