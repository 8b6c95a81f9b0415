import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { homeSettings, memberIn, readFederationOf } from '@concordat/cli/io/home.js';
import { mainOf } from '@concordat/cli/io/run-service.js';
import type { MemberId } from '@concordat/common/domain/ids.js';

type Service = Parameters<typeof mainOf>[0];

export interface Places {
  /** the federation's home, with everybody's data */
  readonly home: string;
  /** where the processes are, and so where a crash leaves its core file */
  readonly work: string;
  readonly logs: string;
  readonly temporary: string;
  readonly reports: string;
}

/** Built services as processes that may leave everything behind which a crash can: core files, reports, logs. */
export class MemberProcesses {
  readonly #places: Places;
  readonly #brokers: string;
  readonly #preload: string;
  readonly #running = new Map<string, ChildProcess>();

  /** @param preload the URL of a module that each process loads before its own */
  constructor(places: Places, { brokers, preload }: { brokers: string; preload: string }) {
    this.#places = places;
    this.#brokers = brokers;
    this.#preload = preload;
    for (const dir of Object.values(places)) mkdirSync(dir, { recursive: true });
  }

  async start(member: MemberId, service: Service): Promise<void> {
    const { home, work, logs, temporary, reports } = this.#places;
    const name = `${member}-${service}`;
    const file = await readFederationOf(home);
    const settings = homeSettings({
      ...{ home, member: memberIn(file, member), service },
      ...{ brokers: this.#brokers, profile: 'demo' },
    });
    const options = [
      ...[`--import=${this.#preload}`, `--report-directory=${reports}`],
      ...['--report-on-signal', '--report-signal=SIGHUP'],
      ...['--report-uncaught-exception', '--report-on-fatalerror'],
    ];
    const log = openSync(join(logs, `${name}.log`), 'a');
    // as far as this machine allows: without it no core is written anywhere
    const unlimited = 'ulimit -c unlimited 2>/dev/null; exec "$0" "$@"';
    const child = spawn('/bin/sh', ['-c', unlimited, process.execPath, mainOf(service)], {
      env: { ...settings, TMPDIR: temporary, NODE_OPTIONS: options.join(' ') },
      cwd: work,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#running.set(name, child);
  }

  names(): string[] {
    return [...this.#running.keys()];
  }

  pidOf(name: string): number {
    const pid = this.#running.get(name)?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  signal(name: string, signal: NodeJS.Signals): void {
    process.kill(this.pidOf(name), signal);
  }

  /** Resolves when it is gone, with its exit code or the signal that ended it. */
  async end(name: string, signal: NodeJS.Signals): Promise<number | string> {
    const child = this.#running.get(name);
    if (!child) throw new Error(`${name} does not run`);
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    this.#running.delete(name);
    return child.signalCode ?? child.exitCode ?? '';
  }

  async dispose(): Promise<void> {
    await Promise.all(this.names().map((name) => this.end(name, 'SIGKILL')));
  }
}
