import { HealthBoard, type Needs } from '../domain/health-board.js';
import type { Clock } from '../domain/ports.js';
import type { LogClient } from './log-client.js';
import { healthService } from './rpc/health-service.js';
import type { Served } from './rpc/server.js';

const EVERY_MS = 5_000;
const AGAIN_MS = 1_000;

/** The health of one process: what its flows say of themselves, and whether the broker answers. */
export class Health {
  readonly board: HealthBoard;
  readonly served: Served;
  readonly #closing = new AbortController();

  /** @param topic one that the process reads or writes; the broker is asked for it from time to time */
  constructor(
    needs: Needs,
    topic: string,
    ports: { readonly clock: Clock; readonly log: Pick<LogClient, 'laneCount'> },
  ) {
    this.board = new HealthBoard(needs);
    this.served = healthService(this.board);
    void this.#probe(topic, ports);
  }

  /** Says that nothing is ready any more, and asks no more; a question under way is left to itself. */
  close(): void {
    this.board.stop();
    this.#closing.abort();
  }

  async #probe(
    topic: string,
    { clock, log }: { readonly clock: Clock; readonly log: Pick<LogClient, 'laneCount'> },
  ): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      const answers = await log.laneCount(topic).then(
        () => true,
        () => false,
      );
      if (signal.aborted) return;
      this.board.set('broker', answers);
      await clock.sleep(answers ? EVERY_MS : AGAIN_MS, signal).catch(() => undefined);
    }
  }
}
