import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { federationFiles, initFederation, memberFiles } from '@concordat/cli/io/federation-init.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import { type EventId, type MemberId, parseEventId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { readFederationFile, readTlsFiles } from '@concordat/common/io/federation-file.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { codec } from '../support/federation.js';
import { DE, NodeWorld, UN } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { pythonPath } from '../support/python.js';
import { until } from '../support/until.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLES = 'docs/examples/national-system';
const REPORT = 'docs/examples/information-report-event.json';
const LANGUAGES: readonly [file: string, program: () => string, args: readonly string[]][] = [
  ['exchange.py', pythonPath, [`${EXAMPLES}/exchange.py`]],
  ['exchange.ts', () => process.execPath, [`${EXAMPLES}/dist/exchange.js`]],
];

/** What a reader of the example is told to start with. */
const { agreements } = JSON.parse(
  readFileSync(join(ROOT, 'docs/examples/agreements.json'), 'utf8'),
) as { readonly agreements: readonly { readonly rules: readonly object[] }[] };

let dir = '';
let world: NodeWorld;
const ports = new Map<MemberId, number>();
const running = new Set<ChildProcess>();

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sdk-'));
  const members = [UN, DE].map((id) => ({ id, services: { node: '127.0.0.1:7101' } }));
  const federation = 'test' as FederationName;
  await initFederation({ dir, federation, members, clock: systemClock, random: systemRandom });
  const { ca } = await readFederationFile(federationFiles(dir).federationFile);
  writeFileSync(join(dir, 'ca.pem'), ca);
  world = new NodeWorld(agreements[0]?.rules);
  world.alsoListen = async (member, services) => {
    const files = memberFiles(dir, member);
    const [certFile, keyFile] = [files.certFile('node'), files.keyFile('node')];
    const tls = await readTlsFiles({ certFile, keyFile, ca });
    const server = await startRpcServer({ address: '127.0.0.1:0', tls, services });
    ports.set(member, server.port);
    return server;
  };
  await world.start(UN, DE);
});
afterEach(async () => {
  for (const child of running) await kill(child);
  await world.dispose();
  rmSync(dir, { recursive: true });
});

async function kill(child: ChildProcess): Promise<void> {
  const isGone = once(child, 'exit');
  if (child.kill('SIGKILL')) await isGone;
  running.delete(child);
}

/** An example that runs as a national system of `member`: its copies, and what it has printed. */
class Example {
  readonly copies: string;
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  #complaint = '';

  constructor([, program, args]: (typeof LANGUAGES)[number], member: MemberId, more: string[]) {
    this.copies = join(dir, `copies-${member}`);
    mkdirSync(this.copies, { recursive: true });
    const files = memberFiles(dir, member);
    this.#child = spawn(program(), [...args, this.copies, ...more], {
      cwd: ROOT,
      env: {
        NODE: `127.0.0.1:${String(ports.get(member))}`,
        CA: join(dir, 'ca.pem'),
        CERT: files.certFile('system'),
        KEY: files.keyFile('system'),
        PYTHONPATH: 'proto',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error('expected pipes');
    createInterface({ input: stdout }).on('line', (line) => this.said.push(line));
    stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaint += text));
  }

  /** @returns what stands after the word in the last line */
  async says(word: string, what = ''): Promise<string> {
    const wanted = `${word} ${what}`;
    await until(`the example says ${wanted}`, () => {
      if (this.#child.exitCode !== null) throw new Error(this.#complaint);
      return this.said.at(-1)?.startsWith(wanted) === true;
    });
    return this.said.at(-1)?.slice(word.length + 1) ?? '';
  }

  hasCopy(id: EventId): boolean {
    return existsSync(join(this.copies, `${UN}-${id}`));
  }

  copyOf(id: EventId): unknown {
    return JSON.parse(readFileSync(join(this.copies, `${UN}-${id}`), 'utf8'));
  }

  kill(): Promise<void> {
    return kill(this.#child);
  }
}

function stages(): string[] {
  return world.records('receipts.de.un').map(({ value }) => {
    const receipt = verifyStatement(codec, world.members.keys, 'Receipt', value, { signer: DE });
    if (!receipt.ok) throw receipt.error;
    return receipt.value.value.stage;
  });
}

describe.each(LANGUAGES)('%s', (...language) => {
  async function publish(): Promise<EventId> {
    const publisher = new Example(language, UN, [REPORT, `${EXAMPLES}/facts.json`]);
    const id = parseEventId(await publisher.says('published'));
    await publisher.kill();
    if (!id.ok) throw new Error(id.error);
    return id.value;
  }

  test('publishes, keeps a copy of what others publish, and deletes it before there is a receipt', async () => {
    const id = await publish();
    const first = new Example(language, DE, []);
    await first.says('stored', id);
    expect(first.copyOf(id)).toEqual(JSON.parse(readFileSync(join(ROOT, REPORT), 'utf8')));
    await until('the notice is acknowledged', async () => {
      const { systems } = await world.node(DE).national.listSystems({}, { timeoutMs: 1 });
      return systems[0]?.kind === 'copy' && systems[0].cursor !== '';
    });
    await first.kill();

    // taken back while it is away: the final receipt of a later entry comes, for the copied event an open one
    world.purges.purge(DE, id);
    world.purges.purge(DE, eventId(77));
    await world.receipts(DE, 2);
    expect(stages()).toEqual(['OPEN', 'NOT_HELD']);
    expect(first.hasCopy(id)).toBe(true);

    const second = new Example(language, DE, []);
    await second.says('deleted', id);
    expect(second.hasCopy(id)).toBe(false);
    await world.receipts(DE, 3);
    expect(stages()).toEqual(['OPEN', 'NOT_HELD', 'DELETED']);
    expect(second.said).toEqual([`deleted ${id}`]); // it went on where it had been

    // taken back while it listens
    const another = await publish();
    await second.says('stored', another);
    expect(second.hasCopy(another)).toBe(true);
    world.purges.purge(DE, another);
    await second.says('deleted', another);
    expect(second.hasCopy(another)).toBe(false);
    // it may be faster than the open receipt
    await until('it is answered for good', () => stages().slice(3).includes('DELETED'));
  });
});
