import { fieldError } from '@concordat/common/domain/errors.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { RevocationContext } from './context.js';

type Answer = concordat.revocation.v1.ScopeResponse;

export function scopeStanding({ store, approvalsAbove }: RevocationContext): Answer {
  const { scope } = store;
  return {
    doneStanding: scope.standing('done'),
    waitingStanding: scope.standing('waiting'),
    waiting: scope.waiting().map((one) => ({ ...one, sections: [...one.sections] })),
    confirmedStanding: scope.standing('confirmed'),
    confirmAbove: approvalsAbove,
  };
}

/** A person's yes counts for what waits and was shown, and for nothing that comes after it. */
export function confirmScope(context: RevocationContext, standing: string): Answer {
  const { store, logger } = context;
  const waiting = store.scope.standing('waiting');
  if (standing === '' || standing !== waiting) {
    const text = waiting === '' ? 'nothing waits' : 'expected what waits now: look at it again';
    throw fieldError('REQUEST_INVALID', 'standing', text);
  }
  store.scope.set('confirmed', standing);
  store.chains.count('scope.confirmed');
  logger.info('a person confirmed that what left scope is ordered back');
  return scopeStanding(context);
}
