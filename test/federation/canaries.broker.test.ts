import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommand } from '@concordat/cli/commands/program.js';
import { readSettings } from '@concordat/cli/config.js';
import { homeFiles } from '@concordat/cli/io/home.js';
import { freePort } from '@concordat/cli/io/free-ports.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { Vault } from '@concordat/node/io/vault.js';
import { type OwnBroker, startOwnBroker } from '../support/broker.js';
import { memberOf } from '../support/federation.js';
import '../support/long-timeout.js';
import { MemberProcesses } from '../support/member-processes.js';
import { type Needle, Scanner, encodingsOf, encodingsOfKey } from '../support/plaintext-scan.js';
import { until } from '../support/until.js';

/** All by hand: `CANARY_EVENTS=1000`. */
const EVENTS = Number(process.env['CANARY_EVENTS'] ?? 60);
/** Stay, wrapped anew. */
const KEPT = 5;
const PATIENCE_MS = 60_000 + EVENTS * 100;
const [UN, DE] = [memberOf('un'), memberOf('de')];
const MEMBERS = [UN, DE];
const PROCESSES = [
  [UN, 'node'],
  [UN, 'consent'],
  [UN, 'revocation'],
  [DE, 'node'],
] as const;
const PURGED = 'listing.al-qaida.individual';
const LIVE = 'listing.taliban.individual';

const word = (): string => `canary-${randomBytes(9).toString('hex')}`;
const crashWord = word();
const texts: string[] = [crashWord];
const needles: Needle[] = encodingsOf(crashWord);
let root = '';
let outside = '';
let home = '';
let broker: OwnBroker;
let processes: MemberProcesses;
const keks: Needle[] = [];
const seen = { keys: 0, reports: 0, unfiltered: [] as string[] };

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** One command as a person of this member types it. */
async function concordat(member: MemberId, args: string, input = ''): Promise<Said> {
  const said = { out: '', err: '' };
  const env = { CONCORDAT_HOME: home, CONCORDAT_MEMBER: member, KAFKA_BROKERS: broker.address };
  const exit = await runCommand(args.split(' '), {
    settings: readSettings({ ...env, CONCORDAT_PROFILE: 'demo' }),
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    stdin: Readable.from([input]),
    isTerminal: false,
    clock: systemClock,
    random: systemRandom,
    interruption: () => new AbortController().signal,
  });
  return { exit, ...said };
}

async function done(member: MemberId, args: string, input = ''): Promise<string> {
  const { exit, out, err } = await concordat(member, args, input);
  expect({ args, exit, err: exit === 0 ? '' : err }).toEqual({ args, exit: 0, err: '' });
  return out;
}

/** A canary in every section; each is looked for in all encodings. */
function lineOf(): string {
  const [name, alias, document, remark] = [word(), word(), word(), word()];
  texts.push(name, alias, document, remark);
  needles.push(...[name, alias, document, remark].flatMap(encodingsOf));
  return JSON.stringify({
    firstName: name,
    secondName: 'Lovelace',
    aliases: [{ quality: 'Good', aliasName: alias }],
    documents: [{ typeOfDocument: 'Passport', number: document }],
    remarks: [{ of: 'INDIVIDUAL', index: 0, text: remark }],
  });
}

async function publish(count: number, category: string): Promise<string[]> {
  const lines = Array.from({ length: count }, lineOf).join('\n');
  const how = '--purpose screening --legal-basis test --by-agreement --lines';
  const out = await done(UN, `event publish - ${how} --category ${category}`, `${lines}\n`);
  return out.trim().split('\n');
}

const nodeDir = (member: MemberId): string => homeFiles(home).member(member).dataDir('node');
const keksDir = (member: MemberId): string => join(nodeDir(member), 'keks');

async function status(member: MemberId) {
  return JSON.parse(await done(member, 'status --output json')) as {
    readonly node: {
      readonly partners: readonly { readonly readable: number }[];
      readonly unerased: number;
    };
  };
}

async function allReadable(count: number): Promise<void> {
  const isThere = async () => (await status(DE)).node.partners[0]?.readable === count;
  await until(`de reads ${String(count)}`, isThere, PATIENCE_MS);
}

/** The keys as the vaults have them now, and the keys that these are wrapped under. */
async function rememberKeys(): Promise<void> {
  for (const member of MEMBERS) {
    const dir = nodeDir(member);
    const vault = new Vault(join(dir, 'vault.db'), join(dir, 'keks'), systemRandom);
    try {
      for (const { origin, id } of vault.eventsAfter(undefined, EVENTS + KEPT + 1)) {
        for (const [section, key] of vault.get(origin, id)) {
          seen.keys += 1;
          needles.push(...encodingsOfKey(`key of ${section} of ${id}`, key));
        }
      }
    } finally {
      vault.close();
    }
    for (const name of await readdir(keksDir(member))) {
      if (!name.startsWith('generation')) continue;
      const key = await readFile(join(keksDir(member), name));
      keks.push(...encodingsOfKey(`${name} of ${member}`, key));
    }
  }
}

/** SIGHUP: a report of Node.js. SIGUSR2: an error that nobody catches. SIGABRT: a core file, where there may be any. */
const PRELOAD = `
const text = ${JSON.stringify(crashWord)};
globalThis.held = [text, Buffer.from(text), { [text]: text }];
process.on('SIGUSR2', () => {
  setImmediate(() => { throw Object.assign(new SyntaxError('Unexpected token in ' + text), { text, held: globalThis.held }); });
});
`;

async function startAll(): Promise<void> {
  await Promise.all(PROCESSES.map(([member, service]) => processes.start(member, service)));
  for (const member of MEMBERS) await done(member, 'status --wait 2m');
}

/** A report of each process, which go on. */
async function reportAll(): Promise<void> {
  const before = (await readdir(join(root, 'reports'))).length;
  for (const name of processes.names()) processes.signal(name, 'SIGHUP');
  await until('each has written its report', async () => {
    const names = await readdir(join(root, 'reports'));
    seen.reports = names.length;
    return names.length >= before + PROCESSES.length;
  });
}

async function dieOfErrors(): Promise<void> {
  for (const name of processes.names()) expect(await processes.end(name, 'SIGUSR2')).toBe(1);
}

async function abortAll(): Promise<void> {
  for (const name of processes.names()) {
    if (!keepsMemoryOut(processes.pidOf(name))) seen.unfiltered.push(name);
    expect(await processes.end(name, 'SIGABRT')).toBe('SIGABRT');
  }
}

/** Where Linux writes core files: has this process left nothing of its memory for one? */
function keepsMemoryOut(pid: number): boolean {
  const file = `/proc/${String(pid)}/coredump_filter`;
  return existsSync(file) && parseInt(readFileSync(file, 'utf8'), 16) === 0;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'concordat-canaries-'));
  outside = await mkdtemp(join(tmpdir(), 'concordat-preload-'));
  home = join(root, 'home');
  broker = await startOwnBroker();
  const preload = join(outside, 'crash.mjs');
  await writeFile(preload, PRELOAD);
  const places = {
    ...{ home, work: join(root, 'work'), logs: join(root, 'logs') },
    ...{ temporary: join(root, 'tmp'), reports: join(root, 'reports') },
  };
  const always = { from: '2015-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' };
  const rule = {
    ...{ id: 'r1', effect: 'permit', recipients: [DE], categories: ['**'], sections: ['*'] },
    ...{ purposes: ['screening'], retention: { days: 30 } },
  };
  const agreements = {
    agreements: [{ id: 'a1', version: 1, parties: MEMBERS, ...always, rules: [rule] }],
    consents: [{ id: 'c1', agreementId: 'a1', origin: UN, ...always }],
  };
  const file = join(outside, 'agreements.json');
  await writeFile(file, JSON.stringify(agreements));
  const base = Math.floor((await freePort()) / 100) * 100;
  const members = `--member ${UN}:origin --member ${DE}`;
  await done(
    UN,
    `federation init --dir ${home} --name canaries --port-base ${String(base)} ${members} --agreement ${file}`,
  );
  // a broker that has just started on a busy machine may still close a connection
  await until('the topics are there', async () => (await concordat(UN, 'topic apply')).exit === 0);
  processes = new MemberProcesses(places, {
    brokers: broker.address,
    preload: pathToFileURL(preload).href,
  });
  await startAll();
});
afterAll(async () => {
  await processes.dispose();
  await broker.dispose();
  for (const dir of [root, outside]) await rm(dir, { recursive: true, force: true });
});

const scanAll = async (scanner: Scanner) => [
  ...(await scanner.scan(root)),
  ...(await scanner.scan(broker.directory)),
];
const everything = () => new Scanner([...needles, ...keks]);

describe('canaries in every section of many events', () => {
  test('are read by their holders, and a crash in between leaves none of them anywhere', async () => {
    const [first = ''] = await publish(EVENTS, PURGED);
    await publish(KEPT, LIVE);
    await allReadable(EVENTS + KEPT);
    const opened = await done(DE, `event open ${first} --origin un --purpose screening --case c`);
    expect(texts.filter((text) => opened.includes(text))).toHaveLength(4);
    await rememberKeys();
    expect(seen.keys).toBeGreaterThanOrEqual(2 * 4 * (EVENTS + KEPT));
    // the scan finds what is there: the files of the keys that wrap keys
    const found = await new Scanner(keks).scan(home);
    expect(new Set(found.map(({ needle }) => needle)).size).toBe(MEMBERS.length);
    await reportAll();
    await dieOfErrors();
    await startAll();
  });

  test('and all their keys are nowhere after the purge, once the keys that had wrapped them are destroyed', async () => {
    const order = `purge order --category ${PURGED} --reason delisted --as purge-officer`;
    const orderId = (await done(UN, `${order} --yes`)).trim();
    const purge = async () =>
      JSON.parse((await concordat(UN, `purge status ${orderId} --output json`)).out) as {
        readonly state: string;
        readonly holders: readonly { readonly mediaErasedAt: string }[];
      };
    await until('all have answered', async () => (await purge()).state === 'CLOSED', PATIENCE_MS);
    for (const member of MEMBERS) await done(member, 'node erase-media');
    await until('the holder said so', async () => {
      const [holder] = (await purge()).holders;
      return holder !== undefined && holder.mediaErasedAt !== '';
    });
    for (const member of MEMBERS) {
      const told = await status(member);
      expect(told.node.unerased).toBe(0);
      await writeFile(join(root, 'logs', `${member}-status.json`), JSON.stringify(told));
    }
    await allReadable(KEPT);
    await reportAll();
    await abortAll();
    expect(await scanAll(everything())).toEqual([]);
    expect(seen.reports).toBe(2 * PROCESSES.length);
    if (existsSync('/proc/self/coredump_filter')) expect(seen.unfiltered).toEqual([]);
  });

  test('would be found in each kind of place', async () => {
    const store = (member: MemberId, service: 'node' | 'consent' | 'revocation', name: string) =>
      join(homeFiles(home).member(member).dataDir(service), name);
    const segments = (await readdir(broker.directory, { recursive: true })).filter((name) =>
      name.endsWith('.log'),
    );
    const [report = ''] = await readdir(join(root, 'reports'));
    const kek = (await readdir(keksDir(DE))).find((name) => name.startsWith('generation')) ?? '';
    const places = [
      ...['data.db', 'vault.db', 'state.db'].map((name) => store(DE, 'node', name)),
      ...['data.db-wal', 'vault.db-wal', 'state.db-wal'].map((name) => store(DE, 'node', name)),
      ...[store(UN, 'consent', 'consent.db'), store(UN, 'revocation', 'revocation.db')],
      ...[join(keksDir(DE), kek), join(root, 'reports', report)],
      ...['de-node.log', 'un-consent.log', 'de-status.json'].map((at) => join(root, 'logs', at)),
      ...segments.slice(0, 3).map((name) => join(broker.directory, name)),
    ];
    const planted = [...needles.slice(0, 9), ...needles.slice(-9), ...keks.slice(0, 9)];
    const files: string[] = [];
    for (const [at, place] of places.entries()) {
      expect((await stat(place)).isFile()).toBe(true);
      const file = `${place}.${String(at)}`;
      const needle = planted[at % planted.length];
      if (!needle) throw new Error('nothing to plant');
      await copyFile(place, file);
      await writeFile(file, needle.bytes, { flag: 'a' });
      files.push(file);
    }
    for (const [at, needle] of planted.entries()) {
      const file = join(root, at % 2 === 0 ? 'tmp' : 'work', `core.${String(at)}`);
      await writeFile(file, Buffer.concat([Buffer.from('%'), needle.bytes]));
      files.push(file);
    }
    expect((await scanAll(everything())).map(({ file }) => file).sort()).toEqual(
      [...new Set(files)].sort(),
    );
  });
});
