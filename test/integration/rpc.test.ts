import { mkdtemp, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import type { MemberId, ServiceName } from '@concordat/common/domain/ids.js';
import { readFederationFile, readTlsFiles } from '@concordat/common/io/federation-file.js';
import { openChannel } from '@concordat/common/io/rpc/client.js';
import {
  KeyService,
  NationalService,
  type concordat,
} from '@concordat/common/io/rpc/definitions.js';
import {
  type CallOutcome,
  type Handlers,
  type RpcServer,
  serve,
  startRpcServer,
} from '@concordat/common/io/rpc/server.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';

const de = 'de' as MemberId;
const fr = 'fr' as MemberId;
const inTime = { timeoutMs: 5_000 };

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rpc-'));
  for (const name of ['ours', 'theirs']) {
    await initFederation({
      dir: join(dir, name),
      federation: 'eu-ct' as FederationName,
      members: [de, fr].map((id) => ({ id, services: { node: '127.0.0.1:7101' } })),
      clock: systemClock,
      random: systemRandom,
    });
  }
});
afterAll(() => rm(dir, { recursive: true }));

async function tlsOf(
  member: MemberId,
  service: ServiceName,
  federation: 'ours' | 'theirs' = 'ours',
): Promise<TlsFiles> {
  const place = join(dir, federation);
  const { ca } = await readFederationFile(federationFiles(place).federationFile);
  const files = memberFiles(place, member);
  return readTlsFiles({ certFile: files.certFile(service), keyFile: files.keyFile(service), ca });
}

const publishRequest: concordat.node.v1.PublishRequest = {
  eventId: 'e',
  category: 'c',
  schemaHash: new Uint8Array(32),
  contentJson: new Uint8Array([123, 125]),
  collectedAtMs: 1_700_000_000_000,
  retainUntilMs: 0,
  purposes: ['p'],
  legalBasis: '',
  supersedes: '',
  derivedFrom: [],
};
const published = { eventId: 'e', lane: 0, epoch: 1, blockNumber: 1, leaf: 0, repeated: false };
const nothingPublished = { published: 0, repeated: 0, refused: 0, runs: [], refusals: [] };
const readRequest = { origin: 'de', eventId: 'e', purpose: 'p', caseId: 'c' };
const subscription = {
  purpose: 'p',
  caseId: 'c',
  category: '',
  includeHeld: false,
  cursor: '',
  systemId: '',
};
const notice = {
  kind: 'READABLE',
  origin: 'de',
  eventId: 'e',
  category: 'c',
  cursor: 'n',
  reason: '',
};

const unused = () => Promise.reject(new Error('this test calls something else'));
const national: Handlers<typeof NationalService> = {
  publish: async ({ eventId }) => ({ ...published, eventId }),
  publishStream: async (messages) => {
    let count = 0;
    for await (const { events } of messages) count += events.length;
    return { ...nothingPublished, published: count };
  },
  read: unused,
  subscribe: async function* () {
    yield notice;
  },
  registerSystem: unused,
  listSystems: unused,
  acknowledge: unused,
};
const keys: Handlers<typeof KeyService> = {
  keyRelease: async (_request, { caller }) => ({
    answers: [],
    records: [Buffer.from(caller.member)],
  }),
  destroyKeys: unused,
};

const open: { close(): void | Promise<void> }[] = [];
const outcomes: CallOutcome[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  outcomes.length = 0;
});

async function start(
  handlers: Partial<Handlers<typeof NationalService>> = {},
  own: { tls?: TlsFiles; address?: string; keys?: Partial<Handlers<typeof KeyService>> } = {},
): Promise<RpcServer> {
  const server = await startRpcServer({
    address: own.address ?? '127.0.0.1:0',
    tls: own.tls ?? (await tlsOf(de, 'node')),
    services: [
      serve(NationalService, { ...national, ...handlers }),
      serve(KeyService, { ...keys, ...own.keys }),
    ],
    onCall: (outcome) => outcomes.push(outcome),
  });
  open.push({ close: () => server.close(100) });
  return server;
}

function channelTo({ port }: { readonly port: number }, tls: TlsFiles) {
  const channel = openChannel({
    address: `127.0.0.1:${port}`,
    tls,
    peer: { member: de, service: 'node' },
  });
  open.push(channel);
  return channel;
}

async function nationalClient(server: RpcServer) {
  return channelTo(server, await tlsOf(de, 'system')).clientOf(NationalService);
}

async function keyClient(server: RpcServer, member: MemberId, service: ServiceName) {
  return channelTo(server, await tlsOf(member, service)).clientOf(KeyService);
}

const coded = (code: string) => expect.objectContaining({ code, name: 'ConcordatError' });

describe('a call', () => {
  test('is answered over mutual TLS', async () => {
    const client = await nationalClient(await start());
    expect(await client.publish(publishRequest, inTime)).toEqual(published);
    expect(outcomes).toMatchObject([
      {
        path: '/concordat.node.v1.NationalService/Publish',
        caller: { member: 'de', service: 'system' },
        code: 'OK',
      },
    ]);
  });

  test('knows its caller from the certificate', async () => {
    const server = await start();
    for (const member of [de, fr]) {
      const client = await keyClient(server, member, 'node');
      const { records } = await client.keyRelease({ statements: [] }, inTime);
      expect(Buffer.from(records[0] ?? []).toString()).toBe(member);
    }
  });

  test('carries a ConcordatError of the handler with code and message', async () => {
    const server = await start({
      read: () => Promise.reject(new ConcordatError('PURGED', 'was\nwithdrawn \ud800 on 1°')),
    });
    const client = await nationalClient(server);
    const failed = client.read(readRequest, inTime);
    await expect(failed).rejects.toEqual(coded('PURGED'));
    await expect(failed).rejects.toThrow(/was withdrawn . on 1°/);
  });

  test('tells nothing of an unexpected error, and the server lives', async () => {
    const server = await start({
      read: () => {
        throw new TypeError('Jane Doe is not a function');
      },
    });
    const client = await nationalClient(server);
    const failed = client.read(readRequest, inTime);
    await expect(failed).rejects.toEqual(coded('INTERNAL'));
    await expect(failed).rejects.not.toThrow(/Jane/);
    expect(outcomes[0]?.error?.cause).toBeInstanceOf(TypeError);
    expect(await client.publish(publishRequest, inTime)).toEqual(published);
  });

  test('ends at its deadline on both sides', async () => {
    const { promise: told, resolve: tell } = deferred<unknown>();
    const server = await start({
      read: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            tell(signal.reason);
            reject(signal.reason as Error);
          });
        }),
    });
    const client = await nationalClient(server);
    await expect(client.read(readRequest, { timeoutMs: 100 })).rejects.toEqual(
      coded('DEADLINE_EXCEEDED'),
    );
    expect(await told).toEqual(coded('DEADLINE_EXCEEDED'));
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity, 86_400_001])(
    'is not made with a deadline of %d ms',
    async (timeoutMs) => {
      const client = await nationalClient(await start());
      await expect(client.publish(publishRequest, { timeoutMs })).rejects.toEqual(
        coded('REQUEST_INVALID'),
      );
    },
  );

  test('can be given up', async () => {
    const controller = new AbortController();
    const server = await start({
      read: () => {
        controller.abort();
        return new Promise(() => undefined);
      },
    });
    const client = await nationalClient(server);
    const failed = client.read(readRequest, { ...inTime, signal: controller.signal });
    await expect(failed).rejects.toEqual(coded('CALL_CANCELLED'));
    await expect(
      client.read(readRequest, { ...inTime, signal: AbortSignal.abort() }),
    ).rejects.toEqual(coded('CALL_CANCELLED'));
  });

  test('over 1 MiB is refused before it leaves, and an answer over 1 MiB too', async () => {
    const content = new Uint8Array((1 << 20) + 1);
    const server = await start({
      read: async () => ({
        ...readRequest,
        category: 'c',
        sections: [{ name: 's', contentJson: content }],
        deleteByMs: 0,
        warnings: [],
      }),
    });
    const client = await nationalClient(server);
    const large = { ...publishRequest, contentJson: content };
    const tooLarge = coded('MESSAGE_TOO_LARGE');
    await expect(client.publish(large, inTime)).rejects.toEqual(tooLarge);
    expect(outcomes).toEqual([]);
    await expect(client.read(readRequest, inTime)).rejects.toEqual(tooLarge);
    expect(outcomes).toMatchObject([{ code: 'MESSAGE_TOO_LARGE' }]);
  });

  test('for keys carries 4,096 answers', async () => {
    const answers = Array.from({ length: 4_096 }, (_, release) => ({
      statement: 0,
      release,
      outcome: 'released' as const,
      released: {
        keys: Array.from({ length: 6 }, () => ({ section: 'identity', key: Buffer.alloc(32) })),
        records: [0],
        seals: [],
      },
    }));
    const records = Array.from({ length: 16 }, () => Buffer.alloc(100_000));
    const server = await start({}, { keys: { keyRelease: async () => ({ answers, records }) } });
    const client = await keyClient(server, fr, 'node');
    const answer = await client.keyRelease({ statements: [] }, inTime);
    expect(answer.answers).toHaveLength(4_096);
    expect(answer.answers[4_095]).toMatchObject({ outcome: 'released', release: 4_095 });
  });

  test('finds a peer again that was away', async () => {
    const first = await start();
    const client = await nationalClient(first);
    await client.publish(publishRequest, inTime);
    await first.close(0);
    const again = { ...inTime, waitForReady: true };
    const waiting = client.publish(publishRequest, again);
    await start({}, { address: `127.0.0.1:${first.port}` });
    const startedMs = performance.now();
    expect(await waiting).toEqual(published);
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });

  test('to nobody fails at once as PEER_UNAVAILABLE', async () => {
    const server = await start();
    await server.close(0);
    const client = await nationalClient(server);
    await expect(client.publish(publishRequest, inTime)).rejects.toEqual(coded('PEER_UNAVAILABLE'));
  });
});

describe('a stream', () => {
  test('arrives in order and ends', async () => {
    const server = await start({
      subscribe: async function* () {
        for (let at = 0; at < 1_000; at += 1) yield { ...notice, eventId: `${at}` };
      },
    });
    const client = await nationalClient(server);
    const ids: string[] = [];
    for await (const { eventId } of client.subscribe(subscription, inTime)) ids.push(eventId);
    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, at) => `${at}`));
  });

  const endless = () => {
    const { promise, resolve } = deferred<unknown>();
    const subscribe: Handlers<typeof NationalService>['subscribe'] = async function* (
      _request,
      { signal },
    ) {
      signal.addEventListener('abort', () => resolve(signal.reason));
      for (;;) {
        yield notice;
        await new Promise((wake) => setTimeout(wake, 5));
      }
    };
    return { subscribe, stopped: promise };
  };

  test('that its reader leaves is cancelled at the server', async () => {
    const { subscribe, stopped } = endless();
    const client = await nationalClient(await start({ subscribe }));
    for await (const item of client.subscribe(subscription, inTime)) {
      expect(item).toEqual(notice);
      break;
    }
    expect(await stopped).toEqual(coded('CALL_CANCELLED'));
  });

  test('that is aborted ends with CALL_CANCELLED on both sides', async () => {
    const { subscribe, stopped } = endless();
    const client = await nationalClient(await start({ subscribe }));
    const controller = new AbortController();
    const reading = (async () => {
      const items = client.subscribe(subscription, { ...inTime, signal: controller.signal });
      for await (const item of items) if (item.kind) controller.abort();
    })();
    await expect(reading).rejects.toEqual(coded('CALL_CANCELLED'));
    expect(await stopped).toEqual(coded('CALL_CANCELLED'));
  });

  test('ends with PEER_UNAVAILABLE when the server closes, though its handler waits for ever', async () => {
    const server = await start({
      subscribe: async function* () {
        yield notice;
        await new Promise(() => undefined);
      },
    });
    const client = await nationalClient(server);
    const reading = (async () => {
      for await (const item of client.subscribe(subscription, inTime)) {
        if (item.kind) void server.close(5_000);
      }
    })();
    await expect(reading).rejects.toEqual(coded('PEER_UNAVAILABLE'));
  });

  test('carries the error of a handler after some items', async () => {
    const server = await start({
      subscribe: async function* () {
        yield notice;
        throw new ConcordatError('NOT_FRESH', 'expected a fresh head');
      },
    });
    const client = await nationalClient(server);
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const item of client.subscribe(subscription, inTime)) items.push(item);
    })();
    await expect(reading).rejects.toEqual(coded('NOT_FRESH'));
    expect(items).toEqual([notice]);
  });
});

describe('a stream of requests', () => {
  const message = { events: [publishRequest, publishRequest] };
  const large = { events: [{ ...publishRequest, contentJson: new Uint8Array(200_000) }] };

  test('is answered once, when it has ended', async () => {
    const client = await nationalClient(await start());
    const messages = Array.from({ length: 300 }, () => message);
    expect(await client.publishStream(messages, inTime)).toEqual({
      ...nothingPublished,
      published: 600,
    });
    expect(outcomes).toMatchObject([{ code: 'OK', caller: { service: 'system' } }]);
  });

  test('is held back while its reader does not read on', async () => {
    const { promise: reads, resolve: readOn } = deferred<true>();
    const publishStream: (typeof national)['publishStream'] = async (messages) => {
      let count = 0;
      for await (const { events } of messages) {
        if (count === 0) await reads;
        count += events.length;
      }
      return { ...nothingPublished, published: count };
    };
    const client = await nationalClient(await start({ publishStream }));
    let sent = 0;
    const many = function* () {
      for (; sent < 200; sent += 1) yield large;
    };
    const answer = client.publishStream(many(), { timeoutMs: 20_000 });
    for (let before = -1; before !== sent;) {
      before = sent;
      await new Promise((wake) => setTimeout(wake, 300));
    }
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(60);
    readOn(true);
    expect(await answer).toMatchObject({ published: 200 });
  }, 30_000);

  test('ends early when its reader refuses it, whether or not more would come', async () => {
    const publishStream = async () => {
      throw new ConcordatError('EVENT_INVALID', 'expected another stream');
    };
    const client = await nationalClient(await start({ publishStream }));
    const endless = function* () {
      for (;;) yield large;
    };
    const silent = async function* () {
      yield message;
      await new Promise(() => undefined);
    };
    for (const messages of [endless(), silent()]) {
      const call = client.publishStream(messages, { timeoutMs: 20_000 });
      await expect(call).rejects.toEqual(coded('EVENT_INVALID'));
    }
  });

  /** Reads on and on; `here` once a message is there, which the next one should wait for. */
  const waiting = () => {
    const { promise: stopped, resolve: stop } = deferred<unknown>();
    const { promise: here, resolve: come } = deferred<true>();
    const publishStream: (typeof national)['publishStream'] = async (messages, { signal }) => {
      const gone = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
      });
      void gone.then(() => stop(signal.reason));
      for await (const { events } of messages) if (events.length > 0) come(true);
      await gone; // a stream whose caller goes away may end as if it were complete
      return nothingPublished;
    };
    return { publishStream, stopped, here };
  };

  test.each([
    ['that is given up', (giveUp: AbortController) => giveUp.abort(), coded('CALL_CANCELLED')],
    [
      'whose source fails',
      (_giveUp: AbortController) => {
        throw new Error('the file could not be read on');
      },
      expect.objectContaining({ message: 'the file could not be read on' }),
    ],
  ])('%s ends on both sides', async (_name, happen, expected) => {
    const giveUp = new AbortController();
    const { publishStream, stopped, here } = waiting();
    const client = await nationalClient(await start({ publishStream }));
    const messages = async function* () {
      yield message;
      await here;
      happen(giveUp);
      yield message;
    };
    const call = client.publishStream(messages(), { ...inTime, signal: giveUp.signal });
    await expect(call).rejects.toEqual(expected);
    expect(await stopped).toEqual(coded('CALL_CANCELLED'));
  });

  test('ends with PEER_UNAVAILABLE when the server closes', async () => {
    const { publishStream, here } = waiting();
    const server = await start({ publishStream });
    const client = await nationalClient(server);
    const endless = async function* () {
      yield message;
      await here;
      void server.close(500);
      await new Promise(() => undefined);
    };
    const call = client.publishStream(endless(), inTime);
    await expect(call).rejects.toEqual(coded('PEER_UNAVAILABLE'));
  });

  test('with a message that is too large never leaves, and ends on both sides', async () => {
    const { publishStream, stopped, here } = waiting();
    const client = await nationalClient(await start({ publishStream }));
    const messages = async function* () {
      yield message;
      await here;
      yield { events: [{ ...publishRequest, contentJson: new Uint8Array(1_100_000) }] };
    };
    const call = client.publishStream(messages(), inTime);
    await expect(call).rejects.toEqual(coded('MESSAGE_TOO_LARGE'));
    expect(await stopped).toEqual(coded('CALL_CANCELLED'));
  });

  test('is for the own systems only', async () => {
    const server = await start();
    const client = channelTo(server, await tlsOf(fr, 'system')).clientOf(NationalService);
    const call = client.publishStream([message], inTime);
    await expect(call).rejects.toEqual(coded('CALLER_NOT_ALLOWED'));
  });
});

describe('a caller', () => {
  const refused: [member: MemberId, service: ServiceName, call: string][] = [
    [fr, 'system', 'publish'],
    [de, 'operator', 'read'],
    [de, 'node', 'subscribe'],
    [de, 'consent', 'keyRelease'],
    [fr, 'system', 'keyRelease'],
    [fr, 'revocation', 'destroyKeys'],
    [de, 'node', 'destroyKeys'],
  ];
  test.each(refused)('%s %s may not call %s', async (member, service, call) => {
    const channel = channelTo(await start(), await tlsOf(member, service));
    const client = channel.clientOf(NationalService);
    const keyCalls = channel.clientOf(KeyService);
    const calls: Record<string, () => Promise<unknown>> = {
      publish: () => client.publish(publishRequest, inTime),
      read: () => client.read(readRequest, inTime),
      subscribe: async () => {
        for await (const item of client.subscribe(subscription, inTime)) return item;
        return undefined;
      },
      keyRelease: () => keyCalls.keyRelease({ statements: [] }, inTime),
      destroyKeys: () => keyCalls.destroyKeys({ approvals: [], order: new Uint8Array(1) }, inTime),
    };
    await expect(calls[call]?.()).rejects.toEqual(coded('CALLER_NOT_ALLOWED'));
  });

  test('of another CA is refused in the handshake', async () => {
    const [theirs, ours] = [await tlsOf(de, 'system', 'theirs'), await tlsOf(de, 'system')];
    const client = channelTo(await start(), { ...theirs, ca: ours.ca }).clientOf(NationalService);
    await expect(client.publish(publishRequest, inTime)).rejects.toEqual(coded('PEER_UNAVAILABLE'));
    expect(outcomes).toEqual([]);
  });

  test('is refused by a further rule of the service', async () => {
    const server = await startRpcServer({
      address: '127.0.0.1:0',
      tls: await tlsOf(de, 'node'),
      services: [serve(KeyService, keys)],
      authorise: ({ member }) => new ConcordatError('CALLER_UNKNOWN', `${member} has left`),
    });
    open.push({ close: () => server.close(0) });
    const client = await keyClient(server, fr, 'node');
    await expect(client.keyRelease({ statements: [] }, inTime)).rejects.toEqual(
      coded('CALLER_UNKNOWN'),
    );
  });
});

describe('a client', () => {
  test('refuses a server of another CA', async () => {
    const server = await start({}, { tls: await tlsOf(de, 'node', 'theirs') });
    const client = await nationalClient(server);
    await expect(client.publish(publishRequest, inTime)).rejects.toEqual(coded('PEER_UNAVAILABLE'));
    expect(outcomes).toEqual([]);
  });

  test.each([
    [fr, 'node'],
    [de, 'revocation'],
  ] as const)('refuses a server that is %s %s instead of de node', async (member, service) => {
    const client = await nationalClient(await start({}, { tls: await tlsOf(member, service) }));
    await expect(client.publish(publishRequest, inTime)).rejects.toEqual(
      coded('PEER_IDENTITY_WRONG'),
    );
    expect(outcomes).toEqual([]);
  });
});

/** A raw connection that ends in the server's alert, or answers to one HTTP/2 request. */
describe('a stranger on the wire', () => {
  async function greet({ port }: RpcServer, own: ConnectionOptions): Promise<string> {
    const { ca } = await tlsOf(de, 'system');
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca,
      ALPNProtocols: ['h2'],
      ...own,
    });
    const { promise, resolve } = deferred<string>();
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    // With TLS 1.3 a refused client learns it only from the first bytes that it reads.
    socket.once('data', () => resolve('accepted'));
    socket.once('close', () => resolve('closed'));
    const answer = await promise;
    socket.destroy();
    return answer;
  }

  test('without a certificate is refused, with one it is not', async () => {
    const server = await start();
    const { cert, key } = await tlsOf(fr, 'node');
    expect(await greet(server, {})).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET|closed/);
    expect(await greet(server, { cert, key })).toBe('accepted');
  });

  test('that speaks TLS 1.2 at most is refused', async () => {
    const { cert, key } = await tlsOf(fr, 'node');
    const answer = await greet(await start(), { cert, key, maxVersion: 'TLSv1.2' });
    expect(answer).toMatch(/PROTOCOL_VERSION/);
  });

  async function request(
    { port }: RpcServer,
    own: http2.OutgoingHttpHeaders,
    body = Buffer.alloc(5),
  ): Promise<http2.IncomingHttpHeaders> {
    const tls = await tlsOf(fr, 'node');
    const session = http2.connect(`https://localhost:${port}`, tls);
    session.on('error', () => undefined);
    open.push({ close: () => session.destroy() });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/concordat.node.v1.KeyService/KeyRelease',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '2S',
      ...own,
    });
    const { promise, resolve } = deferred<http2.IncomingHttpHeaders>();
    stream.on('response', (headers) => headers['grpc-status'] && resolve(headers));
    stream.on('trailers', resolve);
    stream.on('error', (error) => resolve({ error: error.message }));
    stream.on('close', () => resolve({ error: `closed with ${stream.rstCode}` }));
    stream.resume();
    stream.end(body);
    return promise;
  }

  const message = (bytes: Buffer, flag = 0) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(flag, 0);
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  };

  test('gets an answer to a right request', async () => {
    expect(await request(await start(), {})).toMatchObject({ 'grpc-status': '0' });
  });

  test('without a deadline is refused', async () => {
    const headers = await request(await start(), { 'grpc-timeout': undefined });
    expect(headers).toMatchObject({ 'concordat-code': 'REQUEST_INVALID' });
    expect(headers['grpc-message']).toContain('deadline');
  });

  test('that announces compression is refused', async () => {
    const headers = await request(await start(), { 'grpc-encoding': 'gzip' });
    expect(headers).toMatchObject({ 'concordat-code': 'REQUEST_INVALID' });
    expect(headers['grpc-message']).toContain('compression');
  });

  test('that sends no protobuf is refused by name', async () => {
    const headers = await request(await start(), {}, message(Buffer.from('not protobuf')));
    expect(headers).toMatchObject({ 'grpc-status': '3', 'concordat-code': 'REQUEST_INVALID' });
  });

  test('that sends more than 8 MiB is refused', async () => {
    const headers = await request(await start(), {}, message(Buffer.alloc((8 << 20) + 1)));
    expect(headers).toMatchObject({ 'grpc-status': '8' });
  });

  test('that sends more than 8 KiB of metadata is refused', async () => {
    const headers = await request(await start(), { 'x-large': 'x'.repeat(9_000) });
    expect(headers).toMatchObject({ 'concordat-code': 'MESSAGE_TOO_LARGE' });
  });

  test('that calls what is not there is refused', async () => {
    const headers = await request(await start(), { ':path': '/concordat.node.v1.KeyService/Dump' });
    expect(headers).toMatchObject({ 'grpc-status': '12' });
  });

  test('that sends a broken -bin header leaves the server alive', async () => {
    const server = await start();
    await request(server, { 'x-bin': '%%%' });
    expect(await request(server, {})).toMatchObject({ 'grpc-status': '0' });
  });
});

test('a server whose certificate names nobody does not start', async () => {
  const { ca, key } = await tlsOf(de, 'node');
  const starting = startRpcServer({
    address: '127.0.0.1:0',
    tls: { cert: ca, key, ca },
    services: [],
  });
  await expect(starting).rejects.toEqual(coded('CONFIG_INVALID'));
});

test('an address in use is named', async () => {
  const { port } = await start();
  const again = start({}, { address: `127.0.0.1:${port}` });
  await expect(again).rejects.toThrow(new RegExp(`127.0.0.1:${port}`));
});

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
