import type { Endpoints, Federation } from '@concordat/common/domain/federation.js';
import { type MemberId, parseMemberId } from '@concordat/common/domain/ids.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import type { Membership } from '@concordat/common/domain/topics.js';

/** A member as the command line names it: `un:origin` publishes, `de` receives only. */
export interface PlannedMember {
  readonly id: MemberId;
  readonly isOrigin: boolean;
}

export function parsePlannedMember(text: string): Result<PlannedMember, 'MEMBER_MALFORMED'> {
  const [name = '', kind, ...rest] = text.split(':');
  const id = parseMemberId(name);
  const isOrigin = kind === 'origin';
  if (!id.ok || rest.length > 0 || (kind !== undefined && !isOrigin))
    return err('MEMBER_MALFORMED');
  return ok({ id: id.value, isOrigin });
}

/** Ports of one member: its node's is the base, its consent's and its revocation's follow. */
const PORTS_PER_MEMBER = 10;

/** Services on the loopback, ten ports a member. */
export function withEndpoints(
  members: readonly PlannedMember[],
  portBase: number,
): readonly { readonly id: MemberId; readonly services: Endpoints }[] {
  return members.map(({ id, isOrigin }, at) => {
    const first = portBase + at * PORTS_PER_MEMBER;
    const address = (offset: number): string => `127.0.0.1:${String(first + offset)}`;
    const node = address(0);
    return {
      id,
      services: isOrigin ? { node, consent: address(1), revocation: address(2) } : { node },
    };
  });
}

/** Who receives, and who publishes: members with a consent and a revocation service. */
export function membershipOf({ members }: Federation): Membership {
  const origins = members.filter(
    ({ services }) => services.consent !== undefined && services.revocation !== undefined,
  );
  return { members: members.map(({ id }) => id), origins: origins.map(({ id }) => id) };
}
