import { readFile } from 'node:fs/promises';

/** Of a Linux kernel as every distribution builds it: `getconf CLK_TCK`. */
const TICK_MS = 10;

/** Milliseconds since the machine started: comparable between its processes. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** CPU time that a process has used so far, in user and kernel mode, with all its threads (proc_pid_stat(5)). */
export async function cpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  // the second field is a name in parentheses that may hold anything; fields 14 and 15 count from there
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The most memory that a process has held at once, in MiB (VmHWM, proc_pid_status(5)). */
export async function peakRssMiB(pid: number): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}
