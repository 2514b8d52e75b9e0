/**
 * How many round trips a client needs, whatever the machine's speed: two logical clocks (Lamport's), the client's and
 * the server's, in round trips. Bytes that leave bring the server's clock to half a round trip after the client's,
 * bytes that arrive bring the client's to half a round trip after the server's; connecting takes one.
 *
 *     const counter = new FlightCounter();
 *     const stream = await countingTlsTransport(counter, { ca })({ host: '127.0.0.1', port });
 *     stream.write('x');
 *     await once(stream, 'data');
 *     counter.roundTrips;   // 3
 *
 * What is counted is never less than what a slow path takes. It can be more: where the client sends something between
 * two parts of one flight of the server, the second part counts as the answer to it.
 */
import type { SocketOptions } from 'node:dgram';
import type { ServerOpts, TcpNetConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import {
  type Network,
  nodeNetwork,
  type TcpServer,
  type TcpSocket,
  type UdpSocket,
} from '../../src/platform/network.js';
import {
  secureTransport,
  startTls,
  type TlsOptions,
  type Transport,
  tcpTransport,
  withServerName,
} from '../../src/transport.js';

export class FlightCounter {
  #client = 0;
  #server = 0;
  /** The client's clock at each `mark`. */
  readonly marks = new Map<string, number>();

  /** The client's clock. */
  get roundTrips(): number {
    return this.#client;
  }

  mark(name: string): void {
    this.marks.set(name, this.#client);
  }

  /** A connection is there that was dialled at this reading of `roundTrips`. */
  connected(dialledAt: number): void {
    this.#client = Math.max(this.#client, dialledAt + 1);
  }

  sent(): void {
    this.#server = Math.max(this.#server, this.#client + 0.5);
  }

  received(): void {
    this.#client = Math.max(this.#client, this.#server + 0.5);
  }

  /** The same stream, whose bytes are counted; it owns the one that it is given. */
  wrap(stream: Duplex): Duplex {
    return new CountedStream(stream, this);
  }
}

/** What `dial` dials, counted from the start of dialling. TLS has round trips of its own: it goes on top. */
export function countingTransport(dial: Transport, counter: FlightCounter): Transport {
  if (dial.secure) throw new Error('count below TLS: countingTlsTransport, or a CountingNetwork for turbo');
  return async (address, options) => {
    const dialledAt = counter.roundTrips;
    const stream = await dial(address, options);
    counter.connected(dialledAt);
    return counter.wrap(stream);
  };
}

/** tlsTransport, counted. */
export function countingTlsTransport(counter: FlightCounter, options: TlsOptions = {}): Transport<TLSSocket> {
  const dial = countingTransport(tcpTransport(), counter);
  return secureTransport(async (address, { signal, tls } = {}) => {
    const stream = await dial(address, { signal });
    return startTls(stream, withServerName({ ...options, ...tls, ...address }), signal);
  });
}

/** How long TCP may seem to connect on loopback, ms. */
const HOLD_MS = 100;

/**
 * The sockets of a turbo client, counted: `turboTransport({ turbo: { network: new CountingNetwork(counter) } })`.
 *
 * On loopback TCP connects before UDP has left. So that things happen in the order of a slow path, whoever waits for
 * TCP hears of its connection once UDP was answered; where it is not, after a tenth of a second.
 */
export class CountingNetwork implements Network {
  readonly #counter: FlightCounter;
  readonly #inner: Network;
  readonly #held = new Set<() => void>();

  constructor(counter: FlightCounter, inner: Network = nodeNetwork) {
    this.#counter = counter;
    this.#inner = inner;
  }

  connectTcp(options: TcpNetConnectOpts): TcpSocket {
    const dialledAt = this.#counter.roundTrips;
    const socket = this.#inner.connectTcp(options);
    const counted = new CountedTcpSocket(socket, this.#counter);
    socket.once('connect', () =>
      this.#hold(counted, () => {
        this.#counter.connected(dialledAt);
        counted.open();
      }),
    );
    return counted;
  }

  createTcpServer(options: ServerOpts): TcpServer {
    return this.#inner.createTcpServer(options);
  }

  createUdpSocket(options: SocketOptions): UdpSocket {
    const socket = this.#inner.createUdpSocket(options);
    socket.on('message', () => {
      this.#counter.received();
      for (const release of this.#held) setImmediate(release); // what arrived with it comes first
    });
    const send = socket.send.bind(socket) as (...args: unknown[]) => void;
    return Object.assign(socket, {
      send: (...args: unknown[]) => {
        this.#counter.sent();
        send(...args);
      },
    }) satisfies UdpSocket;
  }

  #hold(socket: CountedTcpSocket, open: () => void): void {
    const release = () => {
      if (!this.#held.delete(release)) return;
      clearTimeout(timer);
      if (!socket.destroyed) open();
    };
    const timer = setTimeout(release, HOLD_MS);
    this.#held.add(release);
    socket.once('close', release);
  }
}

/** Passes everything through at once, so that what is counted is what the client does. */
class CountedStream<Inner extends Duplex = Duplex> extends Duplex {
  protected readonly inner: Inner;
  readonly #counter: FlightCounter;

  constructor(inner: Inner, counter: FlightCounter) {
    super({ allowHalfOpen: inner.allowHalfOpen });
    this.inner = inner;
    this.#counter = counter;
    inner.pause();
    inner.on('data', (chunk: Buffer) => {
      this.#counter.received();
      if (!this.push(chunk)) inner.pause();
    });
    inner.on('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    inner.on('close', () => {
      if (!inner.readableEnded || !inner.writableFinished) this.destroy();
    });
  }

  override _read(): void {
    this.inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#counter.sent();
    if (this.inner.write(chunk)) callback();
    else this.inner.once('drain', callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.inner.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.inner.closed) {
      callback(error);
      return;
    }
    this.inner.once('close', () => callback(error));
    this.inner.destroy();
  }
}

class CountedTcpSocket extends CountedStream<TcpSocket> implements TcpSocket {
  #isOpen = false;

  constructor(inner: TcpSocket, counter: FlightCounter) {
    super(inner, counter);
    for (const event of ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout']) {
      inner.on(event, (...args) => this.emit(event, ...args));
    }
  }

  /** It is connected: from here on bytes pass. */
  open(): void {
    this.#isOpen = true;
    this.emit('connect');
    this.emit('ready');
  }

  override _read(): void {
    this.#whenOpen(() => super._read());
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#whenOpen(() => super._write(chunk, encoding, callback));
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#whenOpen(() => super._final(callback));
  }

  #whenOpen(act: () => void): void {
    if (this.#isOpen) act();
    else this.once('connect', act);
  }

  get connecting(): boolean {
    return !this.#isOpen && !this.destroyed;
  }

  get remoteAddress(): string | undefined {
    return this.inner.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.inner.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.inner.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.inner.localAddress;
  }

  get localPort(): number | undefined {
    return this.inner.localPort;
  }

  get localFamily(): string | undefined {
    return this.inner.localFamily;
  }

  address(): ReturnType<TcpSocket['address']> {
    return this.inner.address();
  }

  setNoDelay(noDelay?: boolean): this {
    this.inner.setNoDelay(noDelay);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.inner.setKeepAlive(enable, initialDelay);
    return this;
  }

  resetAndDestroy(): this {
    this.inner.resetAndDestroy();
    return this.destroy();
  }

  ref(): this {
    this.inner.ref();
    return this;
  }

  unref(): this {
    this.inner.unref();
    return this;
  }
}
