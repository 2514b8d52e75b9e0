/** UDP sockets of the virtual network, with the manners of dgram.Socket. */
import type { RemoteInfo, SocketOptions } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { UdpSocket } from '../../src/platform/network.js';
import { type Endpoint, familyOf, formatEndpoint, normalizeAddress } from './address.js';
import { nodeError, systemError } from './errors.js';
import type { VirtualHost } from './host.js';
import type { OpenSocket, Registered, VirtualNetwork } from './network.js';

/** The largest payload of UDP over IPv4. */
const MAXIMUM_MESSAGE_BYTES = 65_507;

type SendCallback = (error: Error | null) => void;

export class VirtualUdpSocket extends EventEmitter implements UdpSocket, Registered {
  readonly #net: VirtualNetwork;
  readonly #host: VirtualHost;
  readonly #wildcard: string;
  #local: Endpoint | undefined;
  #remote: Endpoint | undefined;
  #isConnecting = false;
  #isListening = false;
  #isClosed = false;
  #isReferenced = true;

  /** Use `host.createUdpSocket`. */
  constructor(net: VirtualNetwork, host: VirtualHost, options: SocketOptions) {
    super();
    this.#net = net;
    this.#host = host;
    this.#wildcard = options.type === 'udp6' ? '::' : '0.0.0.0';
    net.register(this);
    options.signal?.addEventListener('abort', () => this.#isClosed || this.close(), { once: true });
  }

  bind(options: { port?: number; address?: string; exclusive?: boolean } = {}, callback?: () => void): this {
    this.#mustBeOpen();
    if (this.#local !== undefined) throw nodeError('ERR_SOCKET_ALREADY_BOUND', 'Socket is already bound');
    if (callback !== undefined) this.once('listening', callback);
    try {
      const address = this.#host.ownAddress(options.address ?? this.#wildcard);
      this.#local = { address, port: this.#host.bindUdp(address, options.port ?? 0, this) };
    } catch (error) {
      process.nextTick(() => this.emit('error', error));
      return this;
    }
    process.nextTick(() => {
      if (this.#isClosed) return;
      this.#isListening = true;
      this.emit('listening');
    });
    return this;
  }

  connect(port: number, address: string, callback?: () => void): void {
    this.#mustBeOpen();
    if (this.#remote !== undefined || this.#isConnecting) {
      throw nodeError('ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
    }
    mustBePort(port);
    const remote = { address: normalizeAddress(address), port };
    if (callback !== undefined) this.once('connect', callback);
    this.#isConnecting = true;
    this.#whenListening(() => {
      process.nextTick(() => {
        if (this.#isClosed) return;
        this.#isConnecting = false;
        this.#remote = remote;
        this.emit('connect');
      });
    });
  }

  send(message: Uint8Array, callback?: SendCallback): void;
  send(message: Uint8Array, port: number, address: string, callback?: SendCallback): void;
  send(message: Uint8Array, portOrCallback?: number | SendCallback, address?: string, callback?: SendCallback): void {
    this.#mustBeOpen();
    if (typeof portOrCallback === 'number') {
      if (this.#remote !== undefined) throw nodeError('ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected');
      mustBePort(portOrCallback);
      const remote = { address: normalizeAddress(address ?? '127.0.0.1'), port: portOrCallback };
      const copy = Buffer.from(message);
      this.#whenListening(() => this.#transmit(copy, remote, callback));
      return;
    }
    // Node takes the address of a connected socket alone, and asks for a port before that.
    if (this.#remote === undefined) mustBePort(undefined);
    this.#transmit(Buffer.from(message), this.#remote as Endpoint, portOrCallback);
  }

  address(): AddressInfo {
    this.#mustBeOpen();
    if (this.#local === undefined) throw systemError('EBADF', 'getsockname');
    const { address, port } = this.#sender();
    return { address, port, family: familyOf(address) };
  }

  remoteAddress(): AddressInfo {
    this.#mustBeOpen();
    if (this.#remote === undefined) throw nodeError('ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected');
    return { ...this.#remote, family: familyOf(this.#remote.address) };
  }

  close(callback?: () => void): this {
    this.#mustBeOpen();
    if (callback !== undefined) this.once('close', callback);
    this.destroy();
    return this;
  }

  ref(): this {
    return this.#reference(true);
  }

  unref(): this {
    return this.#reference(false);
  }

  /** @internal As `close`, but harmless when repeated. */
  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#local !== undefined) this.#host.unbindUdp(this.#local.address, this.#local.port);
    this.#net.unregister(this);
    process.nextTick(() => this.emit('close'));
  }

  /** @internal */
  get referenced(): boolean {
    return this.#isReferenced;
  }

  /** @internal */
  describe(): OpenSocket {
    const { address, port } = this.#local ?? { address: this.#wildcard, port: 0 };
    const remote = this.#remote && formatEndpoint(this.#remote.address, this.#remote.port);
    return { kind: 'udp', local: formatEndpoint(address, port), remote };
  }

  /** @internal False if it is not for this socket. */
  receive(from: Endpoint, message: Buffer): boolean {
    if (this.#isClosed || !this.#isListening) return false;
    // As in the kernel: a connected socket hears its peer alone, and for others the port is not open.
    if (this.#remote !== undefined && !isSame(this.#remote, from)) return false;
    const info: RemoteInfo = { ...from, family: familyOf(from.address), size: message.length };
    this.emit('message', message, info);
    return true;
  }

  /** @internal Only connected sockets are told. */
  receivePortUnreachable(remote: Endpoint): void {
    if (this.#isClosed || this.#remote === undefined || !isSame(this.#remote, remote)) return;
    this.emit('error', systemError('ECONNREFUSED', 'recvmsg'));
  }

  #transmit(message: Buffer, remote: Endpoint, callback: SendCallback | undefined): void {
    if (this.#isClosed) return;
    const failure = this.#sendFailure(message, remote);
    if (failure === undefined) this.#net.transmitDatagram(this.#sender(remote.address), remote, message);
    if (callback !== undefined) process.nextTick(callback, failure ?? null);
    else if (failure !== undefined) process.nextTick(() => this.emit('error', failure));
  }

  #sendFailure(message: Buffer, remote: Endpoint): Error | undefined {
    if (message.length > MAXIMUM_MESSAGE_BYTES) return systemError('EMSGSIZE', 'send', remote);
    try {
      this.#sender(remote.address);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** What others see as the sender: a socket of all addresses sends from the host's address of that family. */
  #sender(remote: string | undefined = this.#remote?.address): Endpoint {
    const { address, port } = this.#local as Endpoint;
    const isWildcard = address === '0.0.0.0' || address === '::';
    return isWildcard && remote !== undefined
      ? { address: this.#host.addressFor(remote, 'send'), port }
      : { address, port };
  }

  /** Binds to any port first, if that has not been done. */
  #whenListening(callback: () => void): void {
    if (this.#isListening) {
      callback();
      return;
    }
    if (this.#local === undefined) this.bind();
    this.once('listening', callback);
  }

  #reference(referenced: boolean): this {
    this.#isReferenced = referenced;
    this.#net.referenceChanged();
    return this;
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw nodeError('ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running');
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.port === other.port && one.address === other.address;
}

function mustBePort(port: number | undefined): void {
  if (port !== undefined && Number.isInteger(port) && port > 0 && port < 65_536) return;
  throw nodeError('ERR_SOCKET_BAD_PORT', `Port should be > 0 and < 65536. Received ${port}.`);
}
