/** LocalProxies for tests, with what they reported, and TLS servers behind them; `closeRigs` closes what a test left. */
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { createServer, PathMemory, type ServerOptions, type TurboServer } from '../../src/experimental.js';
import { LocalProxy, type ProxyConnection, type ProxyEvent, type ProxyPlan } from '../../src/gateway/local-proxy.js';
import type { RemoteOptions } from '../../src/gateway/proxy/remote.js';
import type { HostAddress, PathAddress } from '../../src/transport.js';

export interface ProxyRig {
  proxy: LocalProxy;
  addresses: (HostAddress | PathAddress)[];
  /** Of the first address. */
  port: number;
  events: ProxyEvent[];
  /** The connections that are over, once there are so many. */
  ends(count: number): Promise<ProxyConnection[]>;
  /** The clients that were refused, once there are so many. */
  refusals(count: number): Promise<(ProxyEvent & { type: 'refused' })[]>;
}

type PartialPlan = Partial<ProxyPlan> & Pick<ProxyPlan, 'to'>;

const closers: (() => Promise<unknown>)[] = [];

/** Transparent on a free port of 127.0.0.1, unless told otherwise; its memory of paths is its own. */
export async function startProxy(
  plan: PartialPlan,
  turbo: Omit<RemoteOptions, 'firstContact'> = {},
): Promise<ProxyRig> {
  const events: ProxyEvent[] = [];
  const heard = new Set<() => void>();
  const onEvent = (event: ProxyEvent) => {
    events.push(event);
    for (const listener of heard) listener();
  };
  const proxy = new LocalProxy(
    { listen: [{ host: '127.0.0.1', port: 0 }], backups: [], mode: { kind: 'transparent' }, ...plan },
    // A busy machine must not count as a path without UDP.
    { onEvent, turbo: { memory: new PathMemory(), limits: { graceMinMs: 1_000 }, ...turbo } },
  );
  closers.push(() => proxy.close());
  const addresses = await proxy.start();
  async function wait<T extends ProxyEvent['type']>(type: T, count: number) {
    const found = () => events.filter((event): event is ProxyEvent & { type: T } => event.type === type);
    while (found().length < count) {
      await new Promise<void>((resolve) => {
        const listener = () => {
          heard.delete(listener);
          resolve();
        };
        heard.add(listener);
      });
    }
    return found();
  }
  return {
    proxy,
    addresses,
    port: (addresses[0] as Partial<HostAddress>).port ?? 0,
    events,
    ends: (count) => wait('connection-end', count),
    refusals: (count) => wait('refused', count),
  };
}

export interface TlsRig {
  server: TurboServer;
  host: string;
  port: number;
}

/** A TLS server with a TurboTLS port; it echoes, unless told otherwise. */
export async function startTls(
  options: ServerOptions,
  serve: (socket: TLSSocket) => void = echo,
  listen: { host: string; port: number } = { host: '127.0.0.1', port: 0 },
): Promise<TlsRig> {
  const server = createServer(options, (socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  server.on('tlsClientError', () => {});
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await listenOnBoth(server, listen);
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  const { address, port } = server.address() as AddressInfo;
  return { server, host: address, port };
}

/** On another number where UDP has given the one that TCP got to somebody else. */
async function listenOnBoth(server: TurboServer, listen: { host: string; port: number }): Promise<void> {
  const errors: (Error & { retryable?: boolean })[] = [];
  const onError = (error: Error) => errors.push(error);
  server.on('error', onError);
  server.listen(listen);
  while (errors.length === 0 && (!server.listening || server.turbo?.address() === null)) {
    await new Promise(setImmediate);
  }
  server.off('error', onError);
  const [error] = errors;
  if (error?.retryable && listen.port === 0) await listenOnBoth(server, listen);
  else if (error) throw error;
}

export function echo(socket: Duplex): void {
  socket.pipe(socket);
}

export async function closeRigs(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
