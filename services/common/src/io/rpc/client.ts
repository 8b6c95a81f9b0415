import {
  Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { ConcordatError } from '../../domain/errors.js';
import type { MemberId, ServiceName } from '../../domain/ids.js';
import { type Identity, identityUri } from '../../domain/identity.js';
import {
  type AnyMethod,
  type AnyService,
  CERTIFICATE_BYTES_MAX,
  type Method,
  methodPath,
} from './definitions.js';
import { fromStatus } from './status.js';
import { type TlsFiles, clientCredentials, ownIdentity } from './tls.js';
import { decode, encode } from './wire.js';

/** Peers restart often, and a purge waits for them. */
const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 1_000;
const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
/** grpc-js counts a deadline in 32-bit milliseconds; a subscription is renewed before that. */
export const TIMEOUT_MS_MAX = 24 * 3_600_000;

export interface CallOptions {
  /** From now until the answer, or until the end of a stream: 1 to `TIMEOUT_MS_MAX`. */
  readonly timeoutMs: number;
  /** Gives the call up: CALL_CANCELLED. */
  readonly signal?: AbortSignal;
  /** Wait for a connection until the deadline instead of failing with PEER_UNAVAILABLE at once. */
  readonly waitForReady?: boolean;
}

/** What a client's stream sends: asked for one after the other, as fast as the peer takes them. */
export type Requests<Req> = Iterable<Req> | AsyncIterable<Req>;

type Call<M> =
  M extends Method<infer Kind extends 'unary' | 'stream' | 'clientStream', infer Req, infer Res>
    ? (
        request: Kind extends 'clientStream' ? Requests<Req> : Req,
        options: CallOptions,
      ) => Kind extends 'stream' ? AsyncIterable<Res> : Promise<Res>
    : never;

/** One function for each method; it fails with a ConcordatError only. */
export type ClientOf<S extends AnyService> = {
  readonly [K in keyof S['methods']]: Call<S['methods'][K]>;
};

/** One connection to one peer, made when first needed, and remade by itself. */
export interface RpcChannel {
  clientOf<S extends AnyService>(service: S): ClientOf<S>;
  close(): void;
}

export interface ChannelOptions {
  /** `host:port` */
  readonly address: string;
  readonly tls: TlsFiles;
  /** Who must answer there, in our own federation. */
  readonly peer: { readonly member: MemberId; readonly service: ServiceName };
}

const asBytes = (bytes: Buffer): Buffer => bytes;

/** @throws ConcordatError CONFIG_INVALID when our certificate names nobody */
export function openChannel({ address, tls, peer }: ChannelOptions): RpcChannel {
  const expected: Identity = { federation: ownIdentity(tls).federation, ...peer };
  let wrongPeer: string | undefined;
  const credentials = clientCredentials(tls, expected, (problem) => (wrongPeer = problem));
  const client = new Client(address, credentials, {
    // A name for the TLS handshake, which allows no addresses; the certificate's URI name is what counts.
    'grpc.ssl_target_name_override': `${peer.service}.${peer.member}.internal`,
    'grpc.max_send_message_length': CERTIFICATE_BYTES_MAX,
    'grpc.max_receive_message_length': CERTIFICATE_BYTES_MAX,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_FIRST_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    'grpc.dns_min_time_between_resolutions_ms': RECONNECT_MAX_MS,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
  });

  const failure = (cause: ServiceError, path: string, signal?: AbortSignal): ConcordatError => {
    const where = `${path} at ${identityUri(expected)}`;
    if (signal?.aborted === true) {
      return new ConcordatError('CALL_CANCELLED', `${where}: given up by its caller`);
    }
    if (cause.code === status.UNAVAILABLE && wrongPeer !== undefined) {
      return new ConcordatError('PEER_IDENTITY_WRONG', `${where}: ${wrongPeer} at ${address}`);
    }
    return fromStatus(cause, where);
  };

  const exchange = (path: string, method: AnyMethod, request: unknown, options: CallOptions) =>
    new Promise<Buffer | undefined>((resolve, reject) => {
      const bytes = encode(method.request, request, method.requestBytesMax);
      const { metadata, deadline, signal } = terms(options);
      const stop = () => call.cancel();
      const call: ClientUnaryCall = client.makeUnaryRequest(
        path,
        asBytes,
        asBytes,
        bytes,
        metadata,
        { deadline },
        (cause, answer) => {
          signal?.removeEventListener('abort', stop);
          if (cause) reject(failure(cause, path, signal));
          else resolve(answer);
        },
      );
      signal?.addEventListener('abort', stop, { once: true });
      if (signal?.aborted === true) stop();
    });

  const unary =
    (path: string, method: AnyMethod) => async (request: unknown, options: CallOptions) =>
      readAnswer(method, await exchange(path, method, request, options), path);

  async function* stream(
    path: string,
    method: AnyMethod,
    request: unknown,
    options: CallOptions,
  ): AsyncGenerator<unknown, void, undefined> {
    const bytes = encode(method.request, request, method.requestBytesMax);
    const { metadata, deadline, signal } = terms(options);
    const call: ClientReadableStream<Buffer> = client.makeServerStreamRequest(
      path,
      asBytes,
      asBytes,
      bytes,
      metadata,
      { deadline },
    );
    const stop = () => call.cancel();
    call.on('error', () => undefined); // it comes once more after the loop was left
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    try {
      for await (const item of call as AsyncIterable<Buffer>) yield readAnswer(method, item, path);
    } catch (cause) {
      throw cause instanceof ConcordatError ? cause : failure(cause as ServiceError, path, signal);
    } finally {
      signal?.removeEventListener('abort', stop);
      stop();
    }
  }

  /** Sends what `requests` yields no faster than the peer reads; an early answer ends the sending. */
  const upload = async (
    path: string,
    method: AnyMethod,
    requests: Requests<unknown>,
    options: CallOptions,
  ): Promise<unknown> => {
    const { metadata, deadline, signal } = terms(options);
    let end: (cause: ServiceError | null, bytes: Buffer | undefined) => void = () => undefined;
    const answer = new Promise<Buffer | undefined>((resolve, reject) => {
      end = (cause, bytes) => (cause ? reject(failure(cause, path, signal)) : resolve(bytes));
    });
    const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
      path,
      asBytes,
      asBytes,
      metadata,
      { deadline },
      (cause, bytes) => end(cause, bytes),
    );
    const stop = () => call.cancel();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    try {
      // an answer that comes first ends the sending with the next request, if there ever is one
      await Promise.race([sendAll(call, method, requests, answer), answer]);
      return readAnswer(method, await answer, path);
    } catch (cause) {
      stop();
      await answer.catch(() => undefined);
      throw cause;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  };

  return {
    clientOf: <S extends AnyService>(service: S) => {
      const calls = Object.entries(service.methods).flatMap(([key, method]) => {
        if (method.kind === 'bidi') return []; // reflection is for tools
        const path = methodPath(service, key);
        const call = {
          unary: unary(path, method),
          stream: (request: unknown, options: CallOptions) =>
            stream(path, method, request, options),
          clientStream: (requests: unknown, options: CallOptions) =>
            upload(path, method, requests as Requests<unknown>, options),
        }[method.kind];
        return [[key, call] as const];
      });
      // Built from the very definition that `ClientOf` reads its types from.
      return Object.fromEntries(calls) as ClientOf<S>;
    },
    close: () => client.close(),
  };
}

async function sendAll(
  call: ClientWritableStream<Buffer>,
  { request, requestBytesMax }: AnyMethod,
  requests: Requests<unknown>,
  answer: Promise<unknown>,
): Promise<void> {
  let wake = (): void => undefined;
  const state = { isAnswered: false };
  const answered = (): void => {
    state.isAnswered = true;
    wake();
  };
  answer.then(answered, answered);
  call.on('drain', () => wake());
  for await (const one of requests) {
    if (state.isAnswered) return;
    const hasRoom = call.write(encode(request, one, requestBytesMax));
    if (hasRoom) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  call.end();
}

function terms({ timeoutMs, signal, waitForReady = false }: CallOptions) {
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > TIMEOUT_MS_MAX) {
    throw new ConcordatError(
      'REQUEST_INVALID',
      `expected timeoutMs of 1 to ${TIMEOUT_MS_MAX}, came ${timeoutMs}`,
    );
  }
  return { metadata: new Metadata({ waitForReady }), deadline: Date.now() + timeoutMs, signal };
}

/** An answer that cannot be read is the peer's fault, so its code is not the one for our requests. */
function readAnswer(method: AnyMethod, bytes: Buffer | undefined, path: string): unknown {
  try {
    const { response, responseBytesMax, responseFieldsMax } = method;
    return decode(response, bytes ?? new Uint8Array(), responseBytesMax, responseFieldsMax);
  } catch (cause) {
    if (cause instanceof ConcordatError && cause.code === 'MESSAGE_TOO_LARGE') throw cause;
    throw new ConcordatError('RECORD_MALFORMED', `${path}: expected a readable answer`, { cause });
  }
}
