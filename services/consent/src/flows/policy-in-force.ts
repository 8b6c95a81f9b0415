import { type Policy, possibleRecipients } from '@concordat/common/domain/agreement.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { policyVersion } from '@concordat/common/domain/release-facts.js';
import { ReleaseRules } from '@concordat/common/domain/release-rules.js';

/** What consent decides by: one policy after the other, for the recipients whose feeds were opened at the start. */
export class PolicyInForce {
  readonly recipients: readonly MemberId[];
  readonly #self: MemberId;
  #now: { readonly policy: Policy; readonly rules: ReleaseRules; readonly version: string };

  constructor(self: MemberId, policy: Policy) {
    this.#self = self;
    this.recipients = possibleRecipients(policy, self);
    this.#now = readyToUse(policy);
  }

  get policy(): Policy {
    return this.#now.policy;
  }

  get rules(): ReleaseRules {
    return this.#now.rules;
  }

  get version(): string {
    return this.#now.version;
  }

  /** @throws ConcordatError CONFIG_INVALID for parties without a feed; then the policy before stays in force */
  use(policy: Policy): void {
    const strangers = possibleRecipients(policy, this.#self).filter(
      (member) => !this.recipients.includes(member),
    );
    if (strangers.length > 0) {
      const text = `expected parties whose feeds are open, came ${strangers.join(', ')}: start consent anew`;
      throw new ConcordatError('CONFIG_INVALID', text);
    }
    this.#now = readyToUse(policy);
  }
}

function readyToUse(policy: Policy) {
  return { policy, rules: new ReleaseRules(policy), version: policyVersion(policy) };
}
