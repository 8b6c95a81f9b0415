import { EMPTY_HEAD, type Head, nextLink } from '@concordat/common/domain/chain.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type EventId, type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeEntry } from '@concordat/common/domain/records.js';
import type { SentAgain, WantedAgain } from '@concordat/common/io/chain/send-again.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import type { TestFederation } from './federation.js';
import { orderId, signAs } from './ledger.js';

/**
 * What a holder's node sees of an origin's revocation service: purge entries, one chain per recipient, and answers to
 * nonces. It signs whatever a test wants signed.
 */
export class TestPurgeLedger {
  readonly #federation: TestFederation;
  readonly #origin: MemberId;
  readonly #append: (recipient: MemberId, entry: Uint8Array) => void;
  readonly #heads = new Map<MemberId, Head>();
  readonly #entries = new Map<MemberId, Uint8Array[]>();
  #orders = 0;
  /** while false nobody answers a nonce */
  isUp = true;
  /** entries of one answer to a node that misses some */
  pageSize = 3;
  /** the clock of its answers */
  nowMs = (): number => Date.now();

  constructor(
    federation: TestFederation,
    origin: MemberId,
    append: (recipient: MemberId, entry: Uint8Array) => void,
  ) {
    this.#federation = federation;
    this.#origin = origin;
    this.#append = append;
  }

  /** The next entry of the recipient's chain; its head moves, and nothing is sent. */
  next(recipient: MemberId, ids: readonly EventId[], change: Partial<PurgeEntry> = {}): Uint8Array {
    const link = nextLink(this.#heads.get(recipient) ?? EMPTY_HEAD);
    const { value, bytes, hash } = this.sign(recipient, ids, { ...link, ...change });
    this.#heads.set(recipient, { epoch: value.epoch, number: value.number, hash });
    const entries = this.#entries.get(recipient) ?? [];
    entries.push(bytes);
    this.#entries.set(recipient, entries);
    return bytes;
  }

  /** The next entry, on its topic. */
  purge(recipient: MemberId, ...ids: readonly EventId[]): Uint8Array {
    const entry = this.next(recipient, ids);
    this.#append(recipient, entry);
    return entry;
  }

  /** An entry for the place after the head, which does not move. */
  sign(
    recipient: MemberId,
    ids: readonly EventId[],
    change: Partial<PurgeEntry> = {},
    who: Parameters<typeof signAs>[1] = { member: this.#origin, role: 'revocation' },
  ) {
    this.#orders += 1;
    return signAs(this.#federation, who, 'PurgeEntry', {
      suite: SUITE,
      federation: 'test',
      origin: this.#origin,
      keyId: '',
      recipient,
      ...nextLink(this.#heads.get(recipient) ?? EMPTY_HEAD),
      timeMs: asUnixMs(this.nowMs()),
      orderId: orderId(this.#orders),
      sealRecordHash: EMPTY_HEAD.hash,
      part: 1,
      parts: 1,
      ids,
      deadlineMs: asUnixMs(this.nowMs() + 86_400_000),
      sections: [],
      recipientsAll: true,
      ...change,
    });
  }

  /** What it answers to a node that misses entries, a few at a time; `next` leaves no number out. */
  fetchAgain(recipient: MemberId, { epoch, fromNumber }: WantedAgain): SentAgain {
    if (!this.isUp) throw new ConcordatError('PEER_UNAVAILABLE', 'the revocation service is down');
    if (epoch !== EMPTY_HEAD.epoch) return { blocks: [], firstKept: 0, head: 0 };
    const entries = this.#entries.get(recipient) ?? [];
    const blocks = entries.slice(fromNumber - 1, fromNumber - 1 + this.pageSize);
    return { blocks, firstKept: Math.min(entries.length, 1), head: entries.length };
  }

  /** What the revocation service answers to a nonce of this recipient. */
  answer(recipient: MemberId, nonce: Uint8Array): Uint8Array {
    if (!this.isUp) throw new ConcordatError('PEER_UNAVAILABLE', 'the revocation service is down');
    const { epoch, number, hash } = this.#heads.get(recipient) ?? EMPTY_HEAD;
    const who = { member: this.#origin, role: 'revocation' } as const;
    return signAs(this.#federation, who, 'FreshnessAnswer', {
      suite: SUITE,
      federation: 'test',
      origin: this.#origin,
      keyId: '',
      recipient,
      nonce: Uint8Array.from(nonce),
      timeMs: asUnixMs(this.nowMs()),
      epoch,
      head: number,
      headHash: hash,
    }).bytes;
  }
}
