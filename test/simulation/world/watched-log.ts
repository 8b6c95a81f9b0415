import type { LogRecord, OutgoingRecord } from '@concordat/common/io/log-client.js';
import { MemoryLog } from '@concordat/common/io/memory-log.js';

/** A log whose every record somebody is told of, whoever wrote it. */
export class WatchedLog extends MemoryLog {
  readonly #told: (record: LogRecord) => void;

  constructor(told: (record: LogRecord) => void) {
    super();
    this.#told = told;
  }

  override append(topic: string, lane: number, records: readonly OutgoingRecord[]): bigint {
    const base = super.append(topic, lane, records);
    const { records: held } = this.lane(topic, lane);
    for (const record of held.slice(-records.length)) this.#told(record);
    return base;
  }
}
