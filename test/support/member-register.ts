import { EMPTY_HEAD, type Head, nextLink } from '@concordat/common/domain/chain.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { MembershipChange } from '@concordat/common/domain/records.js';
import { SUITE, verifyStatement } from '@concordat/common/domain/statement.js';
import type { RevocationPorts } from '@concordat/revocation/service.js';
import { type TestFederation, codec } from './federation.js';
import { signAs } from './ledger.js';

/** What of a node the revocation service sees when a member leaves: signed changes, the same ones each time. */
export class TestRegister {
  readonly #federation: TestFederation;
  readonly #origin: MemberId;
  readonly #now: () => UnixMs;
  readonly #ledgerHead: () => number;
  readonly #changes = new Map<string, Uint8Array>();
  #head: Head = EMPTY_HEAD;
  /** what the node was asked, `LEAVING de` */
  readonly asked: string[] = [];

  constructor(
    federation: TestFederation,
    origin: MemberId,
    about: { readonly now: () => UnixMs; readonly ledgerHead: () => number },
  ) {
    this.#federation = federation;
    this.#origin = origin;
    this.#now = about.now;
    this.#ledgerHead = about.ledgerHead;
  }

  readonly calls: RevocationPorts['register'] = {
    letMemberGo: (bytes) =>
      Promise.resolve().then(() => {
        const { keys } = this.#federation;
        const order = verifyStatement(codec, keys, 'PurgeOrder', bytes, { signer: this.#origin });
        if (!order.ok) throw order.error;
        const [member = this.#origin] = order.value.value.recipients;
        return this.#change(member, 'LEAVING');
      }),
    letMemberBeGone: (member) => Promise.resolve().then(() => this.#change(member, 'LEFT')),
  };

  #change(member: MemberId, stage: MembershipChange['stage']) {
    const key = `${stage} ${member}`;
    this.asked.push(key);
    const change = this.#changes.get(key) ?? this.#sign(member, stage);
    this.#changes.set(key, change);
    return { change, ledgerHead: this.#ledgerHead() };
  }

  #sign(member: MemberId, stage: MembershipChange['stage']): Uint8Array {
    const link = nextLink(this.#head);
    const about = { suite: SUITE, federation: 'test', origin: this.#origin, keyId: '' };
    const change = { ...about, ...link, timeMs: this.#now(), member, stage, reason: 'test' };
    const who = { member: this.#origin, role: 'node' } as const;
    const { bytes, hash } = signAs(this.#federation, who, 'MembershipChange', change);
    this.#head = { epoch: link.epoch, number: link.number, hash };
    return bytes;
  }
}
