import { type EventEmitter, once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import {
  type Metadata,
  Server,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { ConcordatError, type ConcordatErrorCode, asConcordatError } from '../../domain/errors.js';
import { type Identity, identityUri } from '../../domain/identity.js';
import { type UnixMs, asUnixMs } from '../../domain/ids.js';
import {
  type AnyMethod,
  type AnyService,
  CERTIFICATE_BYTES_MAX,
  type Method,
  type MethodKind,
  methodPath,
} from './definitions.js';
import { toStatus } from './status.js';
import {
  METADATA_BYTES_MAX,
  type TlsFiles,
  identityOfPeer,
  ownIdentity,
  serverCredentials,
} from './tls.js';
import { decode, encode } from './wire.js';

const KEEPALIVE_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
/** Bytes of a stream's messages after which others have their turn, and what a message counts beside its own bytes. */
const TURN_WEIGHT = 65_536;
const MESSAGE_WEIGHT = 1_024;

export interface CallContext {
  /** From the caller's certificate. */
  readonly caller: Identity;
  /** Aborted when the caller gave up, when the deadline passed, and when this server closes. */
  readonly signal: AbortSignal;
  readonly deadlineMs: UnixMs;
}

/** Requests of a client's stream come as they are asked for: while none is, the sender is held back. */
type Handler<M> =
  M extends Method<infer Kind, infer Req, infer Res>
    ? (
        request: Kind extends 'clientStream' | 'bidi' ? AsyncIterable<Req> : Req,
        context: CallContext,
      ) => Kind extends 'stream' | 'bidi' ? AsyncIterable<Res> : Promise<Res>
    : never;

/** One function for each method. A ConcordatError that it throws reaches the caller with code and message. */
export type Handlers<S extends AnyService> = {
  readonly [K in keyof S['methods']]: Handler<S['methods'][K]>;
};

type AnyHandler = (
  request: unknown,
  context: CallContext,
) => Promise<unknown> | AsyncIterable<unknown>;

interface Endpoint {
  readonly path: string;
  readonly method: AnyMethod;
  readonly handle: AnyHandler;
}

/** What one call came to, for logs and metrics: never its content. */
export interface CallOutcome {
  readonly path: string;
  readonly caller: Identity | undefined;
  readonly code: 'OK' | ConcordatErrorCode;
  /** The error itself, for the log of this side; with INTERNAL the caller learns nothing of it. */
  readonly error?: ConcordatError;
}

export interface RpcServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string;
  readonly tls: TlsFiles;
  readonly services: readonly Served[];
  /** A further rule after the method's own, for example that the caller's member is still one. */
  readonly authorise?: (caller: Identity, path: string) => ConcordatError | undefined;
  readonly onCall?: (outcome: CallOutcome) => void;
}

export interface RpcServer {
  readonly port: number;
  /** Ends streams, lets calls under way finish for `graceMs`, then ends them too. */
  close(graceMs: number): Promise<void>;
}

/** A service together with its handlers. */
export interface Served {
  readonly endpoints: readonly Endpoint[];
}

export function serve<S extends AnyService>(service: S, handlers: Handlers<S>): Served {
  const endpoints = Object.entries(service.methods).map(([key, method]): Endpoint => {
    // `Handlers<S>` says that this handler takes what this method decodes; a lookup by name forgets it.
    const handle = handlers[key] as AnyHandler;
    return { path: methodPath(service, key), method, handle: handle.bind(handlers) };
  });
  return { endpoints };
}

/** May this caller make this call? Default is no. */
export function accessRefusal(
  { services, member }: AnyMethod['access'],
  caller: Identity,
  self: Identity,
): ConcordatError | undefined {
  const came = identityUri(caller);
  if (caller.federation !== self.federation) {
    return new ConcordatError(
      'CALLER_UNKNOWN',
      `expected a caller of federation ${self.federation}, came ${came}`,
    );
  }
  const isOwn = caller.member === self.member;
  const memberFits = member === 'any' || (member === 'own') === isOwn;
  if (memberFits && services.includes(caller.service)) return undefined;
  return new ConcordatError(
    'CALLER_NOT_ALLOWED',
    `expected ${services.join(' or ')} of ${member} member, came ${came}: use the certificate of the service that this call is meant for`,
  );
}

/** HTTP/2 holds a caller to the announced limit only once it has acknowledged it, if it ever does. */
function metadataBytes(metadata: Metadata): number {
  const lengths = Object.entries(metadata.toHttp2Headers()).map(([name, values]) => {
    const texts = [values ?? ''].flat().map(String);
    return texts.reduce((sum, text) => sum + name.length + text.length, 0);
  });
  return lengths.reduce((sum, length) => sum + length, 0);
}

type Callers = WeakMap<object, Identity>;

/** Runs before a byte of the request is read, so that a stranger cannot make us hold one. */
function gate(
  endpoints: ReadonlyMap<string, Endpoint>,
  self: Identity,
  callers: Callers,
  options: RpcServerOptions,
): ServerInterceptor {
  return ({ path }, call) => {
    const judge = (metadata: Metadata): Identity => {
      const caller = identityOfPeer(call.getAuthContext().sslPeerCertificate);
      if (!caller) {
        throw new ConcordatError(
          'CALLER_UNKNOWN',
          'expected a client certificate with exactly one identity concordat://<federation>/<member>/<service>',
        );
      }
      const endpoint = endpoints.get(path);
      const refusal = endpoint
        ? (accessRefusal(endpoint.method.access, caller, self) ?? options.authorise?.(caller, path))
        : new ConcordatError('REQUEST_INVALID', `expected a call served here, came ${path}`);
      if (refusal) throw refusal;
      if (endpoint?.method.needsDeadline && !Number.isFinite(Number(call.getDeadline()))) {
        throw new ConcordatError('REQUEST_INVALID', 'expected a deadline on the call, came none');
      }
      const bytes = metadataBytes(metadata);
      if (bytes > METADATA_BYTES_MAX) {
        const expected = `expected at most ${METADATA_BYTES_MAX} bytes of metadata`;
        throw new ConcordatError('MESSAGE_TOO_LARGE', `${expected}, came ${bytes}`);
      }
      // grpc-js keeps this to itself; were it renamed, every call would be refused and every test fail.
      if (Reflect.get(call, 'incomingEncoding') !== 'identity') {
        throw new ConcordatError('REQUEST_INVALID', 'expected no compression of messages');
      }
      return caller;
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        try {
          callers.set(metadata, judge(metadata));
        } catch (cause) {
          report(options, path, undefined, asConcordatError(cause));
          call.sendStatus(toStatus(cause));
          return;
        }
        next(metadata);
      })
      .build();
    return new ServerInterceptingCall(call, { start: (next) => next(listener) });
  };
}

function report(
  { onCall }: RpcServerOptions,
  path: string,
  caller: Identity | undefined,
  error?: ConcordatError,
): void {
  try {
    onCall?.(error ? { path, caller, code: error.code, error } : { path, caller, code: 'OK' });
  } catch {
    // A failing log line is no reason to fail the call, and there is nobody left to tell.
  }
}

type AnyCall = EventEmitter & Pick<ServerUnaryCall<Buffer, Buffer>, 'metadata' | 'getDeadline'>;

interface Running {
  readonly context: CallContext;
  readonly abort: (reason: ConcordatError) => void;
  readonly done: () => void;
}

/** The context of one call; grpc-js tells of the end of every call as `cancelled`, also of a good one. */
function begin(call: AnyCall, callers: Callers, running: Set<Running>): Running {
  const caller = callers.get(call.metadata);
  if (!caller) throw new ConcordatError('CALLER_UNKNOWN', 'expected a caller that was let in');
  const controller = new AbortController();
  const deadlineMs = asUnixMs(Number(call.getDeadline()));
  const onCancel = () => {
    const isLate = Date.now() >= deadlineMs;
    const code = isLate ? 'DEADLINE_EXCEEDED' : 'CALL_CANCELLED';
    controller.abort(new ConcordatError(code, 'expected to be waited for, the caller has gone'));
  };
  call.once('cancelled', onCancel);
  const self: Running = {
    context: { caller, deadlineMs, signal: controller.signal },
    abort: (reason) => controller.abort(reason),
    done: () => {
      call.off('cancelled', onCancel);
      running.delete(self);
    },
  };
  running.add(self);
  return self;
}

/** `work`, unless the signal comes first; leaves no listener behind, however long the stream. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(asConcordatError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function pump(
  call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
  method: AnyMethod,
  items: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await unlessAborted(iterator.next(), signal);
      if (step.done === true) return;
      const bytes = encode(method.response, step.value, method.responseBytesMax);
      if (!call.write(bytes)) await unlessAborted(once(call, 'drain'), signal);
    }
  } finally {
    // Not awaited: a handler that ignores its signal must not hold the call open.
    iterator.return?.().catch(() => undefined);
  }
}

/**
 * What a client's stream brings, message by message. When a caller goes away, grpc-js first ends the stream as if it
 * were complete and tells of the cancellation a little later: no handler may rest anything on the end of a stream.
 */
async function* arriving(
  call: ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
  method: AnyMethod,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  const messages = (call as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let weight = 0;
  for (;;) {
    const step = await unlessAborted(messages.next(), signal);
    if (step.done === true) return;
    yield decode(method.request, step.value, method.requestBytesMax);
    weight += MESSAGE_WEIGHT + step.value.length;
    if (weight < TURN_WEIGHT) continue;
    weight = 0;
    // a sender that is always ahead would otherwise let nothing else of this process run
    await setImmediate();
  }
}

function handlerOf(
  { path, method, handle }: Endpoint,
  callers: Callers,
  running: Readonly<Record<MethodKind, Set<Running>>>,
  options: RpcServerOptions,
): UntypedHandleCall {
  const attempt = async <T>(
    call: AnyCall,
    act: (context: CallContext) => Promise<T>,
  ): Promise<T> => {
    let run: Running | undefined;
    try {
      run = begin(call, callers, running[method.kind]);
      const answer = await act(run.context);
      report(options, path, run.context.caller);
      return answer;
    } catch (cause) {
      const error = asConcordatError(cause);
      report(options, path, run?.context.caller, error);
      throw error;
    } finally {
      run?.done();
    }
  };

  const requestOf = (call: { readonly request: Buffer }): unknown =>
    decode(method.request, call.request, method.requestBytesMax);
  const answerOf = async (request: unknown, context: CallContext): Promise<Buffer> => {
    const answer = await (handle(request, context) as Promise<unknown>);
    return encode(method.response, answer, method.responseBytesMax);
  };
  const respond = (work: Promise<Buffer>, callback: sendUnaryData<Buffer>): void => {
    work.then(
      (bytes) => callback(null, bytes),
      (cause: unknown) => callback(toStatus(cause)),
    );
  };

  switch (method.kind) {
    case 'stream':
      return (call: ServerWritableStream<Buffer, Buffer>) => {
        attempt(call, async (context) => {
          const items = handle(requestOf(call), context) as AsyncIterable<unknown>;
          await pump(call, method, items, context.signal);
        }).then(
          () => call.end(),
          (cause: unknown) => call.emit('error', toStatus(cause)),
        );
      };
    case 'bidi':
      return (call: ServerDuplexStream<Buffer, Buffer>) => {
        attempt(call, async (context) => {
          const questions = arriving(call, method, context.signal);
          await pump(
            call,
            method,
            handle(questions, context) as AsyncIterable<unknown>,
            context.signal,
          );
        }).then(
          () => call.end(),
          (cause: unknown) => call.emit('error', toStatus(cause)),
        );
      };
    case 'clientStream':
      return (call: ServerReadableStream<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        call.on('error', () => undefined); // its reader learns it, and after the answer nobody reads
        const work = attempt(call, (context) =>
          answerOf(arriving(call, method, context.signal), context),
        );
        respond(work, callback);
      };
    case 'unary':
      return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const work = attempt(call, async (context) => answerOf(requestOf(call), context));
        respond(work, callback);
      };
  }
}

const asBytes = (bytes: Buffer): Buffer => bytes;

/** What grpc-js calls each kind. */
const HANDLER_TYPE = {
  unary: 'unary',
  stream: 'serverStream',
  clientStream: 'clientStream',
  bidi: 'bidi',
} as const satisfies Record<MethodKind, string>;

/**
 * Serves over mutual TLS 1.3 only.
 *
 * @throws ConcordatError CONFIG_INVALID when the certificate names nobody or the address cannot be bound
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const self = ownIdentity(options.tls);
  const all = options.services.flatMap(({ endpoints }) => endpoints);
  const endpoints = new Map(all.map((endpoint) => [endpoint.path, endpoint]));
  const callers: Callers = new WeakMap();
  const running = {
    unary: new Set<Running>(),
    stream: new Set<Running>(),
    clientStream: new Set<Running>(),
    bidi: new Set<Running>(),
  };
  const largest = Math.max(...all.map(({ method }) => method.requestBytesMax));

  const server = new Server({
    'grpc.max_receive_message_length': largest,
    'grpc.max_send_message_length': CERTIFICATE_BYTES_MAX,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
    interceptors: [gate(endpoints, self, callers, options)],
  });
  for (const endpoint of all) {
    // Bytes in, bytes out: what grpc-js decodes itself fails without a code that a caller could read.
    server.register(
      endpoint.path,
      handlerOf(endpoint, callers, running, options),
      asBytes,
      asBytes,
      HANDLER_TYPE[endpoint.method.kind],
    );
  }

  const port = await bind(server, options);
  const stopping = new ConcordatError(
    'PEER_UNAVAILABLE',
    'expected to serve on, this service stops',
  );
  return {
    port,
    close: async (graceMs) => {
      for (const { abort } of [...running.stream, ...running.bidi]) abort(stopping);
      const force = setTimeout(() => {
        for (const { abort } of Object.values(running).flatMap((all) => [...all])) abort(stopping);
        server.forceShutdown();
      }, graceMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(force);
    },
  };
}

function bind(server: Server, { address, tls }: RpcServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials(tls), (cause, port) => {
      if (!cause) {
        resolve(port);
        return;
      }
      const message = `expected to listen on ${address}: ${cause.message}`;
      reject(new ConcordatError('CONFIG_INVALID', message, { cause }));
    });
  });
}
