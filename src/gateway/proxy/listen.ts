/** The addresses that a local proxy listens on. */
import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { HostAddress, PathAddress } from '../../transport.js';
import { GatewayError } from '../errors.js';
import type { ProxyClient } from './events.js';

export interface Listener {
  server: Server;
  address: HostAddress | PathAddress;
}

export type OnClient = (socket: Socket, client: ProxyClient) => void;

/** With port 0, how often another number is tried where one of localhost's addresses has the other's. */
const PORT_TRIES = 16;

/** What a machine says that has no IPv6. */
const NO_SUCH_ADDRESS: readonly unknown[] = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

/**
 * Listens on an address; on both of localhost's.
 * @throws GatewayError ERR_GATEWAY_LISTEN (cause: the socket's error)
 */
export async function listenOn(address: HostAddress | PathAddress, onClient: OnClient): Promise<Listener[]> {
  if ('path' in address) return [await listenOnPath(address.path, onClient)];
  if (address.host !== 'localhost') return [await listen(address, onClient)];
  for (let tries = 1; ; tries++) {
    const first = await listen({ host: '127.0.0.1', port: address.port }, onClient);
    try {
      const second = await listen({ host: '::1', port: (first.address as HostAddress).port }, onClient);
      return [first, second];
    } catch (error) {
      const { code } = (error as GatewayError).cause as NodeJS.ErrnoException;
      if (NO_SUCH_ADDRESS.includes(code)) return [first];
      closeAll([first]);
      if (code !== 'EADDRINUSE' || address.port !== 0 || tries === PORT_TRIES) throw error;
    }
  }
}

/** Closes them to new clients. */
export function closeAll(listeners: readonly Listener[]): void {
  for (const { server } of listeners) server.close();
}

/** A file that a process left behind which is no more is in nobody's way. */
async function listenOnPath(path: string, onClient: OnClient): Promise<Listener> {
  try {
    return await listen({ path }, onClient);
  } catch (error) {
    if (!(await isAbandoned(path))) throw error;
    await unlink(path);
    return await listen({ path }, onClient);
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined);
  // To connect to a file that is no socket is refused too.
  return stat?.isSocket() === true && (await nobodyAnswers(path));
}

function nobodyAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}

async function listen(options: HostAddress | PathAddress, onClient: OnClient): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    onClient(socket, clientOf(socket, options)),
  );
  try {
    server.listen(options satisfies ListenOptions);
    await once(server, 'listening');
  } catch (error) {
    throw new GatewayError('ERR_GATEWAY_LISTEN', describe(options), { cause: error });
  }
  server.on('error', () => {}); // a client that could not be accepted (too many files are open): it tries again
  return {
    server,
    address: 'path' in options ? options : { ...options, port: (server.address() as AddressInfo).port },
  };
}

function clientOf({ remoteAddress, remotePort }: Socket, address: HostAddress | PathAddress): ProxyClient {
  return 'path' in address ? address : { address: remoteAddress ?? '', port: remotePort ?? 0 };
}

function describe(address: HostAddress | PathAddress): string {
  return 'path' in address ? address.path : `${address.host}:${address.port}`;
}
