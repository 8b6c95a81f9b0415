import type { MemberId } from '@concordat/common/domain/ids.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import type { Witness } from '../witness/witness.js';

/** Which purge entries are with the broker and have no final receipt there. */
export class OpenEntries implements Witness {
  readonly name = 'open entries';
  readonly #codec: RecordCodec;
  readonly #open = new Set<string>();

  constructor(codec: RecordCodec) {
    this.#codec = codec;
  }

  /** Is anything that this member ordered, or has to delete, not answered for good? */
  of(member: MemberId): boolean {
    for (const one of this.#open) if (one.split(' ').includes(member)) return true;
    return false;
  }

  appended({ topic, value }: LogRecord): void {
    const [kind, one = '', other = ''] = topic.split('.');
    if (kind !== 'purge' && kind !== 'receipts') return;
    const signed = this.#codec.decode('Signed', value);
    if (!signed.ok) return;
    if (kind === 'purge') {
      const entry = this.#codec.decode('PurgeEntry', signed.value.payload);
      if (entry.ok) this.#open.add(`${one} ${other} ${String(entry.value.number)}`);
      return;
    }
    const receipt = this.#codec.decode('Receipt', signed.value.payload);
    if (!receipt.ok) return;
    const { stage, entryNumber } = receipt.value;
    if (stage !== 'OPEN') this.#open.delete(`${other} ${one} ${String(entryNumber)}`);
  }
}
