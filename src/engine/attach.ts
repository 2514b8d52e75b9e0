/**
 * A TurboTLS port for a TLS server that exists: tls.Server, https.Server or http2's secure server.
 *
 * The server listens natively and goes on being what it is. Only the `connection` listener that begins TLS is taken
 * over: it gets the raw socket for plain TLS, as ever, and a session's ServerIO for turbo. Other listeners go on getting
 * each TCP connection.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { type Observable, Subject } from 'rxjs';
import { TurboError } from '../errors.js';
import { type Limits, limitsWith } from '../limits.js';
import { type Clock, systemClock } from '../platform/clock.js';
import { announceExperimental } from '../platform/experimental.js';
import { type Network, nodeNetwork, type TcpSocket, type UdpSocket } from '../platform/network.js';
import { giveTcpSurface } from '../platform/tls-surface.js';
import { ServerIO } from '../server/server-io.js';
import { Engine } from './engine.js';
import type { EngineEvent } from './events.js';
import { underPressure } from './pressure.js';
import { bindUdp } from './udp-port.js';

export interface AttachOptions {
  /** Whether the server listens with net's option of the same name, which Node does not tell. Default false. */
  ipv6Only?: boolean | undefined;
  limits?: Partial<Limits> | undefined;
  /** Where the UDP socket comes from; TCP is the server's own. */
  network?: Pick<Network, 'createUdpSocket'> | undefined;
  clock?: Clock | undefined;
}

/** What `attach` returns: a view of the TurboTLS port. It opens and closes with the server. */
export interface TurboPort {
  /** Sessions, bindings, drops and refusals, over all times that the server listens. */
  readonly events$: Observable<EngineEvent>;
  /** The UDP port's address; null while it is not open. */
  address(): AddressInfo | null;
  /** What the engine holds and has dropped, for metrics; undefined while the server does not listen. */
  readonly engine: Pick<Engine, 'drops' | 'halfOpen' | 'unrouted' | 'limits'> | undefined;
}

/** A TLS handshake in progress: what it runs on, and what ends it in time. */
interface Handshake {
  stream: Duplex;
  /** It is done, or will never be. */
  over: () => void;
}

/** One for all servers: on Node 20 every storage that was ever used costs at each callback of the process. */
const handshakes = new AsyncLocalStorage<Handshake>();

const attached = new WeakSet<TlsServer>();

/** Events whose listeners answer by a callback, the last argument; the handshake goes on within it. */
const ANSWERED_EVENTS: ReadonlySet<string | symbol> = new Set(['newSession', 'resumeSession', 'OCSPRequest']);

/**
 * Gives a server a TurboTLS port: UDP, of the same address and number as its TCP port.
 *
 * Where the UDP port cannot be opened, the server closes and emits `error` with ERR_TURBO_LISTEN.
 * @throws TurboError ERR_TURBO_ALREADY_ATTACHED, ERR_TURBO_BAD_OPTION
 */
export function attach(server: TlsServer, options: AttachOptions = {}): TurboPort {
  announceExperimental();
  if (attached.has(server)) throw new TurboError('ERR_TURBO_ALREADY_ATTACHED');
  const port = new AttachedPort(server, options);
  attached.add(server);
  return port;
}

class AttachedPort implements TurboPort {
  readonly #server: TlsServer;
  readonly #options: AttachOptions;
  readonly #network: Pick<Network, 'createUdpSocket'>;
  readonly #clock: Clock;
  readonly #limits: Readonly<Limits>;
  readonly #events = new Subject<EngineEvent>();
  /** What makes TLS of a connection. */
  readonly #startTls: readonly ConnectionListener[];
  /** TLS handshakes over TCP from its first byte, in progress. */
  #handshaking = 0;
  #engine: Engine | undefined;
  #udp: UdpSocket | undefined;

  constructor(server: TlsServer, options: AttachOptions) {
    this.#server = server;
    this.#options = options;
    this.#network = options.network ?? nodeNetwork;
    this.#clock = options.clock ?? systemClock;
    this.#limits = limitsWith(options.limits);
    this.#startTls = takeTlsListeners(server);
    server.prependListener('connection', (stream: TcpSocket) => {
      if (this.#engine) this.#engine.handleConnection(stream);
      else this.#beginTcp(stream);
    });
    bindAnswers(server);
    onClosing(server, () => this.#drain());
    server.prependListener('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    server.prependListener('tlsClientError', (_error: Error, socket: TLSSocket) => this.#onClientError(socket));
    server.prependListener('listening', () => this.#open());
    server.prependListener('close', () => this.#close());
    if (server.listening) this.#open();
  }

  get events$(): Observable<EngineEvent> {
    return this.#events.asObservable();
  }

  get engine(): Engine | undefined {
    return this.#engine;
  }

  address(): AddressInfo | null {
    return this.#udp ? this.#udp.address() : null;
  }

  #open(): void {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return; // a unix socket has no UDP beside it
    // One that drains, from before, ends with its last session.
    const engine: Engine = new Engine({
      limits: this.#options.limits,
      clock: this.#clock,
      events: this.#events,
      onSession: (io) => this.#begin(io, engine.sessionHandshakeMs()),
      onProtocol: (protocol, socket) => {
        if (protocol !== 'tls') return false;
        this.#beginTcp(socket);
        return true;
      },
    });
    this.#engine = engine;
    bindUdp(this.#network, address, this.#options.ipv6Only).then(
      (udp) => {
        if (this.#engine !== engine || !this.#server.listening) {
          udp.close();
          return;
        }
        this.#udp = udp;
        engine.serve(udp);
      },
      (error: TurboError) => {
        if (this.#engine !== engine) return;
        this.#server.close();
        this.#server.emit('error', error);
      },
    );
  }

  /** The server accepts nothing more. What it has accepted may still claim its session. */
  #drain(): void {
    this.#engine?.drain();
    this.#engine?.closeUdp();
    this.#udp = undefined;
  }

  #close(): void {
    this.#engine?.close();
    this.#engine = undefined;
    this.#udp = undefined;
  }

  /** UDP has no part in the time that TCP gets: only handshakes over TCP make it shorter. */
  #beginTcp(stream: Duplex): void {
    const { handshakeTimeoutMs, pressureTimeoutMs, unroutedConnections } = this.#limits;
    const timeoutMs = underPressure(handshakeTimeoutMs, pressureTimeoutMs, this.#handshaking / unroutedConnections);
    this.#handshaking++;
    this.#begin(stream, timeoutMs, () => this.#handshaking--);
  }

  /** TLS begins on a stream. Node tells neither which stream a TLSSocket runs on nor ends a late handshake: we do. */
  #begin(stream: Duplex, timeoutMs: number, onOver = () => {}): void {
    const timer = this.#clock.after(timeoutMs, () => stream.destroy(new TurboError('ERR_TURBO_HANDSHAKE_TIMEOUT')));
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      onOver();
    };
    stream.once('close', over);
    handshakes.run({ stream, over }, () => {
      // A TLSSocket takes this from its stream when it is made. A client that ends within the handshake ends it; what the
      // server wants afterwards is known with its TCP connection.
      if (stream instanceof ServerIO) stream.allowHalfOpen = false;
      for (const startTls of this.#startTls) startTls.call(this.#server, stream);
      if (stream instanceof ServerIO) stream.allowHalfOpen = true;
    });
  }

  #onSecure(socket: TLSSocket): void {
    const handshake = handshakes.getStore();
    if (!handshake) return;
    handshake.over();
    const { stream } = handshake;
    if (!(stream instanceof ServerIO)) return;
    giveTcpSurface(socket, stream);
    socket.allowHalfOpen = stream.tcpAllowHalfOpen;
    stream.onFailure = (error) => socket.destroy(error);
  }

  #onClientError(socket: TLSSocket): void {
    // The time limit runs on: node:tls reports its own limit here too, and closes nothing.
    const stream = handshakes.getStore()?.stream;
    if (stream instanceof ServerIO) giveTcpSurface(socket, stream);
  }
}

type ConnectionListener = (stream: Duplex) => void;

/** Removes what begins TLS from the server's listeners: Node's own, the same on all servers; or all, in its absence. */
function takeTlsListeners(server: TlsServer): readonly ConnectionListener[] {
  const listeners = server.rawListeners('connection') as ConnectionListener[];
  const [nodes] = createServer().rawListeners('connection') as [ConnectionListener];
  const taken = listeners.includes(nodes) ? [nodes] : listeners;
  for (const listener of taken) server.removeListener('connection', listener);
  return taken;
}

/** A server that closes keeps its connections; its ports are free at once, for whoever comes next. */
function onClosing(server: TlsServer, closing: () => void): void {
  const close = server.close;
  server.close = (callback?: (error?: Error) => void) => {
    closing();
    return close.call(server, callback);
  };
}

/** Whoever answers, and from where: the handshake finds its own context again. */
function bindAnswers(server: TlsServer): void {
  const emit = server.emit;
  server.emit = (event: string | symbol, ...args: unknown[]) => {
    const answer = args.at(-1);
    if (ANSWERED_EVENTS.has(event) && typeof answer === 'function') {
      args[args.length - 1] = AsyncResource.bind(answer as (...args: unknown[]) => unknown);
    }
    return Reflect.apply(emit, server, [event, ...args]) as boolean;
  };
}
