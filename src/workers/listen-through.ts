/**
 * A TLS server in a worker: it listens natively, on a socket that nobody knows, and its connections come from the front.
 *
 * Node's servers begin and end much with their own listening: the timeouts of HTTP, `close` and its callback, what keeps
 * the process alive. So the server listens, on a Unix socket whose name is removed at once, and accepts one connection
 * there, of this process to itself. That one is never served. It tells what the server's options make of a connection,
 * and while it is open the server does not end: it goes with the last connection that came from the front.
 */
import { randomUUID } from 'node:crypto';
import type { SocketOptions } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type ListenOptions, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subscription } from 'rxjs';
import { nodeNetwork, type UdpSocket } from '../platform/network.js';
import { WorkersError } from './errors.js';
import type { WorkerPort } from './front-link.js';
import type { WorkerNetwork } from './worker-network.js';

const through = new WeakSet<Server>();

/**
 * Makes `listen` of a server ask the front: its `address()` is the front's. What is called on it stays Node's.
 * Before or after `attach`; the server does not listen yet.
 */
export function listenThrough<S extends Server>(server: S, network: WorkerNetwork): S {
  if (!through.has(server)) new ThroughServer(() => network).take(server);
  return server;
}

/** While the server listens. */
interface Listening {
  readonly port: WorkerPort;
  /** The connection to itself, both its ends. */
  readonly inner: Socket;
  readonly outer: Socket;
  /** Of the front's end. */
  readonly gone: Subscription;
}

type Native = Pick<Server, 'listen' | 'close' | 'address' | 'getConnections' | 'ref' | 'unref'>;

export class ThroughServer {
  /** The front's, from the first `listen` on. */
  readonly #join: () => WorkerNetwork | Promise<WorkerNetwork>;
  readonly #explain: (error: Error) => Error;
  #network: WorkerNetwork | undefined;
  #server!: Server;
  #native!: Native;
  readonly #connections = new Set<Socket>();
  #state: 'closed' | 'opening' | 'listening' | 'closing' = 'closed';
  #listening: Listening | undefined;
  /** The `listen` that counts: an earlier one was closed while it waited for the front. */
  #attempt: object | undefined;
  /** They ask the front one after the other. */
  #attempts = Promise.resolve();
  /** It listens, or did, with `exclusive`: on a port of this process's own. */
  #exclusive = false;
  #ref = true;
  #udpClosed: Promise<void> = Promise.resolve();

  /** @param explain says more of an error of the front's */
  constructor(join: () => WorkerNetwork | Promise<WorkerNetwork>, explain: (error: Error) => Error = (error) => error) {
    this.#join = join;
    this.#explain = explain;
  }

  /** Whether the server has a port of the front's. */
  get listening(): boolean {
    return this.#state === 'listening';
  }

  /** Resolves when the UDP socket is closed, too: one that is being bound is closed later than its server. */
  get udpClosed(): Promise<void> {
    return this.#udpClosed;
  }

  /** From here on the server listens through the front. */
  take(server: Server): void {
    through.add(server);
    const { listen, close, address, getConnections, ref, unref } = server;
    this.#server = server;
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
      if (this.#state === 'closed') return this.#native.getConnections.call(server, callback);
      process.nextTick(callback, null, this.#connections.size);
      return server;
    };
    server.ref = () => this.#setRef(true);
    server.unref = () => this.#setRef(false);
    server.prependListener('close', () => {
      if (this.#state === 'listening') return;
      this.#listening = undefined;
      if (this.#state === 'closing') this.#state = 'closed';
    });
  }

  /**
   * The socket beside the server's TCP port: the front's, or of this process where that one is.
   * @throws WorkersError ERR_WORKERS_STATE where the TCP port is neither
   */
  createUdpSocket(options: SocketOptions): UdpSocket {
    if (this.#state === 'listening' && this.#network) {
      const socket = this.#network.createUdpSocket();
      this.#udpClosed = new Promise((resolve) => socket.on('close', resolve));
      return socket;
    }
    if (this.#exclusive) return nodeNetwork.createUdpSocket(options);
    throw new WorkersError(
      'ERR_WORKERS_STATE',
      'the server listens on what is not the front’s: call attach before listen, and listen on a port',
    );
  }

  #listen(args: unknown[]): void {
    const { options, callback } = listenArguments(args);
    if (this.#state === 'opening') throw alreadyListens();
    // What Node refuses, it refuses in its own words: a server that listens, or a port that is none.
    if (!options || options.exclusive || this.#state === 'listening' || this.#listensAlone) {
      Reflect.apply(this.#native.listen, this.#server, args);
      this.#exclusive = options?.exclusive === true;
      if (this.#state !== 'closing') return;
      this.#state = 'closed';
      this.#endConnectionToItself();
      return;
    }
    if (callback) this.#server.once('listening', callback);
    this.#state = 'opening';
    const close = () => this.#server.close();
    if (options.signal?.aborted) process.nextTick(close);
    else options.signal?.addEventListener('abort', close, { once: true });
    const attempt = {};
    this.#attempt = attempt;
    this.#attempts = this.#attempts.then(() => this.#open(attempt, options));
  }

  /** On a path of its own, or on a port of this process's. */
  get #listensAlone(): boolean {
    return this.#state === 'closed' && this.#server.listening;
  }

  /** Never rejects. */
  async #open(attempt: object, asked: ListenOptions): Promise<void> {
    if (this.#attempt !== attempt) return;
    const { host = '', port = 0, ipv6Only = false, backlog = 0 } = asked;
    let opened: WorkerPort | undefined;
    try {
      this.#network = await this.#join();
      opened = await this.#network.link.listen({ host, port, ipv6Only, backlog });
      if (this.#attempt === attempt) await this.#listenToItself(attempt, opened, this.#network);
      else this.#leave(opened);
    } catch (error) {
      if (opened) this.#leave(opened);
      if (this.#attempt !== attempt) return;
      this.#stopOpening();
      const told = this.#explain(error as Error);
      if ('syscall' in told) Object.assign(told, { ...(host && { address: host }), port });
      process.nextTick(() => this.#server.emit('error', told));
    }
  }

  async #listenToItself(attempt: object, port: WorkerPort, network: WorkerNetwork): Promise<void> {
    const { inner, outer } = await this.#connectToItself();
    for (const end of [inner, outer]) end.on('error', () => {}).unref();
    if (this.#attempt !== attempt) {
      this.#leave(port);
      await this.#closeUnheard(inner, outer);
      return;
    }
    this.#endConnectionToItself();
    const gone = network.gone$.subscribe(() => this.#server.close());
    this.#listening = { port, inner, outer, gone };
    this.#attempt = undefined;
    this.#state = 'listening';
    if (!this.#ref) this.#native.unref.call(this.#server);
    network.link.receive(port, { onConnection: (socket) => this.#onConnection(socket) });
    process.nextTick(() => this.listening && this.#server.emit('listening'));
  }

  /** What the application hears of listening, it hears when all is there. */
  async #connectToItself(): Promise<{ inner: Socket; outer: Socket }> {
    const server = this.#server;
    const folder = process.platform === 'win32' ? undefined : mkdtempSync(join(tmpdir(), 'turbotls-'));
    const path = folder ? join(folder, 'listen') : `\\\\.\\pipe\\turbotls-${randomUUID()}`;
    const { maxConnections } = server;
    let release = () => {};
    try {
      return await new Promise((resolve, reject) => {
        let outer: Socket | undefined;
        release = this.#intercept({
          listening: () => {
            outer = connect({ path, allowHalfOpen: true }).on('error', reject);
          },
          error: reject,
          connection: (inner) => outer && resolve({ inner: inner as Socket, outer }),
        });
        // It counts the front's connections, not this one.
        server.maxConnections = Number.POSITIVE_INFINITY;
        this.#native.listen.call(server, { path, exclusive: true });
      });
    } finally {
      release();
      server.maxConnections = maxConnections;
      if (folder) rmSync(folder, { recursive: true, force: true });
    }
  }

  /** It was closed, for all who listen to it, before it listened to itself. */
  async #closeUnheard(inner: Socket, outer: Socket): Promise<void> {
    let release = () => {};
    await new Promise<void>((resolve) => {
      release = this.#intercept({ close: () => resolve() });
      this.#native.close.call(this.#server);
      inner.destroy();
      outer.destroy();
    });
    release();
  }

  /** Events of these names go to the handlers alone, until what is returned is called. */
  #intercept(handlers: Record<string, (first: unknown) => void>): () => void {
    const server = this.#server;
    const { emit } = server;
    server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      const handler = typeof event === 'string' ? handlers[event] : undefined;
      if (!handler) return Reflect.apply(emit, server, [event, ...args]) as boolean;
      handler(args[0]);
      return true;
    };
    return () => {
      server.emit = emit;
    };
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
    if (this.#state === 'opening') {
      // As a server that was never open: it will not be.
      if (callback) this.#server.once('close', () => callback());
      this.#stopOpening();
      if (!this.#listening) process.nextTick(() => this.#server.emit('close'));
      return;
    }
    if (this.#state === 'listening' && this.#listening) {
      this.#state = 'closing';
      this.#listening.gone.unsubscribe();
      this.#leave(this.#listening.port);
    }
    this.#native.close.call(this.#server, callback);
    this.#endIfDone();
  }

  /** To what it was before: it may have connections of an earlier time. */
  #stopOpening(): void {
    this.#attempt = undefined;
    this.#state = this.#listening ? 'closing' : 'closed';
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#state === 'closing' && this.#connections.size === 0) this.#endConnectionToItself();
  }

  #endConnectionToItself(): void {
    this.#listening?.inner.destroy();
    this.#listening?.outer.destroy();
  }

  #leave(port: WorkerPort): void {
    this.#network?.link.receive(port, { onConnection: undefined });
  }

  #setRef(ref: boolean): Server {
    this.#ref = ref;
    return ref ? this.#native.ref.call(this.#server) : this.#native.unref.call(this.#server);
  }
}

/** net.Server's own. */
function alreadyListens(): Error {
  const message = 'Listen method has been called more than once without closing.';
  return Object.assign(new Error(message), { code: 'ERR_SERVER_ALREADY_LISTEN' });
}

/** What net.Server's `listen` takes; no options where it is no TCP port that it could listen on. */
function listenArguments(args: unknown[]): {
  options: (ListenOptions & { port: number }) | undefined;
  callback: (() => void) | undefined;
} {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second, third] = args.filter((each) => typeof each !== 'function');
  let options: ListenOptions & { fd?: number; _handle?: unknown } = {};
  if (typeof first === 'object' && first !== null) {
    options = first;
    // A handle, a descriptor or a path, and no port: Node knows.
    if (!('port' in options) || '_handle' in options || 'handle' in options) return { options: undefined, callback };
  } else {
    options.port = first as number;
    if (typeof second === 'string') options.host = second;
    const backlog = typeof second === 'number' ? second : third;
    if (typeof backlog === 'number') options.backlog = backlog;
  }
  const port = portOf(options.port ?? 0);
  return { options: port === undefined ? undefined : { ...options, port }, callback };
}

function portOf(port: unknown): number | undefined {
  if (typeof port !== 'number' && (typeof port !== 'string' || port.trim() === '')) return undefined;
  const number = Number(port);
  return Number.isInteger(number) && number >= 0 && number <= 65_535 ? number : undefined;
}
