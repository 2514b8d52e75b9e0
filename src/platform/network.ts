/**
 * The sockets that client and engine are built on, as interfaces that net.Socket, net.Server and dgram.Socket already
 * fulfil. A virtual network fulfils them too, and then nothing else has to know.
 */
import { createSocket, type RemoteInfo, type SocketOptions } from 'node:dgram';
import {
  type AddressInfo,
  connect,
  createServer,
  isIP,
  type ListenOptions,
  type ServerOpts,
  type TcpNetConnectOpts,
} from 'node:net';
import type { Duplex } from 'node:stream';

/** What is used of net.Socket. Bytes arrive asynchronously, never inside a call of `write`. */
export interface TcpSocket extends Duplex {
  readonly connecting: boolean;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly remoteFamily?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly localFamily?: string | undefined;
  address(): AddressInfo | Record<string, never>;
  setNoDelay(noDelay?: boolean): this;
  setKeepAlive(enable?: boolean, initialDelay?: number): this;
  resetAndDestroy(): this;
  ref(): this;
  unref(): this;
}

/** What is used of net.Server. Emits `connection` (TcpSocket), `listening`, `error` and `close`. */
export interface TcpServer {
  readonly listening: boolean;
  listen(options: ListenOptions): this;
  close(callback?: (error?: Error) => void): this;
  address(): AddressInfo | string | null;
  on(event: 'connection', listener: (socket: TcpSocket) => void): this;
  on(event: 'listening' | 'close', listener: () => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  once(event: 'listening' | 'close', listener: () => void): this;
  once(event: 'error', listener: (error: Error) => void): this;
  off(event: 'listening' | 'close', listener: () => void): this;
  off(event: 'error', listener: (error: Error) => void): this;
  ref(): this;
  unref(): this;
}

/** What is used of dgram.Socket. A connected socket hears its peer alone. */
export interface UdpSocket {
  bind(options: { port?: number; address?: string; exclusive?: boolean }, callback?: () => void): this;
  /** Calls back with an error where there is no way to the address. */
  connect(port: number, address: string, callback?: (error?: Error) => void): void;
  send(message: Uint8Array, callback?: (error: Error | null) => void): void;
  send(message: Uint8Array, port: number, address: string, callback?: (error: Error | null) => void): void;
  address(): AddressInfo;
  close(callback?: () => void): this;
  on(event: 'message', listener: (message: Buffer, from: RemoteInfo) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close' | 'listening' | 'connect', listener: () => void): this;
  once(event: 'error', listener: (error: Error) => void): this;
  off(event: 'error', listener: (error: Error) => void): this;
  ref(): this;
  unref(): this;
}

export interface Network {
  /**
   * As net.connect: emits `lookup`, then for each address it tries `connectionAttempt` (ip, port, family), then
   * `connect` and `ready`, or `error` and `close`.
   */
  connectTcp(options: TcpNetConnectOpts): TcpSocket;
  createTcpServer(options: ServerOpts): TcpServer;
  createUdpSocket(options: SocketOptions): UdpSocket;
}

/** For UDP sockets, whose addresses are all numeric here: spares each datagram a turn through dns.lookup. */
export const numericLookup: NonNullable<SocketOptions['lookup']> = (address, _options, callback) => {
  callback(null, address, isIP(address));
};

/** The kernel's sockets. */
export const nodeNetwork: Network = {
  connectTcp: (options) => connect(options),
  createTcpServer: (options) => createServer(options),
  createUdpSocket: (options) => createSocket(options),
};
