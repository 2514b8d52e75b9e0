/**
 * A worker's network: what it listens on are the front's ports, so that TurboListener, Engine, `attach` and
 * `createServer` run in a worker unchanged. What it connects to, it connects to itself.
 */
import { EventEmitter } from 'node:events';
import { type AddressInfo, isIPv6, type ListenOptions, type ServerOpts, type Socket } from 'node:net';
import type { Observable } from 'rxjs';
import { type Network, nodeNetwork, type TcpServer, type UdpSocket } from '../platform/network.js';
import { WorkersError } from './errors.js';
import { FrontLink, type FrontLinkOptions, type FrontProcess, type WorkerPort } from './front-link.js';

export type WorkerNetworkOptions = FrontLinkOptions;

/** One for each channel: what comes there is acknowledged once. */
const networks = new WeakMap<FrontProcess, WorkerNetwork>();

export class WorkerNetwork implements Network {
  readonly link: FrontLink;
  readonly connectTcp = nodeNetwork.connectTcp;

  private constructor(process: FrontProcess, options?: WorkerNetworkOptions) {
    this.link = new FrontLink(process, options);
  }

  /**
   * The network of this process, or of whatever process the front is in: the same one each time.
   * @param options of the first call
   * @throws WorkersError ERR_WORKERS_NO_FRONT without an IPC channel
   */
  static of(front: FrontProcess = process, options?: WorkerNetworkOptions): WorkerNetwork {
    let network = networks.get(front);
    if (!network) {
      network = new WorkerNetwork(front, options);
      networks.set(front, network);
    }
    return network;
  }

  /** Messages of the application's, from `Front.tell`. */
  get told$(): Observable<Buffer> {
    return this.link.told$.asObservable();
  }

  /** Says something of the application's to the front, in order with everything else: `Front.told$`. */
  tell(bytes: Uint8Array): void {
    this.link.tell(bytes);
  }

  /**
   * The front wants this worker to end within so many milliseconds: it sends nothing new any more. Perhaps more than once,
   * each with less time; with 0 the worker is to end at once.
   */
  get drain$(): Observable<number> {
    return this.link.drain$.asObservable();
  }

  /** The front is gone, or `close` was called. Servers close by themselves then; connections go on. */
  get gone$(): Observable<void> {
    return this.link.gone$.asObservable();
  }

  /** Connections that came from the front and are open. */
  get connections(): number {
    return this.link.connections;
  }

  /** With the option `held`: the front may send from now on. */
  ready(): void {
    this.link.ready();
  }

  /** Leaves the front. */
  close(): void {
    this.link.close();
  }

  createTcpServer(options: ServerOpts = {}): TcpServer {
    return new SharedTcpServer(this.link, options);
  }

  /** For a port that this worker listens on; a client's sockets are not the front's affair. */
  createUdpSocket(): UdpSocket {
    return new SharedUdpSocket(this.link);
  }
}

class SharedTcpServer extends EventEmitter implements TcpServer {
  readonly #link: FrontLink;
  readonly #options: ServerOpts;
  readonly #connections = new Set<Socket>();
  #state: 'new' | 'opening' | 'listening' | 'closing' | 'closed' = 'new';
  #port: WorkerPort | undefined;
  #ref = true;

  constructor(link: FrontLink, options: ServerOpts) {
    super();
    this.#link = link;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#state === 'listening';
  }

  listen({ host = '', port = 0, ipv6Only = false, backlog = 0, signal }: ListenOptions): this {
    this.#state = 'opening';
    const asked = { host, port, ipv6Only, backlog };
    this.#link.listen(asked).then(
      (opened) => this.#open(opened),
      (error: Error) => {
        this.#state = 'closed';
        this.emit('error', error);
      },
    );
    const close = () => this.close();
    if (signal?.aborted) process.nextTick(close);
    else signal?.addEventListener('abort', close, { once: true });
    return this;
  }

  address(): AddressInfo | null {
    return this.listening && this.#port ? this.#port.address : null;
  }

  close(callback?: (error?: Error) => void): this {
    if (this.#state !== 'listening' && this.#state !== 'opening') {
      process.nextTick(() => callback?.(new WorkersError('ERR_WORKERS_STATE', 'the server is not listening')));
      return this;
    }
    if (callback) this.once('close', callback);
    const port = this.#port;
    this.#port = undefined;
    this.#state = 'closing';
    if (port) {
      this.#link.receive(port, { onConnection: undefined });
      if (this.#ref) this.#link.hold(-1);
    }
    process.nextTick(() => this.#closeIfDone());
    return this;
  }

  ref(): this {
    return this.#setRef(true);
  }

  unref(): this {
    return this.#setRef(false);
  }

  #setRef(ref: boolean): this {
    if (ref !== this.#ref && this.#port) this.#link.hold(ref ? 1 : -1);
    this.#ref = ref;
    return this;
  }

  #open(port: WorkerPort): void {
    if (this.#state !== 'opening') {
      this.#link.receive(port, { onConnection: undefined });
      return;
    }
    this.#state = 'listening';
    this.#port = port;
    if (this.#ref) this.#link.hold(1);
    this.#link.receive(port, { onConnection: (socket) => this.#onConnection(socket) });
    this.#link.gone$.subscribe(() => this.listening && this.close());
    this.emit('listening');
  }

  #onConnection(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#closeIfDone();
    });
    socket.allowHalfOpen = this.#options.allowHalfOpen === true;
    if (this.#options.noDelay) socket.setNoDelay(true);
    this.emit('connection', socket);
  }

  #closeIfDone(): void {
    if (this.#state !== 'closing' || this.#connections.size > 0) return;
    this.#state = 'closed';
    this.emit('close');
  }
}

class SharedUdpSocket extends EventEmitter implements UdpSocket {
  readonly #link: FrontLink;
  #port: WorkerPort | undefined;
  #closed = false;

  constructor(link: FrontLink) {
    super();
    this.#link = link;
  }

  bind({ address = '', port = 0 }: { address?: string; port?: number }, callback?: () => void): this {
    if (callback) this.once('listening', callback);
    process.nextTick(() => this.#open(address, port));
    return this;
  }

  /** Clients have sockets of their own. */
  connect(_port: number, _address: string, callback?: (error?: Error) => void): void {
    const error = new WorkersError('ERR_WORKERS_ADDRESS', 'a UDP socket of the front is for a server');
    process.nextTick(() => callback?.(error));
  }

  send(message: Uint8Array, ...rest: unknown[]): void {
    const [port, address, callback] = rest as [number, string, ((error: Error | null) => void)?];
    if (this.#port) this.#link.sendDatagram(this.#port.id, message, address, port);
    if (callback) process.nextTick(callback, null);
  }

  address(): AddressInfo {
    if (!this.#port) throw new WorkersError('ERR_WORKERS_ADDRESS', 'the UDP socket is not bound');
    return this.#port.address;
  }

  close(callback?: () => void): this {
    if (callback) this.once('close', callback);
    if (this.#closed) return this;
    this.#closed = true;
    if (this.#port) this.#link.receive(this.#port, { onDatagram: undefined });
    this.#port = undefined;
    process.nextTick(() => this.emit('close'));
    return this;
  }

  /** The TCP server keeps the process alive. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #open(address: string, port: number): void {
    if (this.#closed) return;
    const found = this.#link.portAt(address, port);
    if (!found || found.udpFailure) {
      const missing = new WorkersError('ERR_WORKERS_ADDRESS', `${address}:${port} is not listened on over TCP`);
      this.emit('error', found?.udpFailure ?? missing);
      return;
    }
    this.#port = found;
    const family = isIPv6(found.address.address) ? 'IPv6' : 'IPv4';
    const bound = this.#link.bind(found, (payload, from, number) => {
      this.emit('message', payload, { address: from, family, port: number, size: payload.length });
    });
    bound.then(() => this.#closed || this.emit('listening'));
  }
}
