/**
 * A TLS server in a worker: it listens natively, on a socket that nobody knows, and its connections come from the front.
 *
 * Node's servers begin and end much with their own listening: the timeouts of HTTP, `close` and its callback, what keeps
 * the process alive. So the server listens, on a Unix socket whose name is removed at once, and accepts one connection
 * there, of this process to itself. That one is never served. It tells what the server's options make of a connection,
 * and while it is open the server does not end: it goes with the last connection that came from the front.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type ListenOptions, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerPort } from './front-link.js';
import type { WorkerNetwork } from './worker-network.js';

const through = new WeakSet<Server>();

/**
 * Makes `listen` of a server ask the front: its `address()` is the front's. What is called on it stays Node's.
 * Before or after `attach`; the server does not listen yet.
 */
export function listenThrough<S extends Server>(server: S, network: WorkerNetwork): S {
  if (through.has(server)) return server;
  through.add(server);
  new ThroughServer(server, network);
  return server;
}

/** While the server listens. */
interface Listening {
  readonly port: WorkerPort;
  /** The connection to itself, both its ends. */
  readonly inner: Socket;
  readonly outer: Socket;
}

class ThroughServer {
  readonly #server: Server;
  readonly #network: WorkerNetwork;
  readonly #native: Pick<Server, 'listen' | 'close' | 'address' | 'getConnections' | 'ref' | 'unref'>;
  readonly #connections = new Set<Socket>();
  #state: 'closed' | 'opening' | 'listening' | 'closing' = 'closed';
  #listening: Listening | undefined;
  #ref = true;

  constructor(server: Server, network: WorkerNetwork) {
    this.#server = server;
    this.#network = network;
    const { listen, close, address, getConnections, ref, unref } = server;
    this.#native = { listen, close, address, getConnections, ref, unref };
    server.listen = (...args: unknown[]) => {
      this.#listen(args);
      return server;
    };
    server.close = (callback?: (error?: Error) => void) => {
      this.#close(callback);
      return server;
    };
    server.address = () => {
      if (this.#state === 'listening') return this.#listening?.port.address ?? null;
      // One with a path of its own listens without the front.
      return this.#state === 'closed' && server.listening ? this.#native.address.call(server) : null;
    };
    server.getConnections = (callback) => {
      process.nextTick(callback, null, this.#connections.size);
      return server;
    };
    server.ref = () => this.#setRef(true);
    server.unref = () => this.#setRef(false);
  }

  #listen(args: unknown[]): void {
    const { options, callback } = listenArguments(args);
    // A path of its own is no affair of the front's, nor is a server that listens: Node says so.
    if (options.path !== undefined || this.#state !== 'closed') {
      Reflect.apply(this.#native.listen, this.#server, args);
      return;
    }
    if (callback) this.#server.once('listening', callback);
    this.#state = 'opening';
    const close = () => this.#server.close();
    if (options.signal?.aborted) process.nextTick(close);
    else options.signal?.addEventListener('abort', close, { once: true });
    this.#open(options).catch((error: Error) => {
      const closing = this.#state === 'closing';
      this.#state = 'closed';
      if (closing) this.#server.emit('close');
      else this.#server.emit('error', error);
    });
  }

  async #open({ host = '', port = 0, ipv6Only = false, backlog = 0 }: ListenOptions): Promise<void> {
    const opened = await this.#network.link.listen({ host, port: Number(port), ipv6Only, backlog });
    if (this.#state === 'opening') {
      try {
        await this.#listenToItself(opened);
      } catch (error) {
        this.#network.link.receive(opened, { onConnection: undefined });
        throw error;
      }
    } else {
      this.#network.link.receive(opened, { onConnection: undefined });
      this.#state = 'closed';
      this.#server.emit('close');
    }
  }

  async #listenToItself(port: WorkerPort): Promise<void> {
    const { inner, outer } = await this.#connectToItself();
    for (const end of [inner, outer]) end.on('error', () => {}).unref();
    this.#listening = { port, inner, outer };
    const closed = this.#state !== 'opening';
    this.#state = 'listening';
    if (!this.#ref) this.#native.unref.call(this.#server);
    if (closed) {
      this.#close();
      return;
    }
    this.#network.link.receive(port, { onConnection: (socket) => this.#onConnection(socket) });
    this.#network.gone$.subscribe(() => this.#state === 'listening' && this.#server.close());
    this.#server.emit('listening');
  }

  /** What the application hears of listening, it hears when all is there. */
  async #connectToItself(): Promise<Pick<Listening, 'inner' | 'outer'>> {
    const server = this.#server;
    const folder = process.platform === 'win32' ? undefined : mkdtempSync(join(tmpdir(), 'turbotls-'));
    const path = folder ? join(folder, 'listen') : `\\\\.\\pipe\\turbotls-${randomUUID()}`;
    const { emit } = server;
    try {
      return await new Promise((resolve, reject) => {
        let outer: Socket | undefined;
        server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
          if (event === 'listening') outer = connect({ path, allowHalfOpen: true }).on('error', reject);
          else if (event === 'error') reject(args[0]);
          else if (event === 'connection' && outer) resolve({ inner: args[0] as Socket, outer });
          else return Reflect.apply(emit, server, [event, ...args]) as boolean;
          return true;
        };
        this.#native.listen.call(server, { path, exclusive: true });
      });
    } finally {
      server.emit = emit;
      if (folder) rmSync(folder, { recursive: true, force: true });
    }
  }

  #onConnection(socket: Socket): void {
    const { maxConnections } = this.#server;
    if (maxConnections !== undefined && maxConnections > 0 && this.#connections.size >= maxConnections) {
      const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket;
      const data = { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily };
      socket.on('error', () => {}).destroy();
      this.#server.emit('drop', data);
      return;
    }
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#endIfDone();
    });
    const { allowHalfOpen = false } = this.#listening?.inner ?? {};
    socket.allowHalfOpen = allowHalfOpen;
    socket.setNoDelay(true);
    this.#server.emit('connection', socket);
  }

  /** The native server ends with its connection to itself, and that one with the last one of the front's. */
  #close(callback?: (error?: Error) => void): void {
    const listening = this.#listening;
    if (this.#state === 'opening') {
      // As a server that was never open: it will not be.
      this.#state = 'closing';
      this.#server.once('close', () => callback?.());
      return;
    }
    if (this.#state === 'listening' && listening) {
      this.#state = 'closing';
      this.#network.link.receive(listening.port, { onConnection: undefined });
      this.#server.once('close', () => {
        this.#state = 'closed';
        this.#listening = undefined;
      });
      this.#native.close.call(this.#server, callback);
      this.#endIfDone();
      return;
    }
    this.#native.close.call(this.#server, callback);
  }

  #endIfDone(): void {
    if (this.#state !== 'closing' || this.#connections.size > 0) return;
    this.#listening?.inner.destroy();
    this.#listening?.outer.destroy();
  }

  #setRef(ref: boolean): Server {
    this.#ref = ref;
    return ref ? this.#native.ref.call(this.#server) : this.#native.unref.call(this.#server);
  }
}

/** What net.Server's `listen` takes, but for handles. */
function listenArguments(args: unknown[]): { options: ListenOptions; callback: (() => void) | undefined } {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second, third] = args.filter((each) => typeof each !== 'function');
  if (typeof first === 'object' && first !== null) return { options: first as ListenOptions, callback };
  if (typeof first === 'string' && !/^\d+$/.test(first)) return { options: { path: first }, callback };
  const options: ListenOptions = { port: first === undefined ? 0 : Number(first) };
  if (typeof second === 'string') options.host = second;
  const backlog = typeof second === 'number' ? second : third;
  if (typeof backlog === 'number') options.backlog = backlog;
  return { options, callback };
}
