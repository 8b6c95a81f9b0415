import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/**
 * What a link does. `open`: passes everything. `cut`: resets what is connected and refuses what comes. `silent`: keeps every
 * connection and passes nothing, as a cable that was pulled. A number: passes everything so many ms later.
 */
export type LinkState = 'open' | 'cut' | 'silent' | number;

/** One way from a member to a broker: connections on the loopback that pass through this process. */
export interface Link {
  readonly port: number;
  set(state: LinkState): void;
  close(): Promise<void>;
}

/** @param target the port on the loopback to which everything goes */
export async function openLink(target: number): Promise<Link> {
  const sockets = new Set<Socket>();
  let state: LinkState = 'open';

  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (chunk: Buffer) => {
      const pass = (): void => {
        const hasRoom = to.write(chunk);
        if (!hasRoom) to.once('drain', () => flow(from));
        else flow(from);
      };
      from.pause();
      if (typeof state === 'number') setTimeout(pass, state);
      else pass();
    });
    from.on('end', () => to.end());
  };
  const flow = (socket: Socket): void => {
    if (state !== 'silent') socket.resume();
  };
  const join = (client: Socket): void => {
    if (state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    const end = (): void => {
      for (const socket of [client, server]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.pause();
    server.once('connect', () => {
      forward(client, server);
      forward(server, client);
      for (const socket of [client, server]) {
        if (state === 'silent') socket.pause();
        else socket.resume();
      }
    });
  };
  const listener = createServer({ allowHalfOpen: true }, join);
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const { port } = listener.address() as AddressInfo;

  return {
    port,
    set: (next) => {
      state = next;
      for (const socket of [...sockets]) {
        if (next === 'cut') socket.resetAndDestroy();
        else if (next === 'silent') socket.pause();
        else if (!socket.connecting) socket.resume();
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await once(listener.close(), 'close');
    },
  };
}
