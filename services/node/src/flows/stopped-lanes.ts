import type { LogRecord } from '@concordat/common/io/log-client.js';

/**
 * Lanes that stopped at a gap. Their position stays before the gap, so a restart reads from there again; other lanes
 * go on. Until missing numbers can be fetched, only the origin can close a gap.
 */
export class StoppedLanes {
  readonly #lanes = new Set<string>();
  readonly #warn: (code: string, message: string) => void;

  constructor(warn: (code: string, message: string) => void) {
    this.#warn = warn;
  }

  has({ topic, lane }: LogRecord): boolean {
    return this.#lanes.has(`${topic}/${String(lane)}`);
  }

  clear(): void {
    this.#lanes.clear();
  }

  stop(
    { topic, lane }: LogRecord,
    chain: string,
    gap: { readonly missingFrom: number; readonly missingTo: number },
  ): void {
    this.#lanes.add(`${topic}/${String(lane)}`);
    const missing = `${String(gap.missingFrom)} to ${String(gap.missingTo)}`;
    this.#warn('CHAIN_GAP', `${chain}: numbers ${missing} are missing, the lane stops here`);
  }
}
