/** TCP sockets and servers of the virtual network, with the manners of net.Socket and net.Server. */
import { EventEmitter } from 'node:events';
import {
  type AddressInfo,
  isIP,
  type ListenOptions,
  type LookupFunction,
  type ServerOpts,
  type TcpNetConnectOpts,
} from 'node:net';
import { addAbortSignal, Duplex } from 'node:stream';
import type { TcpServer, TcpSocket } from '../../src/platform/network.js';
import { type Endpoint, familyOf, formatEndpoint, normalizeAddress } from './address.js';
import { nodeError, systemError } from './errors.js';
import type { TcpListener, VirtualHost } from './host.js';
import type { OpenSocket, Registered, VirtualNetwork } from './network.js';
import { type EndpointOwner, TcpEndpoint } from './tcp-endpoint.js';

/** Node: net.getDefaultAutoSelectFamilyAttemptTimeout(). */
const ATTEMPT_TIMEOUT_MS = 250;

type WriteCallback = (error?: Error | null) => void;

interface SocketSettings {
  allowHalfOpen?: boolean | undefined;
  highWaterMark?: number | undefined;
  signal?: AbortSignal | undefined;
}

export class VirtualTcpSocket extends Duplex implements TcpSocket, Registered {
  connecting = false;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #net: VirtualNetwork;
  #endpoint: TcpEndpoint | undefined;
  #isWanted = false;
  #isPulling = false;
  #isReferenced = true;
  readonly #owner: EndpointOwner = {
    connected: () => this.#connected(),
    readable: () => this.#pull(),
    failed: (error) => (this.#onFailure === undefined ? this.destroy(error) : this.#onFailure(error)),
  };
  /** What the attempt under way does about its failure. */
  #onFailure: ((error: NodeJS.ErrnoException) => void) | undefined;
  #endAttempt: (() => void) | undefined;

  /** Use `host.connectTcp` or a server's `connection`. */
  constructor(net: VirtualNetwork, options: SocketSettings) {
    super({
      allowHalfOpen: options.allowHalfOpen ?? false,
      emitClose: false,
      ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
    });
    this.#net = net;
    net.register(this);
    if (options.signal !== undefined) addAbortSignal(options.signal, this);
  }

  get remoteAddress(): string | undefined {
    return this.#established?.remote.address;
  }

  get remotePort(): number | undefined {
    return this.#established?.remote.port;
  }

  get remoteFamily(): string | undefined {
    return this.#established && familyOf(this.#established.remote.address);
  }

  get localAddress(): string | undefined {
    return this.#established?.local.address;
  }

  get localPort(): number | undefined {
    return this.#established?.local.port;
  }

  get localFamily(): string | undefined {
    return this.#established && familyOf(this.#established.local.address);
  }

  address(): AddressInfo | Record<string, never> {
    if (this.#established === undefined) return {};
    const { address, port } = this.#established.local;
    return { address, port, family: familyOf(address) };
  }

  setNoDelay(_noDelay?: boolean): this {
    return this;
  }

  setKeepAlive(_enable?: boolean, _initialDelay?: number): this {
    return this;
  }

  ref(): this {
    return this.#reference(true);
  }

  unref(): this {
    return this.#reference(false);
  }

  /** Ends the connection with RST; while connecting, once it is connected. */
  resetAndDestroy(): this {
    if (this.connecting && !this.destroyed) {
      this.once('connect', () => this.resetAndDestroy());
    } else if (this.#endpoint === undefined) {
      this.destroy(nodeError('ERR_SOCKET_CLOSED', 'Socket is closed'));
    } else {
      this.#endpoint.reset();
      this.destroy();
    }
    return this;
  }

  /** @internal Starts to connect. */
  dial(host: VirtualHost, options: TcpNetConnectOpts): this {
    this.connecting = true;
    const name = options.host ?? 'localhost';
    const attempt = (addresses: readonly string[]) => this.#attempt(host, options, addresses, []);
    if (isIP(name) !== 0) {
      process.nextTick(attempt, [name]);
    } else {
      this.#lookup(name, options, attempt);
    }
    return this;
  }

  /** @internal A connection that a server accepted. */
  adopt(endpoint: TcpEndpoint): this {
    this.#endpoint = endpoint;
    endpoint.owner = this.#owner;
    return this;
  }

  /** @internal Sockets read ahead before anybody listens, as net.Socket does. */
  startReading(): void {
    if (!this.destroyed && !this.isPaused()) this.read(0);
  }

  /** @internal */
  get referenced(): boolean {
    return this.#isReferenced;
  }

  /** @internal */
  describe(): OpenSocket {
    const local = this.#endpoint?.local;
    const remote = this.#endpoint?.remote;
    return {
      kind: 'tcp',
      local: local === undefined ? '' : formatEndpoint(local.address, local.port),
      remote: remote && formatEndpoint(remote.address, remote.port),
    };
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pull();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#whenConnected(callback, () => {
      this.bytesWritten += chunk.length;
      if (this.#endpoint === undefined) callback(systemError('EPIPE', 'write'));
      else this.#endpoint.write(chunk, callback);
    });
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], callback: WriteCallback): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', callback);
  }

  override _final(callback: WriteCallback): void {
    this.#whenConnected(callback, () => {
      this.#endpoint?.shutdown();
      process.nextTick(callback);
    });
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.connecting = false;
    this.#endAttempt?.();
    this.#endpoint?.close();
    this.#net.unregister(this);
    callback(error);
    // Later than the error, as the handle of net.Socket closes.
    setImmediate(() => this.emit('close', error !== null));
  }

  #connected(): void {
    this.#endAttempt?.();
    this.connecting = false;
    this.emit('connect');
    this.emit('ready');
    this.startReading();
  }

  get #established(): TcpEndpoint | undefined {
    return this.connecting || this.destroyed ? undefined : this.#endpoint;
  }

  #pull(): void {
    if (this.#isPulling) return;
    this.#isPulling = true;
    while (this.#isWanted && !this.destroyed) {
      const chunk = this.connecting ? undefined : this.#endpoint?.take();
      if (chunk === undefined) break;
      this.bytesRead += chunk?.length ?? 0;
      // Reset before the push, within which somebody may ask for more.
      this.#isWanted = false;
      if (this.push(chunk)) this.#isWanted = true;
      if (chunk === null) this.read(0);
    }
    this.#isPulling = false;
  }

  #whenConnected(callback: WriteCallback, action: () => void): void {
    if (!this.connecting) {
      action();
      return;
    }
    const onClose = () => {
      callback(nodeError('ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'Socket closed before the connection was established'));
    };
    this.once('close', onClose);
    this.once('connect', () => {
      this.off('close', onClose);
      action();
    });
  }

  #lookup(name: string, options: TcpNetConnectOpts, found: (addresses: readonly string[]) => void): void {
    const lookup = options.lookup ?? this.#resolve;
    const family = options.family ?? 0;
    lookup(name, { all: true, family, hints: options.hints ?? 0 }, (error, result, resultFamily) => {
      if (!this.connecting) return;
      const addresses = Array.isArray(result) ? result : [{ address: result, family: resultFamily }];
      if (error !== null && error !== undefined) {
        this.emit('lookup', error, undefined, undefined, name);
        this.destroy(error);
        return;
      }
      for (const each of addresses) this.emit('lookup', null, each.address, each.family, name);
      const list = addresses.map(({ address }) => address);
      found(options.autoSelectFamily === false ? list.slice(0, 1) : list);
    });
  }

  readonly #resolve: LookupFunction = (name, _options, callback) => {
    const addresses = this.#net.resolve(name)?.map((address) => ({ address, family: isIP(address) }));
    if (addresses !== undefined) process.nextTick(callback, null, addresses);
    else process.nextTick(callback, Object.assign(systemLookupError(name), { hostname: name }), []);
  };

  /** One address after the other, as net.connect does: the next one after a failure, or after 250 ms of silence. */
  #attempt(host: VirtualHost, options: TcpNetConnectOpts, addresses: readonly string[], errors: Error[]): void {
    if (!this.connecting) return;
    const [first, ...rest] = addresses;
    if (first === undefined) {
      this.destroy(combine(errors));
      return;
    }
    const address = normalizeAddress(first);
    const family = isIP(address);
    this.emit('connectionAttempt', address, options.port, family);
    if (!this.connecting) return;

    const end = () => {
      timer?.cancel();
      this.#onFailure = undefined;
      this.#endAttempt = undefined;
    };
    const next = (event: string, error: Error) => {
      end();
      this.emit(event, address, options.port, family, error);
      this.#attempt(host, options, rest, [...errors, error]);
    };
    const patience = options.autoSelectFamilyAttemptTimeout ?? ATTEMPT_TIMEOUT_MS;
    const giveUp = () => {
      this.#endpoint?.close();
      next('connectionAttemptTimeout', systemError('ETIMEDOUT', 'connect', { address, port: options.port }));
    };
    const timer = rest.length === 0 ? undefined : this.#net.clock.after(patience, giveUp);
    this.#endAttempt = end;
    this.#onFailure = (error) => next('connectionAttemptFailed', error);
    try {
      const remote: Endpoint = { address, port: options.port };
      const local = host.localEndpoint(remote, options.localAddress, options.localPort);
      this.#endpoint = TcpEndpoint.connect(this.#net, host, local, remote, this.#owner);
    } catch (error) {
      next('connectionAttemptFailed', error as Error);
    }
  }

  #reference(referenced: boolean): this {
    this.#isReferenced = referenced;
    this.#net.referenceChanged();
    return this;
  }
}

export class VirtualTcpServer extends EventEmitter implements TcpServer, TcpListener, Registered {
  readonly #net: VirtualNetwork;
  readonly #host: VirtualHost;
  readonly #options: ServerOpts;
  readonly #connections = new Set<VirtualTcpSocket>();
  #bound: Endpoint | undefined;
  #isListening = false;
  #isReferenced = true;

  /** Use `host.createTcpServer`. */
  constructor(net: VirtualNetwork, host: VirtualHost, options: ServerOpts) {
    super();
    this.#net = net;
    this.#host = host;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#isListening;
  }

  listen(options: ListenOptions): this {
    if (this.#bound !== undefined) {
      throw nodeError('ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once without closing.');
    }
    try {
      const address = options.host === undefined ? this.#host.anyAddress : this.#host.ownAddress(options.host);
      this.#bound = { address, port: this.#host.bindTcp(address, options.port ?? 0, this) };
    } catch (error) {
      process.nextTick(() => this.emit('error', asListenError(error as NodeJS.ErrnoException)));
      return this;
    }
    this.#isListening = true;
    this.#net.register(this);
    options.signal?.addEventListener('abort', () => this.close(), { once: true });
    process.nextTick(() => {
      if (this.#isListening) this.emit('listening');
    });
    return this;
  }

  close(callback?: (error?: Error) => void): this {
    if (callback !== undefined) {
      if (this.#isListening) this.once('close', callback);
      else this.once('close', () => callback(nodeError('ERR_SERVER_NOT_RUNNING', 'Server is not running.')));
    }
    this.destroy();
    return this;
  }

  address(): AddressInfo | null {
    if (this.#bound === undefined) return null;
    const { address, port } = this.#bound;
    return { address, port, family: familyOf(address) };
  }

  ref(): this {
    return this.#reference(true);
  }

  unref(): this {
    return this.#reference(false);
  }

  /** @internal */
  accept(endpoint: TcpEndpoint): void {
    const socket = new VirtualTcpSocket(this.#net, this.#options).adopt(endpoint);
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#closeIfEmpty();
    });
    if (this.#options.pauseOnConnect) socket.pause();
    else socket.startReading();
    this.emit('connection', socket);
  }

  /** @internal Stops listening; connections go on. */
  destroy(): void {
    if (this.#bound !== undefined) this.#host.unbindTcp(this.#bound.address, this.#bound.port);
    this.#bound = undefined;
    this.#isListening = false;
    this.#net.unregister(this);
    this.#closeIfEmpty();
  }

  /** @internal */
  get referenced(): boolean {
    return this.#isReferenced;
  }

  /** @internal */
  describe(): OpenSocket {
    const { address, port } = this.#bound ?? { address: '', port: 0 };
    return { kind: 'tcp-server', local: formatEndpoint(address, port), remote: undefined };
  }

  #closeIfEmpty(): void {
    if (this.#isListening || this.#connections.size > 0) return;
    process.nextTick(() => {
      if (!this.#isListening && this.#connections.size === 0) this.emit('close');
    });
  }

  #reference(referenced: boolean): this {
    this.#isReferenced = referenced;
    this.#net.referenceChanged();
    return this;
  }
}

function asListenError(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return Object.assign(error, { syscall: 'listen', message: error.message.replace(/^bind/, 'listen') });
}

function systemLookupError(name: string): NodeJS.ErrnoException {
  return Object.assign(nodeError('ENOTFOUND', `getaddrinfo ENOTFOUND ${name}`), {
    syscall: 'getaddrinfo',
    errno: -3008,
  });
}

/** One failure as it is, several as net.connect joins them. */
function combine(errors: readonly Error[]): Error {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const code = (first as NodeJS.ErrnoException | undefined)?.code ?? 'ENOTFOUND';
  return Object.assign(new AggregateError(errors), { code });
}
