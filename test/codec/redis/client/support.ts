/** What the tests of the Redis client share. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { filter, firstValueFrom } from 'rxjs';
import { RedisClient, type RedisClientOptions } from '../../../../src/codec/redis/index.js';
import { type RedisOptions, type RedisServer, requirePart, startRedis } from '../../../servers/index.js';

/** Starting a server takes longer than a test may. */
export const SERVER_TIMEOUT_MS = 60_000;

const clients = new Set<RedisClient>();
const servers = new Set<Server>();
const sockets = new Set<Socket>();

/** As RedisClient.open, destroyed by `closeAll`. */
export function open(target: string | RedisClientOptions, options?: RedisClientOptions): RedisClient {
  const client = RedisClient.open(target, options);
  clients.add(client);
  return client;
}

/** The same, once it is ready. */
export async function connect(target: string | RedisClientOptions, options?: RedisClientOptions): Promise<RedisClient> {
  const client = open(target, options);
  await client.ready;
  return client;
}

/** A TCP server of its own, for what no Redis says. Its URL. */
export async function serve(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** For afterEach. */
export async function closeAll(): Promise<void> {
  for (const client of clients) client.destroy();
  clients.clear();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  const open = [...servers];
  servers.clear();
  await Promise.all(open.map((server) => new Promise((resolve) => server.close(resolve))));
}

/** A server for a whole describe. */
export function redisServer(options?: RedisOptions | (() => Promise<RedisOptions>)): { readonly it: RedisServer } {
  let server: RedisServer | undefined;
  before(async function () {
    this.timeout(SERVER_TIMEOUT_MS);
    requirePart(this, 'redis-server');
    server = await startRedis(typeof options === 'function' ? await options() : options);
  });
  after(() => server?.stop());
  return {
    get it() {
      if (!server) throw new Error('no server');
      return server;
    },
  };
}

export function urlOf({ port }: RedisServer, { user = '', path = '' } = {}): string {
  return `redis://${user && `${user}@`}127.0.0.1:${port}${path}`;
}

export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; retryable?: boolean }> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  if ('error' in outcome) return outcome.error;
  expect.fail(`resolved: ${String(outcome.value)}`);
}

export async function untilState(client: RedisClient, name: RedisClient['state']['name']): Promise<void> {
  await firstValueFrom(client.state$.pipe(filter((state) => state.name === name)));
}
