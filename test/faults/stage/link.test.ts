import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Link, openLink } from './link.js';

let echo: Server;
let link: Link;
const clients: Socket[] = [];
beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  link = await openLink((echo.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await link.close();
  await once(echo.close(), 'close');
});

async function client(): Promise<{ socket: Socket; said: () => string }> {
  const socket = connect(link.port, '127.0.0.1').on('error', () => undefined);
  clients.push(socket);
  let said = '';
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(socket, 'connect');
  return { socket, said: () => said };
}

/** `once` of node:events would take the reset for a failure of the test. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(2);
}

test('an open link passes what is said, both ways', async () => {
  const { socket, said } = await client();
  socket.write('hello');
  await until(() => said() === 'hello');
});

test('a silent link keeps connections and passes nothing until it is open again', async () => {
  const { socket, said } = await client();
  socket.write('before ');
  await until(() => said() === 'before ');
  link.set('silent');
  socket.write('meanwhile');
  const late = await client();
  late.socket.write('late');
  await delay(50);
  expect([said(), late.said(), socket.destroyed]).toEqual(['before ', '', false]);
  link.set('open');
  await until(() => said() === 'before meanwhile' && late.said() === 'late');
});

test('a cut link resets what is connected and what comes', async () => {
  const { socket } = await client();
  link.set('cut');
  await closed(socket);
  const next = connect(link.port, '127.0.0.1').on('error', () => undefined);
  await closed(next);
  link.set('open');
  const { socket: again, said } = await client();
  again.write('again');
  await until(() => said() === 'again');
});

test('a slow link passes everything later', async () => {
  link.set(40);
  const { socket, said } = await client();
  const startMs = performance.now();
  socket.write('slow');
  await until(() => said() === 'slow');
  expect(performance.now() - startMs).toBeGreaterThan(75);
});
