import { bytesKey, equalBytes } from '@concordat/common/domain/bytes.js';
import { type MemberId, parseMemberId } from '@concordat/common/domain/ids.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import { type Scene, violate } from './scene.js';
import { type Sight, receiptsIn } from './sight/sight.js';
import type { Place, Witness } from './witness.js';

/** S13: of an entry a holder has one receipt for each stage, the same bytes whenever it is written or sent. */
export class OneReceipt implements Witness {
  readonly name = 'one receipt for each stage';
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #first = new Map<string, Uint8Array>();

  constructor(scene: Scene, sight: Sight) {
    this.#scene = scene;
    this.#sight = sight;
  }

  committed({ member, process }: Place): void {
    if (process !== 'node' || this.#sight.commit.isOpening) return;
    for (const value of receiptsIn(this.#sight.commit)) this.#compare(member, value);
  }

  appended({ topic, value }: LogRecord): void {
    const [kind, holder = ''] = topic.split('.');
    const member = parseMemberId(holder);
    if (kind === 'receipts' && member.ok) this.#compare(member.value, value);
  }

  #compare(member: MemberId, bytes: Uint8Array): void {
    const receipt = this.#sight.papers.receipt(member, bytes)?.value;
    if (!receipt) return;
    const { orderId, entryNumber, entryHash, stage } = receipt;
    // a final receipt says what became of all of it, in one of two words
    const isFinal = stage === 'OPEN' ? 'open' : 'final';
    const place = `${member} ${bytesKey(entryHash)} ${isFinal}`;
    const first = this.#first.get(place);
    if (!first) this.#first.set(place, bytes);
    else if (!equalBytes(first, bytes)) {
      const what = `two ${isFinal} receipts for entry ${String(entryNumber)} of order ${orderId}`;
      violate(this.#scene, 'S13', member, what);
    }
  }
}
