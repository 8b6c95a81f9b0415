import type { OutgoingRecord } from '../log-client.js';

/** A few full blocks; what is more waits for the broker, and is read from the database when it is sent. */
const BYTES_MAX = 4 * 1024 * 1024;

/** Records that were committed and are about to be sent, by their row: a block need not be read back to be sent. */
export class UnsentRecords {
  readonly #records = new Map<number, OutgoingRecord>();
  #bytes = 0;

  keep(seq: number, record: OutgoingRecord): void {
    this.forget(seq);
    if (this.#bytes + record.value.length > BYTES_MAX) return;
    this.#records.set(seq, record);
    this.#bytes += record.value.length;
  }

  get(seq: number): OutgoingRecord | undefined {
    return this.#records.get(seq);
  }

  forget(seq: number): void {
    this.#bytes -= this.#records.get(seq)?.value.length ?? 0;
    this.#records.delete(seq);
  }
}
