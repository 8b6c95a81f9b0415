import type { Policy } from '@concordat/common/domain/agreement.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { ReleaseRules } from '@concordat/common/domain/release-rules.js';
import type { StateStore } from '../io/state-store.js';

/** What this node decides by. One policy follows another as a whole; between two decisions, never within one. */
export class PolicyInForce {
  readonly #state: Pick<StateStore, 'db' | 'versions'>;
  #rules: ReleaseRules;

  /** @throws ConcordatError CONFIG_INVALID */
  constructor(state: Pick<StateStore, 'db' | 'versions'>, policy: Policy) {
    this.#state = state;
    this.#rules = this.#accepted(policy);
  }

  get rules(): ReleaseRules {
    return this.#rules;
  }

  /** @throws ConcordatError CONFIG_INVALID: then the policy before stays in force */
  use(policy: Policy): void {
    this.#rules = this.#accepted(policy);
  }

  /** Versions never go backwards: an old file put back would let out what was withheld, and take back what was not. */
  #accepted(policy: Policy): ReleaseRules {
    const { db, versions } = this.#state;
    for (const { id, version } of policy.agreements) {
      const highest = versions.highest(id);
      if (version >= highest) continue;
      const text = `expected version ${String(highest)} or later, which was in force here, came ${String(version)}`;
      throw new ConcordatError('CONFIG_INVALID', `agreement ${id}: ${text}`);
    }
    const rules = new ReleaseRules(policy);
    db.transaction(() => {
      for (const { id, version } of policy.agreements) versions.note(id, version);
    });
    return rules;
  }
}
