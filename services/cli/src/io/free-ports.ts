import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:net';
import { ConcordatError } from '@concordat/common/domain/errors.js';

/**
 * Below the ports that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere): while a process
 * is being restarted, none of these can take its port, and nobody who keeps knocking there connects to itself.
 */
const [PORT_MIN, PORT_MAX] = [20_000, 32_000];
const TRIES_MAX = 1_000;

/** Ports of the loopback on which nothing listens, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  try {
    for (let tries = 0; held.size < count; tries += 1) {
      if (tries === TRIES_MAX) throw new ConcordatError('INTERNAL', 'no free port was found');
      const port = randomInt(PORT_MIN, PORT_MAX);
      const server = held.has(port) ? undefined : await hold(port);
      if (server) held.set(port, server);
    }
    return [...held.keys()];
  } finally {
    await Promise.all([...held.values()].map((server) => once(server.close(), 'close')));
  }
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** @returns undefined when somebody has it */
async function hold(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return server;
  } catch {
    return undefined;
  }
}
