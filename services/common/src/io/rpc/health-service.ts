import { fieldError } from '../../domain/errors.js';
import type { HealthBoard, ServingStatus } from '../../domain/health-board.js';
import { HealthService, type grpc } from './definitions.js';
import { type Served, serve } from './server.js';

type Answer = grpc.health.v1.HealthCheckResponse;

/** The enum of proto/grpc/health/v1. */
const NUMBER = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const satisfies Record<
  ServingStatus,
  number
>;

export function healthService(board: HealthBoard): Served {
  return serve(HealthService, {
    check: async ({ service }): Promise<Answer> => {
      const status = board.statusOf(service);
      if (status !== 'SERVICE_UNKNOWN') return { status: NUMBER[status] };
      const problem = 'expected the full name of a service of this process, or nothing';
      throw fieldError('SERVICE_UNKNOWN', 'service', problem);
    },
    watch: ({ service }, { signal }) => watch(board, service, signal),
  });
}

/** What is, and then every change. A reader that is slow gets the newest only. */
async function* watch(
  board: HealthBoard,
  service: string,
  signal: AbortSignal,
): AsyncGenerator<Answer> {
  let wake = (): void => undefined;
  let told: ServingStatus | undefined;
  const onChange = (): void => wake();
  const stop = board.onChange(onChange);
  signal.addEventListener('abort', onChange);
  try {
    while (!signal.aborted) {
      const status = board.statusOf(service);
      const changed = new Promise<void>((resolve) => (wake = resolve));
      if (status === told) {
        await changed;
        continue;
      }
      told = status;
      yield { status: NUMBER[status] };
    }
  } finally {
    stop();
    signal.removeEventListener('abort', onChange);
  }
}
