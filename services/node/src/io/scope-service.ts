import { ReleaseRules } from '@concordat/common/domain/release-rules.js';
import { parsePolicy } from '@concordat/common/io/policy-file.js';
import { ScopeService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';
import { scopeLosses } from '../flows/scope-losses.js';

type Answer = concordat.node.v1.ScopeLossesResponse;

export function scopeService(context: NodeContext): Served {
  return serve(ScopeService, {
    async scopeLosses({ knownStanding, after }) {
      const standing = context.rules.standing(context.clock.nowMs());
      if (standing === knownStanding) return { standing, losses: [], next: 0 };
      return scopeAnswer(context, context.rules, after);
    },
  });
}

export async function scopeAnswer(
  context: NodeContext,
  rules: ReleaseRules,
  after: number,
): Promise<Answer> {
  const { standing, losses, next } = await scopeLosses(context, rules, after);
  const told = losses.map(({ recipient, sections, ids }) => ({
    ...{ recipient, sections: [...sections] },
    eventIds: [...ids],
  }));
  return { standing, losses: told, next };
}

/** The rules of a policy that is not in force here. @throws ConcordatError CONFIG_INVALID */
export function rulesIn(policy: Uint8Array): ReleaseRules {
  return new ReleaseRules(parsePolicy(policy, 'policy'));
}
