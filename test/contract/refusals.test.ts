import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import {
  ConcordatError,
  ERROR_CODES,
  type FieldProblem,
  fieldsError,
  isErrorCode,
} from '@concordat/common/domain/errors.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import { readFederationFile, readTlsFiles } from '@concordat/common/io/federation-file.js';
import { type RpcChannel, openChannel } from '@concordat/common/io/rpc/client.js';
import { NationalService, methodPath } from '@concordat/common/io/rpc/definitions.js';
import { type RpcServer, serve, startRpcServer } from '@concordat/common/io/rpc/server.js';
import { encode } from '@concordat/common/io/rpc/wire.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { memberOf } from '../support/federation.js';
import { runPython } from '../support/python.js';

const DE = memberOf('de');
/** Of somebody who must never be found in a trailer. */
const CANARY = 'Zoltan Canary 4711';
const PATH = methodPath(NationalService, 'read');

const fields = (count: number): [FieldProblem, ...FieldProblem[]] => [
  { field: 'handling.tlp', problem: 'expected CLEAR, GREEN, AMBER, AMBER_STRICT, RED' },
  ...Array.from({ length: count - 1 }, (_, n) => ({
    field: `$.aliases.${String(n)}.${'name'.repeat(20)}`,
    problem: `expected text\u{1f980}${'.'.repeat(200)}`,
  })),
];

/** What the service fails with, by the case that is read for. */
const FAILURES: Readonly<Record<string, () => unknown>> = {
  two: () => fieldsError('EVENT_INVALID', [...fields(1), { field: '$.a', problem: 'expected b' }]),
  thousand: () => fieldsError('EVENT_INVALID', fields(1_000)),
  waiting: () => new ConcordatError('BEHIND', 'expected 7', { details: { retryAfterMs: 2_500 } }),
  unforeseen: () => new TypeError(`expected no name, came ${CANARY}`),
  surrogate: () => new ConcordatError('BEHIND', 'expected a whole one, came \ud83e'),
};

let dir = '';
let server: RpcServer;
let channel: RpcChannel;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'refusals-'));
  const members = [{ id: DE, services: { node: '127.0.0.1:7101' } }];
  const federation = 'test' as FederationName;
  await initFederation({ dir, federation, members, clock: systemClock, random: systemRandom });
  const { ca } = await readFederationFile(federationFiles(dir).federationFile);
  await writeFile(join(dir, 'ca.pem'), ca);
  const files = memberFiles(dir, DE);
  const tlsOf = (service: 'node' | 'system') =>
    readTlsFiles({ certFile: files.certFile(service), keyFile: files.keyFile(service), ca });
  const unused = () => Promise.reject(new Error('this test calls something else'));
  server = await startRpcServer({
    address: '127.0.0.1:0',
    tls: await tlsOf('node'),
    services: [
      serve(NationalService, {
        publish: unused,
        publishStream: unused,
        registerSystem: unused,
        listSystems: unused,
        acknowledge: unused,
        read: async ({ caseId }) => {
          if (!isErrorCode(caseId)) throw FAILURES[caseId]?.();
          throw new ConcordatError(caseId, 'widgets: expected 2, came 3');
        },
        subscribe: async function* () {
          yield* [];
        },
      }),
    ],
  });
  channel = openChannel({
    address: `127.0.0.1:${String(server.port)}`,
    tls: await tlsOf('system'),
    peer: { member: DE, service: 'node' },
  });
});
afterAll(async () => {
  channel.close();
  await server.close(100);
  await rm(dir, { recursive: true });
});

interface Came {
  readonly status: string;
  readonly message: string;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

async function pythonCalls(
  calls: readonly { readonly caseId: string; readonly path?: string }[],
  caller: 'system' | 'operator' = 'system',
): Promise<Came[]> {
  const files = memberFiles(dir, DE);
  const sent = calls.map(({ caseId, path = PATH }) => {
    const request = { origin: 'de', eventId: 'e', purpose: 'p', caseId };
    const bytes = encode(NationalService.methods.read.request, request, 1 << 20);
    return { path, request: bytes.toString('base64') };
  });
  const args = [
    ...['--address', `127.0.0.1:${String(server.port)}`, '--ca', join(dir, 'ca.pem')],
    ...['--cert', files.certFile(caller), '--key', files.keyFile(caller)],
  ];
  return JSON.parse(await runPython('grpc_calls.py', args, JSON.stringify(sent))) as Came[];
}

async function refusalOf(caseId: string): Promise<ConcordatError> {
  const request = { origin: 'de', eventId: 'e', purpose: 'p', caseId };
  const call = channel.clientOf(NationalService).read(request, { timeoutMs: 5_000 });
  return call.then(
    () => Promise.reject(new Error('expected a refusal')),
    (cause: unknown) => cause as ConcordatError,
  );
}

describe('a refusal, as a program that is not ours reads it,', () => {
  test('carries its code, what was expected and came, whether to try again, and where to read more', async () => {
    const all = await pythonCalls(ERROR_CODES.map((caseId) => ({ caseId })));
    expect(all).toHaveLength(ERROR_CODES.length);
    for (const [at, { code, details, message, status: name }] of all.entries()) {
      const expected = ERROR_CODES[at] ?? 'INTERNAL';
      const { retryable } = new ConcordatError(expected, '');
      const said = expected === 'INTERNAL' ? {} : { expected: '2', got: '3' };
      expect(code).toBe(expected);
      expect(name).not.toBe('OK');
      expect(message).toMatch(expected === 'INTERNAL' ? /its log has the cause/ : /^widgets: /);
      expect(details).toEqual({
        ErrorInfo: {
          reason: expected,
          domain: 'concordat',
          metadata: { retryable: String(retryable), ...said },
        },
        Help: {
          links: [
            {
              description: 'what it means and what to do',
              url: `docs/errors.md#${expected.toLowerCase()}`,
            },
          ],
        },
        ...(retryable &&
          !['DEADLINE_EXCEEDED', 'CALL_CANCELLED'].includes(expected) && {
            RetryInfo: { retryDelay: '1s' },
          }),
      });
    }
  });

  test('names each field that is not as it should be', async () => {
    const [two] = await pythonCalls([{ caseId: 'two' }]);
    expect(two?.details['BadRequest']).toEqual({
      fieldViolations: [
        { field: 'handling.tlp', description: fields(1)[0].problem },
        { field: '$.a', description: 'expected b' },
      ],
    });
  });

  test('says how long to wait where it knows', async () => {
    const [waiting] = await pythonCalls([{ caseId: 'waiting' }]);
    expect(waiting?.details['RetryInfo']).toEqual({ retryDelay: '2.500s' });
  });

  test('is as rich before the call reaches its service', async () => {
    const [came] = await pythonCalls([{ caseId: 'two' }], 'operator');
    expect(came).toMatchObject({
      status: 'PERMISSION_DENIED',
      code: 'CALLER_NOT_ALLOWED',
      details: {
        ErrorInfo: {
          reason: 'CALLER_NOT_ALLOWED',
          metadata: { expected: 'system of own member' },
        },
      },
    });
  });

  test('of a call that nobody serves is plain UNIMPLEMENTED', async () => {
    const path = '/concordat.node.v1.NationalService/Nothing';
    const [came] = await pythonCalls([{ caseId: 'two', path }]);
    expect(came).toMatchObject({ status: 'UNIMPLEMENTED', details: {} });
  });

  test('stays within what a header may carry, however many fields there are, and drops half characters', async () => {
    const [thousand, surrogate] = await pythonCalls([
      { caseId: 'thousand' },
      { caseId: 'surrogate' },
    ]);
    const { fieldViolations } = thousand?.details['BadRequest'] as {
      fieldViolations: { readonly description: string }[];
    };
    expect(fieldViolations.length).toBeGreaterThan(10);
    expect(fieldViolations.length).toBeLessThan(100);
    expect(surrogate?.code).toBe('BEHIND');
  });

  test('that nobody foresaw says nothing of what it stumbled over', async () => {
    const [came] = await pythonCalls([{ caseId: 'unforeseen' }]);
    expect(came?.code).toBe('INTERNAL');
    expect(JSON.stringify(came)).not.toContain(CANARY);
  });
});

describe('our own client', () => {
  test('learns fields and waiting time again', async () => {
    expect((await refusalOf('two')).details.fields).toEqual([
      fields(1)[0],
      { field: '$.a', problem: 'expected b' },
    ]);
    expect(await refusalOf('waiting')).toMatchObject({
      code: 'BEHIND',
      details: { retryAfterMs: 2_500 },
    });
  });
});
