import { EMPTY_HEAD, type Head, nextLink } from '@concordat/common/domain/chain.js';
import type { Hash, MemberId } from '@concordat/common/domain/ids.js';
import { stageOf } from '@concordat/common/domain/purge-order.js';
import type { PurgeEntry, PurgeOutcome, Receipt } from '@concordat/common/domain/records.js';
import { SUITE, type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import { signAs } from './ledger.js';
import { NOW } from './origin.js';
import { type TestFederation, codec } from './federation.js';

/** What of a holder's node the origin sees: one receipt per entry, chained, the same bytes each time. */
export class TestHolder {
  readonly member: MemberId;
  readonly #federation: TestFederation;
  readonly #answers = new Map<string, Uint8Array>();
  #head: Head = EMPTY_HEAD;

  constructor(federation: TestFederation, member: MemberId) {
    this.#federation = federation;
    this.member = member;
  }

  readEntry(bytes: Uint8Array): Verified<'PurgeEntry'> {
    const signed = codec.decode('Signed', bytes);
    const signer = signed.ok ? this.#federation.keys.find(signed.value.keyId)?.member : undefined;
    if (!signer) throw new Error('an entry of nobody');
    const { keys } = this.#federation;
    const entry = verifyStatement(codec, keys, 'PurgeEntry', bytes, { signer });
    if (!entry.ok) throw entry.error;
    return entry.value;
  }

  /** The receipt for this entry; asked again, the first one. */
  answer(entryBytes: Uint8Array, outcome: PurgeOutcome = 'DELETED'): Uint8Array {
    const entry = this.readEntry(entryBytes);
    const key = entry.hash.join();
    const known = this.#answers.get(key);
    if (known) return known;
    const { bytes } = this.next(entry, { outcome });
    this.#answers.set(key, bytes);
    return bytes;
  }

  /** A new receipt at the end of the chain, changed where the test says so. */
  next(
    { value, hash }: Verified<'PurgeEntry'>,
    how: {
      readonly outcome?: PurgeOutcome;
      /** one for each event, in the place of one for all */
      readonly outcomes?: Receipt['outcomes'];
      readonly change?: Partial<Receipt>;
    } = {},
  ): Verified<'Receipt'> {
    const { outcome = 'DELETED' } = how;
    const outcomes = how.outcomes ?? value.ids.map((id) => ({ id, outcome }));
    const link = nextLink(this.#head);
    const receipt: Receipt = {
      ...this.#answerTo(value, outcomes),
      ...link,
      entryHash: hash,
      ...how.change,
    };
    const signed = signAs(
      this.#federation,
      { member: this.member, role: 'node' },
      'Receipt',
      receipt,
    );
    this.#head = { epoch: link.epoch, number: receipt.number, hash: signed.hash };
    return signed;
  }

  /** Something else at the end of the chain. */
  says(
    sign: (link: ReturnType<typeof nextLink>) => {
      readonly bytes: Uint8Array;
      readonly hash: Hash;
    },
  ): Uint8Array {
    const link = nextLink(this.#head);
    const { bytes, hash } = sign(link);
    this.#head = { epoch: link.epoch, number: link.number, hash };
    return bytes;
  }

  /** Leaves a number out: the next receipt does not follow. */
  skip(): void {
    this.#head = { ...this.#head, number: this.#head.number + 1 };
  }

  #answerTo(entry: PurgeEntry, outcomes: Receipt['outcomes']) {
    return {
      suite: SUITE,
      federation: 'test',
      origin: entry.origin,
      keyId: '',
      holder: this.member,
      timeMs: NOW,
      orderId: entry.orderId,
      entryNumber: entry.number,
      stage: stageOf(outcomes.map(({ outcome }) => outcome)),
      outcomes,
      holds: [],
      children: [],
      opened: null,
    };
  }
}
