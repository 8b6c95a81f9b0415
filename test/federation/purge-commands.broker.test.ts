import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '@concordat/cli/commands/program.js';
import { readSettings } from '@concordat/cli/config.js';
import { freePort } from '@concordat/cli/io/free-ports.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { sharedBrokers } from '../support/broker.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

/** Topics are named after members, so their names are fresh. */
function freshMember(): string {
  const letters = Array.from(randomBytes(6), (byte) => String.fromCharCode(97 + (byte % 26)));
  return `p${letters.join('')}`;
}

const [un, de, fr] = [freshMember(), freshMember(), freshMember()];
const bin = fileURLToPath(new URL('../../services/cli/bin/concordat.js', import.meta.url));
let home = '';
const processes: ChildProcess[] = [];

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** One command as a person types it; what is typed after it is `input`. */
async function concordat(
  args: readonly string[],
  { input = '', isTerminal = false, stop = new AbortController().signal } = {},
): Promise<Said> {
  const said = { out: '', err: '' };
  const env = {
    CONCORDAT_HOME: home,
    CONCORDAT_MEMBER: un,
    KAFKA_BROKERS: sharedBrokers().join(','),
  };
  const exit = await runCommand(args, {
    settings: readSettings({ ...env, CONCORDAT_PROFILE: 'demo' }),
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    stdin: Readable.from([input]),
    isTerminal,
    clock: systemClock,
    random: systemRandom,
    interruption: () => stop,
  });
  return { exit, ...said };
}

async function done(args: string, input = ''): Promise<string> {
  const { exit, out, err } = await concordat(args.split(' '), { input });
  expect({ args, exit, err: exit === 0 ? '' : err }).toEqual({ args, exit: 0, err: '' });
  return out;
}

function start(service: string, member: string): void {
  const limit = service === 'consent' ? {} : { CONCORDAT_APPROVALS_ABOVE: '2' };
  const { PATH } = process.env;
  const child = spawn(
    process.execPath,
    [bin, service, 'start', '--home', home, '--member', member],
    {
      env: { PATH, KAFKA_BROKERS: sharedBrokers().join(','), CONCORDAT_PROFILE: 'demo', ...limit },
      stdio: 'ignore',
    },
  );
  processes.push(child);
}

const PUBLISH = '--purpose screening --legal-basis test --by-agreement';

/** @returns the ids of invented alerts on persons */
async function publish(count: number, seed: string, category: string): Promise<string[]> {
  const lines = await done(`event generate --category ${category} --seed ${seed} --count ${count}`);
  const out = await done(
    `event publish - --lines --category ${category} ${PUBLISH} --timeout 2m`,
    lines,
  );
  return out.trim().split('\n');
}

async function held(id: string, count: number): Promise<void> {
  for (let tried = 0; tried < 200; tried += 1) {
    const holders = JSON.parse(await done(`event holders ${id} --output json`)) as unknown[];
    if (holders.length === count) return;
    await systemClock.sleep(100);
  }
  throw new Error(`${id} is not held by ${String(count)}`);
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'concordat-purge-'));
  const base = Math.floor((await freePort()) / 100) * 100;
  const agreements = {
    agreements: [
      {
        ...{ id: 'a1', version: 1, parties: [un, de, fr] },
        ...{ from: '2015-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' },
        rules: [
          {
            ...{
              id: 'r1',
              effect: 'permit',
              recipients: [de, fr],
              categories: ['person-alert.missing'],
            },
            ...{ sections: ['*'], purposes: ['screening'], retention: { days: 30 } },
          },
          {
            ...{
              id: 'r2',
              effect: 'permit',
              recipients: [de],
              categories: ['person-alert.witness'],
            },
            ...{ sections: ['*'], purposes: ['screening'], retention: { days: 30 } },
          },
        ],
      },
    ],
    consents: [
      {
        ...{ id: 'c1', agreementId: 'a1', origin: un },
        ...{ from: '2015-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' },
      },
    ],
  };
  const file = join(tmpdir(), `agreements-${un}.json`);
  await writeFile(file, JSON.stringify(agreements));
  await done(
    `federation init --dir ${home} --name purges --port-base ${base} --member ${un}:origin --member ${de} --member ${fr} --agreement ${file}`,
  );
  await rm(file);
  await done('topic apply');
  for (const service of ['node', 'consent', 'revocation']) start(service, un);
  for (const member of [de, fr]) start('node', member);
  for (const member of [un, de, fr]) await done(`status --member ${member} --wait 1m`);
});
afterAll(async () => {
  const ended = processes.flatMap((child) =>
    child.exitCode === null ? [once(child, 'exit')] : [],
  );
  for (const child of processes) child.kill();
  await Promise.all(ended);
  await rm(home, { recursive: true, force: true });
});

test('a preview says whom a purge would reach, and orders nothing', async () => {
  const missing = await publish(3, 'one', 'person-alert.missing');
  const witness = await publish(2, 'two', 'person-alert.witness');
  await held(missing.at(-1) ?? '', 2);
  await held(witness.at(-1) ?? '', 1);
  const preview = async (...selector: readonly string[]) => {
    const { exit, out, err } = await concordat([
      'purge',
      'preview',
      ...selector,
      '--output',
      'json',
    ]);
    expect({ exit, err }).toMatchObject({ exit: 0 });
    return JSON.parse(out) as unknown;
  };
  expect(await preview('--category', 'person-alert.**')).toEqual({
    ...{ events: 5, orders: 1, needsSecondPerson: true, heldByNobody: 0, takenBack: 0, ordered: 0 },
    holders: [
      { member: de, events: 5 },
      { member: fr, events: 3 },
    ].sort((one, other) => (one.member < other.member ? -1 : 1)),
  });
  expect(await preview('--held-by', fr)).toMatchObject({ events: 3 });
  expect(await preview('--agreement', 'a1', '--category', '*.witness')).toMatchObject({
    ...{ events: 2, needsSecondPerson: false },
    holders: [{ member: de, events: 2 }],
  });
  const [line = ''] = (
    await done('event generate --category person-alert.missing --seed one --count 1')
  ).split('\n');
  const { familyName, givenNames } = JSON.parse(line) as {
    readonly familyName: string;
    readonly givenNames: readonly string[];
  };
  const subject = `name:${givenNames.join(' ')} ${familyName.toLowerCase()}`;
  expect(await preview('--subject', subject)).toMatchObject({ events: 1 });
  expect(await preview('--published', '2020-01-01..2020-01-02')).toMatchObject({ events: 0 });
  expect(await concordat(['purge', 'preview', '--output', 'table', ...witness])).toMatchObject({
    ...{ exit: 0, out: `${de.padEnd(8)}  2\n` },
    err: 'events: 2, holders: 1, orders: 1; a dry run, nothing is ordered\n',
  });
  expect(await done('purge status --output json')).toBe('[]\n');
});

test('more than one person may take back waits for a second one, and then for the holders', async () => {
  const ordered = await concordat(
    'purge order --held-by'.split(' ').concat(fr, '--reason', 'error'),
  );
  const orderId = ordered.out.trim();
  expect(ordered).toMatchObject({
    ...{ exit: 0, out: expect.stringMatching(/^[0-9a-f-]{36}\n$/) as unknown },
    err: expect.stringContaining('a second person has to approve') as unknown,
  });
  const waiting = await concordat(['purge', 'status', orderId]);
  expect(waiting).toMatchObject({ exit: 7 });
  expect(waiting.err).toContain('AWAITING_APPROVAL, reason error, events: 3');
  expect(waiting.err).toContain(`purge approve ${orderId} --as KEY`);

  const approve = (as: string, ...more: readonly string[]) =>
    concordat(['purge', 'approve', orderId, '--as', as, ...more]);
  const samePerson = await approve('purge-officer', '--yes');
  expect(samePerson).toMatchObject({ exit: 3 });
  expect(samePerson.err).toContain('APPROVAL_SAME_PERSON');
  expect(await approve('purge-officer-9', '--yes')).toMatchObject({ exit: 2 });
  const wrongKey = await approve('node', '--yes');
  expect(wrongKey).toMatchObject({ exit: 2 });
  expect(wrongKey.err).toMatch(/expected +a key of a purge officer of /);
  expect(await approve('purge-officer-2')).toMatchObject({ exit: 2 });
  const hesitant = await concordat(['purge', 'approve', orderId, '--as', 'purge-officer-2'], {
    ...{ input: 'no\n', isTerminal: true },
  });
  expect(hesitant.err).toContain('CALL_CANCELLED');
  const approved = await concordat(['purge', 'approve', orderId, '--as', 'purge-officer-2'], {
    ...{ input: 'yes\n', isTerminal: true },
  });
  expect(approved).toMatchObject({ exit: 0 });
  expect(approved.err).toContain('events: 3, reason error');
  expect(approved.err).toContain('ordered by officer-1');

  const watched = await concordat(['purge', 'status', orderId, '--watch', '--timeout', '60s']);
  expect(watched).toMatchObject({ exit: 0 });
  for (const member of [de, fr]) {
    expect(watched.err).toMatch(new RegExp(`^.* m?s  ${member} +DELETED$`, 'm'));
    expect(watched.out).toMatch(new RegExp(`^${member} +DELETED`, 'm'));
  }
  const receipts = await concordat([
    'purge',
    'receipts',
    orderId,
    '--output',
    'json',
    '--out',
    home,
  ]);
  expect(JSON.parse(receipts.out)).toHaveLength(2);
  expect(JSON.parse(receipts.out)).toContainEqual(
    expect.objectContaining({ member: de, stage: 'DELETED', events: 3, entryNumber: 1 }),
  );
  expect((await approve('purge-officer-2', '--yes')).err).toContain('APPROVAL_INVALID');
  expect(await done('purge certificate ' + orderId)).toContain('certificate');
});

test('a purge of many events is several orders, shown as one, and goes on after an interruption', async () => {
  const ids = await publish(2_100, 'many', 'person-alert.witness');
  await held(ids.at(-1) ?? '', 1);
  const order = ['purge', 'order', '--category', '*.witness', '--reason', 'agreement_ended'];
  const unsure = await concordat(order);
  expect(unsure).toMatchObject({ exit: 2 });
  expect(unsure.err).toContain('--yes');

  const stop = AbortSignal.abort();
  const interrupted = await concordat([...order, '--yes'], { stop });
  expect(interrupted).toMatchObject({ exit: 130, out: '' });
  const [, first = ''] = /purge order --resume (\S+)/.exec(interrupted.err) ?? [];
  expect(await concordat(['purge', 'status', first])).toMatchObject({ exit: 4 });
  const resumed = await concordat(['purge', 'order', '--resume', first]);
  expect(resumed).toMatchObject({ exit: 0, out: `${first}\n` });
  expect((await concordat(['purge', 'order', '--resume', first])).err).toContain('ORDER_UNKNOWN');

  const approved = await concordat(['purge', 'approve', first, '--as', 'purge-officer-2', '--yes']);
  expect(approved).toMatchObject({ exit: 0 });
  expect(approved.err).toContain('orders: 2, events: 2102');
  const watched = await concordat(['purge', 'status', first, '--watch', '--timeout', '100s']);
  expect(watched).toMatchObject({ exit: 0 });
  expect(watched.err).toContain('CLOSED, reason agreement_ended, events: 2102');
  expect(watched.out).toMatch(new RegExp(`^${de} +DELETED`, 'm'));
  expect(JSON.parse(await done(`purge receipts ${first} --output json`))).toHaveLength(2);
});

test('what a person would get wrong is refused with what to do', async () => {
  const [id = ''] = await publish(1, 'wrong', 'person-alert.missing');
  const refused = async (...args: readonly string[]) => {
    const { exit, err } = await concordat(['purge', ...args]);
    return `${exit} ${err.trim().replaceAll(/\s+/g, ' ')}`;
  };
  expect(await refused('order', id)).toMatch(
    /^2 REQUEST_INVALID .*--reason.* expected error, delisted/,
  );
  expect(await refused('order', '--reason', 'error')).toMatch(
    /^2 REQUEST_INVALID.*expected events/,
  );
  expect(await refused('preview', '--subject', 'John')).toMatch(
    /^2 REQUEST_INVALID.*name, document/,
  );
  expect(await refused('preview', '--published', 'today')).toMatch(
    /^2 REQUEST_INVALID.*2026-01-31/,
  );
  expect(await refused('preview', '01890a5d-ac96-774b-bcce-b302099a8057')).toMatch(
    /^4 EVENT_UNKNOWN/,
  );
  expect(await refused('order', '--category', 'listing', '--reason', 'error')).toMatch(
    /^4 .*EVENT_UNKNOWN .*own events that can be taken back, found none/,
  );
  const narrow = ['--recipient', de, '--reason', 'error'];
  await held(id, 2);
  const narrower = await concordat([
    'purge',
    'order',
    id,
    ...narrow,
    '--watch',
    '--timeout',
    '30s',
  ]);
  expect(narrower).toMatchObject({ exit: 0 });
  expect(await refused('order', id, '--recipient', un, '--reason', 'error')).toMatch(/^4 /);
  expect((await concordat(['purge', 'order', id, '--reason', 'error', '--watch'])).exit).toBe(0);
  expect(await refused('order', id, '--reason', 'error')).toMatch(
    /^2 .*ORDER_INVALID .*events that no order covers yet came 1 of 1/,
  );
  expect(await refused('receipts', id)).toMatch(/^4 ORDER_UNKNOWN/);
});

test('a holder keeps an event by law: listed and never done, and deleted when it lets go', async () => {
  const [id = ''] = await publish(1, 'held', 'person-alert.missing');
  await held(id, 2);
  const which = `${id} --origin ${un} --member ${de}`;
  const said = await done(
    `purge hold ${which} --ground file-12 --authority court --review-by 2999-01-31`,
  );
  expect(said).toMatch(/^ground +file-12$/m);
  const holds = async () =>
    JSON.parse(await done(`purge holds --member ${de} --output json`)) as unknown;
  expect(await holds()).toMatchObject([
    { event: id, origin: un, purged: false, ground: 'file-12' },
  ]);
  const orderId = (await done(`purge order ${id} --reason error --as purge-officer-2`)).trim();
  await until('de has answered', async () =>
    (await done(`purge receipts ${orderId}`)).includes('OPEN'),
  );
  const status = await concordat(['purge', 'status', orderId]);
  expect(status.exit).toBe(7);
  expect(status.out).toMatch(new RegExp(`^${de} +OPEN .* 1 held by law, review 2999`, 'm'));
  expect(await holds()).toMatchObject([{ event: id, purged: true, reviewOverdue: false }]);
  expect(await done(`purge holds --member ${de}`)).toMatch(/ purged +2999-01-31/);
  expect((await concordat(`purge hold ${which} --ground a --authority b`.split(' '))).exit).toBe(2);
  await done(`purge release ${which}`);
  const closed = await concordat(['purge', 'status', orderId, '--watch', '--timeout', '60s']);
  expect(closed).toMatchObject({ exit: 0 });
  const receipts = JSON.parse(await done(`purge receipts ${orderId} --output json`)) as unknown[];
  expect(receipts).toContainEqual(
    expect.objectContaining({ member: de, stage: 'OPEN', children: [] }),
  );
  expect(receipts).toContainEqual(expect.objectContaining({ member: de, stage: 'DELETED' }));
  expect(await holds()).toEqual([]);
  expect(await concordat(`purge release ${which}`.split(' '))).toMatchObject({ exit: 4 });
});

test('a member leaves: two people order it, and its status names what it owes until it has answered', async () => {
  const [id = ''] = await publish(1, 'leaver', 'person-alert.missing');
  await held(id, 2);
  expect(await done(`member status ${fr}`)).toBe('MEMBER, nobody has ordered its leaving\n');
  const leave = ['member', 'leave', fr, '--reason', 'partner_withdrawn', '--deadline', '1h'];
  expect(await concordat(leave)).toMatchObject({ exit: 2 });
  const ordered = await concordat(leave, { input: 'yes\n', isTerminal: true });
  const orderId = ordered.out.trim();
  expect(ordered).toMatchObject({
    exit: 0,
    err: expect.stringContaining(`purge approve ${orderId} --as KEY`) as unknown,
  });
  const waiting = await concordat(['member', 'status', fr]);
  expect(waiting).toMatchObject({ exit: 7, out: 'AWAITING_APPROVAL\n' });
  const again = await concordat([...leave, '--yes', '--output', 'json']);
  expect(again.exit).toBe(0);
  const approved = await concordat(
    ['purge', 'approve', orderId, '--as', 'purge-officer-2', '--yes'],
    {},
  );
  expect(approved.err).toContain(`next  concordat member status ${fr} --watch`);
  const watched = await concordat(['member', 'status', fr, '--watch', '--timeout', '30s']);
  expect(watched).toMatchObject({ exit: 0, out: expect.stringMatching(/^LEFT, /) as unknown });
  const status = await concordat(['member', 'status', fr, '--output', 'json']);
  const view = JSON.parse(status.out) as Record<string, number>;
  expect(view).toMatchObject({ stage: 'LEFT', orderId, owed: [], owedEntries: 0, notOrdered: 0 });
  expect(view['answered']).toBe(view['events']);
  expect(await concordat(['member', 'leave', fr, ...leave.slice(3), '--yes'])).toMatchObject({
    exit: 2,
    err: expect.stringMatching(/ORDER_INVALID.*leaves already or has left/s) as unknown,
  });
  const list = await done('member status');
  expect(list).toMatch(new RegExp(`^${fr} +LEFT `, 'm'));
});
