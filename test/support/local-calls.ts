import { setImmediate } from 'node:timers/promises';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Identity } from '@concordat/common/domain/identity.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import { type AnyService, methodPath } from '@concordat/common/io/rpc/definitions.js';
import { type Served, accessRefusal } from '@concordat/common/io/rpc/server.js';
import { decode, encode } from '@concordat/common/io/rpc/wire.js';

const FAR = asUnixMs(Number.MAX_SAFE_INTEGER);

/**
 * Calls without a network, yet as they travel: the caller is let in by the method's own rule, and both messages are
 * encoded and decoded with their limits.
 */
export function localClient<S extends AnyService>(
  service: S,
  server: () => readonly Served[],
  who: { readonly caller: Identity; readonly self: Identity },
): ClientOf<S> {
  const calls = Object.entries(service.methods).map(([key, method]) => {
    const travel = (request: unknown): unknown =>
      decode(
        method.request,
        encode(method.request, request, method.requestBytesMax),
        method.requestBytesMax,
      );
    async function* travelAll(requests: AsyncIterable<unknown>) {
      for await (const request of requests) {
        yield travel(request);
        await setImmediate();
      }
    }
    const begin = (request: unknown, signal: AbortSignal) => {
      const path = methodPath(service, key);
      const endpoint = server()
        .flatMap(({ endpoints }) => endpoints)
        .find((one) => one.path === path);
      if (!endpoint) throw new ConcordatError('PEER_UNAVAILABLE', `nobody serves ${path}`);
      const refusal = accessRefusal(method.access, who.caller, who.self);
      if (refusal) throw refusal;
      const arrived =
        method.kind === 'clientStream'
          ? travelAll(request as AsyncIterable<unknown>)
          : travel(request);
      return endpoint.handle(arrived, { caller: who.caller, signal, deadlineMs: FAR });
    };
    const arrive = (answer: unknown): unknown =>
      decode(
        method.response,
        encode(method.response, answer, method.responseBytesMax),
        method.responseBytesMax,
        method.responseFieldsMax,
      );
    const unary = async (request: unknown, { signal }: { signal?: AbortSignal } = {}) =>
      arrive(await (begin(request, signal ?? new AbortController().signal) as Promise<unknown>));
    async function* stream(request: unknown, { signal }: { signal?: AbortSignal } = {}) {
      const items = begin(request, signal ?? new AbortController().signal);
      for await (const item of items as AsyncIterable<unknown>) yield arrive(item);
    }
    return [key, method.kind === 'stream' ? stream : unary] as const;
  });
  return Object.fromEntries(calls) as unknown as ClientOf<S>;
}
