import type { MemberId, ServiceName } from '@concordat/common/domain/ids.js';
import type { CallOptions, ClientOf } from '@concordat/common/io/rpc/client.js';
import type { AnyService } from '@concordat/common/io/rpc/definitions.js';
import { localClient } from '../../support/local-calls.js';
import type { SimulatedNetwork } from '../calls.js';
import type { SimulatedProcess } from '../process.js';
import type { SimulatedService } from '../service.js';

/** Who calls: a process, and the name in its certificate. */
export interface Caller {
  readonly process: SimulatedProcess;
  readonly member: MemberId;
  readonly as: ServiceName;
}

/** Who is called. */
export interface Callee {
  readonly service: SimulatedService;
  readonly member: MemberId;
  readonly as: ServiceName;
}

/** A call that was answered, for whoever watches the line. */
export interface AnsweredCall {
  readonly caller: Caller;
  readonly callee: Callee;
  /** `KeyService.keyRelease` */
  readonly method: string;
  readonly request: unknown;
  /** `refused`: then the answer is what was thrown */
  readonly outcome: 'answered' | 'refused';
  readonly answer: unknown;
}

/**
 * A client over the simulated network: question and answer travel encoded, wait for their turns, and may be lost. A stream's
 * items come as they are sent, until one of both ends dies.
 */
export function connect<S extends AnyService>(
  network: SimulatedNetwork,
  service: S,
  caller: Caller,
  callee: Callee,
  told: (call: AnsweredCall) => void,
): ClientOf<S> {
  const federation = 'test';
  const direct = localClient(service, () => callee.service.served, {
    caller: { federation, member: caller.member, service: caller.as } as never,
    self: { federation, member: callee.member, service: callee.as } as never,
  });
  const [, name = service.name] = /([^.]+)$/.exec(service.name) ?? [];
  const calls = Object.entries(service.methods).map(([key, method]) => {
    const call = direct[key] as unknown as (request: unknown, options: CallOptions) => unknown;
    if (method.kind === 'stream') return [key, call] as const;
    const label = `${callee.service.name} ${name}.${key}`;
    const unary = (request: unknown, options: CallOptions): Promise<unknown> =>
      network.call(
        caller.process,
        () => callee.service.process,
        label,
        async () => {
          const seen = { caller, callee, method: `${name}.${key}`, request };
          try {
            const answer = await (call(request, options) as Promise<unknown>);
            told({ ...seen, outcome: 'answered', answer });
            return answer;
          } catch (cause) {
            told({ ...seen, outcome: 'refused', answer: cause });
            throw cause;
          }
        },
        { timeoutMs: options.timeoutMs, signal: options.signal },
      );
    return [key, unary] as const;
  });
  return Object.fromEntries(calls) as unknown as ClientOf<S>;
}
