import type { Agreement, Policy, Rule } from '@concordat/common/domain/agreement.js';
import type { MemberId } from '@concordat/common/domain/ids.js';

/** What the agreements give one member of an event. */
export interface Rights {
  readonly sections: ReadonlySet<string>;
  /** from collection on */
  readonly retentionMs: number;
}

export const NO_RIGHTS: Rights = { sections: new Set(), retentionMs: 0 };

/** All that decides about an event beside its times and whom it is meant for. */
export interface Kind {
  readonly origin: MemberId;
  readonly category: string;
  readonly purposes: readonly string[];
  readonly sections: readonly string[];
}

/**
 * Says for itself what `decideRelease` decides: consent and permit of an agreement of both, none of what any forbids, and of
 * several permits the one with the shortest term.
 */
export function rightsOf(policy: Policy, kind: Kind, recipient: MemberId): Rights {
  const { origin, category, purposes } = kind;
  const both = policy.agreements.filter(({ parties }) =>
    [origin, recipient].every((member) => parties.includes(member)),
  );
  const speaks = ({ recipients, categories }: Rule): boolean =>
    recipients.includes(recipient) && categories.some((one) => isOf(one, category));
  const rules = (of: readonly Agreement[], effect: Rule['effect']): Rule[] =>
    of.flatMap((one) => one.rules).filter((rule) => rule.effect === effect && speaks(rule));
  const consented = both.filter(({ id }) =>
    policy.consents.some(
      (one) => one.agreementId === id && one.origin === origin && !one.withdrawn,
    ),
  );
  const [permit] = rules(consented, 'permit').sort((a, b) => a.retentionMs - b.retentionMs);
  if (!permit || !purposes.some((one) => permit.purposes.includes(one))) return NO_RIGHTS;
  const forbidden = rules(both, 'forbid');
  const left = kind.sections
    .filter((name) => takes(permit, name))
    .filter((name) => !forbidden.some((rule) => takes(rule, name)));
  return { sections: new Set(left), retentionMs: permit.retentionMs };
}

function takes({ sections }: Rule, name: string): boolean {
  return sections.includes('*') || sections.includes(name);
}

/** `a.**` takes `a.b` and `a.b.c`; `a.*` the first only. */
function isOf(pattern: string, category: string): boolean {
  const parts = pattern.split('.').map((part) => {
    if (part === '**') return '.+';
    return part === '*' ? '[^.]+' : part;
  });
  return new RegExp(`^${parts.join(String.raw`\.`)}$`).test(category);
}
