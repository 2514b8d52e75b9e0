/** Backends for tests: sockets that follow a script, and plans that lead to them. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { expect } from 'chai';
import { type BackendConnection, BackendPool, type ClientInfo } from '../../../src/gateway/backend/index.js';
import type { BackendPoolOptions } from '../../../src/gateway/backend/pool.js';
import type { BackendPlan, BackendTls } from '../../../src/gateway/plan.js';
import type { HostAddress } from '../../../src/transport.js';

export const CLIENT: ClientInfo = {
  address: '203.0.113.9',
  port: 50_000,
  localAddress: '198.51.100.1',
  localPort: 443,
  serverName: 'db.example.com',
  alpn: undefined,
  tls: undefined,
};

export const NO_TLS: BackendTls = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  serverName: undefined,
  alpn: [],
  verify: true,
};

export function planFor(targets: readonly HostAddress[], changes: Partial<BackendPlan> = {}): BackendPlan {
  return {
    targets,
    balance: 'round-robin',
    transport: 'plain',
    tls: undefined,
    proxyProtocol: false,
    connectTimeoutMs: 5_000,
    health: undefined,
    ...changes,
  };
}

/** A server of a test, with the connections that it has now. */
export interface Scripted {
  readonly address: HostAddress;
  readonly sockets: Set<Socket>;
  /** How many came in all. */
  accepted: number;
  /** Ends what is open; then its port refuses, until `open`. */
  close(): Promise<void>;
  /** On the same port. */
  open(): Promise<void>;
}

/** What a test has opened, to be closed behind it. */
export class Rig {
  readonly #closers: (() => unknown)[] = [];

  /** Call within `describe`. */
  static use(): Rig {
    const rig = new Rig();
    afterEach(() => rig.#close());
    return rig;
  }

  /** Called behind the test, in the opposite order. */
  onClose(closer: () => unknown): void {
    this.#closers.push(closer);
  }

  async #close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** A pool of these targets. */
  pool(targets: readonly (Scripted | HostAddress)[], changes?: Partial<BackendPlan>, options?: BackendPoolOptions) {
    const addresses = targets.map((target) => ('address' in target ? target.address : target));
    const pool = new BackendPool(planFor(addresses, changes), options);
    this.onClose(() => pool.close());
    return pool;
  }

  /** A connection that is over with the test. */
  async dial(pool: BackendPool, client: Partial<ClientInfo> = {}, signal = never()): Promise<BackendConnection> {
    const connection = await pool.dial({ ...CLIENT, ...client }, signal);
    this.onClose(() => {
      connection.stream.destroy();
      connection.release();
    });
    return connection;
  }

  /** A TCP server on 127.0.0.1. */
  serve(onConnection: (socket: Socket) => void = echo): Promise<Scripted> {
    return this.#listen(createServer({ allowHalfOpen: true }, onConnection));
  }

  serveTls(options: TlsOptions, onConnection: (socket: TLSSocket) => void = echo): Promise<Scripted> {
    const server = createTlsServer(options, (socket) => {
      socket.on('error', () => {});
      onConnection(socket);
    });
    server.on('tlsClientError', () => {});
    return this.#listen(server);
  }

  async #listen(server: Server): Promise<Scripted> {
    let port = 0;
    const sockets = new Set<Socket>();
    const scripted = { sockets, accepted: 0 } as Scripted;
    server.on('connection', (socket: Socket) => {
      scripted.accepted++;
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
    });
    scripted.open = async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
    };
    scripted.close = async () => {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    };
    await scripted.open();
    this.onClose(() => scripted.close());
    return Object.assign(scripted, { address: { host: '127.0.0.1', port } });
  }

  /** Files of these texts, by name; their paths. */
  files<Name extends string>(texts: Readonly<Record<Name, string>>): Record<Name, string> {
    const folder = mkdtempSync(join(tmpdir(), 'turbotls-backend-'));
    this.onClose(() => rmSync(folder, { recursive: true }));
    const entries = Object.entries<string>(texts).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return [name, path];
    });
    return Object.fromEntries(entries);
  }
}

export function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Says nothing, and ends with its peer. */
export function listen(socket: Socket): void {
  socket.resume().once('end', () => socket.end());
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

/** What it is rejected with. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & { code?: unknown; cause?: Error & { code?: unknown } }> {
  return promise.then(
    () => expect.fail('it is not rejected'),
    (error) => error,
  );
}

/** Waits until it holds; fails after 5 s. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 5_000; !holds(); await delay(2)) {
    if (Date.now() > deadline) expect.fail(`${what}: not in 5 s`);
  }
}

/** Sends a text and gets as many bytes back. */
export async function ping({ stream }: BackendConnection, text = 'ping'): Promise<string> {
  stream.write(text);
  let answer = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    answer += chunk;
    if (answer.length >= text.length) return answer;
  }
  return answer;
}
