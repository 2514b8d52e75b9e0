/**
 * A UDP and a TCP port of the same number, and an engine between them, for those who bring their own TLS:
 *
 *   const listener = new TurboListener();
 *   await listener.listen({ port: 443 });
 *   for await (const { stream } of listener) tlsServer.emit('connection', stream);
 */
import type { AddressInfo, ListenOptions } from 'node:net';
import { firstValueFrom, merge, type Observable, race, Subject } from 'rxjs';
import { filter, startWith } from 'rxjs/operators';
import { TurboError } from '../errors.js';
import type { Limits } from '../limits.js';
import { after, type Clock, systemClock } from '../platform/clock.js';
import { announceExperimental } from '../platform/experimental.js';
import { type Network, nodeNetwork, type TcpServer, type TcpSocket } from '../platform/network.js';
import type { ServerIO } from '../server/server-io.js';
import type { FirstBytes } from '../wire/first-bytes.js';
import { Engine } from './engine.js';
import type { EngineEvent } from './events.js';
import { bindUdp } from './udp-port.js';

export interface TurboListenerOptions {
  limits?: Partial<Limits> | undefined;
  network?: Network | undefined;
  clock?: Clock | undefined;
  /** What is accepted on TCP beside tombstones. Default: TLS. */
  protocols?: readonly Exclude<FirstBytes, 'tombstone'>[] | undefined;
}

/** What `accept` gives: a stream whose bytes begin with what its protocol says. */
export type Accepted =
  /** A session over UDP; TCP will carry it. */
  | { carrier: 'turbo'; protocol: 'tls'; stream: ServerIO }
  /** A TCP connection from its first byte. */
  | { carrier: 'tcp'; protocol: Exclude<FirstBytes, 'tombstone'>; stream: TcpSocket };

/** With port 0, how often another number is tried where UDP has the one that TCP got. */
const PORT_TRIES = 16;
const CLOSE_DEADLINE_MS = 10_000;

export class TurboListener {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #sessions = new Subject<ServerIO>();
  readonly #connections = new Set<TcpSocket>();
  readonly #socketClosed = new Subject<void>();
  readonly #backlog: Accepted[] = [];
  readonly #acceptors: { resolve: (accepted: Accepted) => void; reject: (error: Error) => void }[] = [];
  #state: 'new' | 'opening' | 'listening' | 'closing' | 'closed' = 'new';
  #tcp: TcpServer | undefined;

  constructor({ limits, network, clock, protocols = ['tls'] }: TurboListenerOptions = {}) {
    announceExperimental();
    this.#network = network ?? nodeNetwork;
    this.#clock = clock ?? systemClock;
    this.#engine = new Engine({
      limits,
      clock: this.#clock,
      onSession: (stream) => {
        this.#sessions.next(stream);
        if (!this.#offer({ carrier: 'turbo', protocol: 'tls', stream })) stream.destroy();
      },
      onProtocol: (protocol, stream) =>
        this.#state === 'listening' &&
        protocols.includes(protocol) &&
        this.#offer({ carrier: 'tcp', protocol, stream }),
    });
  }

  /** Every session over UDP as it begins, for watching; taking it is `accept`'s part. */
  get sessions$(): Observable<ServerIO> {
    return this.#sessions.asObservable();
  }

  get events$(): Observable<EngineEvent> {
    return this.#engine.events$;
  }

  /** What the engine holds and has dropped, for metrics. */
  get engine(): Pick<Engine, 'drops' | 'halfOpen' | 'unrouted' | 'limits'> {
    return this.#engine;
  }

  /** TCP connections that are open, routed or not. */
  get connections(): number {
    return this.#connections.size;
  }

  /** The address of both ports; null while not listening. */
  address(): AddressInfo | null {
    return this.#tcp ? (this.#tcp.address() as AddressInfo) : null;
  }

  /**
   * Opens both ports; options as for net.Server's listen. Port 0 finds a number that is free for both.
   * @throws TurboError ERR_TURBO_LISTENER_STATE, ERR_TURBO_BAD_OPTION, ERR_TURBO_LISTEN (cause: the UDP socket's error),
   *   or TCP's own error
   */
  async listen(options: ListenOptions = {}): Promise<AddressInfo> {
    if (this.#state !== 'new') throw new TurboError('ERR_TURBO_LISTENER_STATE', `it is ${this.#state}`);
    if (options.path !== undefined) throw new TurboError('ERR_TURBO_BAD_OPTION', "a 'path' has no UDP port beside it");
    this.#state = 'opening';
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await this.#open(options);
        } catch (error) {
          const taken = error instanceof TurboError && error.retryable;
          if (!taken || options.port || tries === PORT_TRIES || this.#state !== 'opening') throw error;
        }
      }
    } catch (error) {
      if (this.#state === 'opening') this.#state = 'new';
      throw error;
    }
  }

  /**
   * The next session or connection.
   * @throws TurboError ERR_TURBO_LISTENER_CLOSED once the listener closes
   */
  accept(): Promise<Accepted> {
    for (let accepted = this.#backlog.shift(); accepted; accepted = this.#backlog.shift()) {
      if (accepted.stream.destroyed) continue;
      accepted.stream.off('error', ignoreError);
      return Promise.resolve(accepted);
    }
    if (this.#state === 'closing' || this.#state === 'closed') {
      return Promise.reject(new TurboError('ERR_TURBO_LISTENER_CLOSED'));
    }
    return new Promise((resolve, reject) => {
      this.#acceptors.push({ resolve, reject });
    });
  }

  /** `accept` until the listener closes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Accepted, void, void> {
    for (;;) {
      try {
        yield await this.accept();
      } catch (error) {
        if (error instanceof TurboError && error.code === 'ERR_TURBO_LISTENER_CLOSED') return;
        throw error;
      }
    }
  }

  /**
   * Takes back a TCP connection that was accepted, to look at its next bytes as first bytes: behind a PROXY header, say.
   * The caller has put back what it read too far (`unshift`), and has no listener left that reads.
   */
  readmit(socket: TcpSocket): void {
    if (this.#connections.has(socket) && !socket.destroyed) this.#engine.handleConnection(socket);
  }

  /**
   * Closes gracefully: nothing new begins, sessions that wait may still be claimed, connections may end by themselves.
   * Both ports are free as soon as no session waits. What is left at the deadline is destroyed.
   */
  async close({ deadlineMs = CLOSE_DEADLINE_MS }: { deadlineMs?: number } = {}): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    this.#engine.drain();
    for (const { reject } of this.#acceptors.splice(0)) reject(new TurboError('ERR_TURBO_LISTENER_CLOSED'));
    for (const { stream } of this.#backlog.splice(0)) stream.destroy();
    const deadline = this.#clock.now() + deadlineMs;
    await this.#until(() => this.#engine.halfOpen.sessions === 0, deadline);
    const portClosed = this.#closePort();
    this.#engine.closeUdp();
    await this.#until(() => this.#connections.size === 0, deadline);
    this.#state = 'closed';
    this.#engine.close();
    this.#sessions.complete();
    for (const socket of this.#connections) socket.destroy();
    await portClosed;
  }

  /** The port is free at once; resolves when the last connection is gone. */
  #closePort(): Promise<void> {
    const tcp = this.#tcp;
    this.#tcp = undefined;
    return new Promise((resolve) => {
      if (tcp) tcp.close(() => resolve());
      else resolve();
    });
  }

  async #open(options: ListenOptions): Promise<AddressInfo> {
    const tcp = this.#network.createTcpServer({ allowHalfOpen: true, noDelay: true });
    tcp.on('connection', (socket) => this.#onConnection(socket));
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.once('close', () => {
        // By the caller's signal: before it listened, or while it does.
        reject(new TurboError('ERR_TURBO_LISTENER_CLOSED', undefined, { cause: options.signal?.reason }));
        if (this.#state === 'listening') void this.close();
      });
      tcp.listen({ ...options, port: options.port ?? 0 });
      tcp.once('listening', () => {
        tcp.off('error', reject);
        tcp.on('error', (error) => this.#engine.reportTcpError(error));
        resolve();
      });
    });
    try {
      const udp = await bindUdp(this.#network, tcp.address() as AddressInfo, options.ipv6Only);
      if (this.#state !== 'opening') {
        udp.close();
        throw new TurboError('ERR_TURBO_LISTENER_CLOSED');
      }
      this.#engine.serve(udp);
    } catch (error) {
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
      throw error;
    }
    this.#tcp = tcp;
    this.#state = 'listening';
    return tcp.address() as AddressInfo;
  }

  #onConnection(socket: TcpSocket): void {
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#socketClosed.next();
    });
    this.#engine.handleConnection(socket);
  }

  /** Hands on, or keeps for `accept`; false where the backlog is full. */
  #offer(accepted: Accepted): boolean {
    const acceptor = this.#acceptors.shift();
    if (acceptor) acceptor.resolve(accepted);
    else if (this.#backlog.length < this.#engine.limits.acceptBacklog) this.#keep(accepted);
    else return false;
    return true;
  }

  /** Until it is accepted, its failures are nobody's: it leaves the backlog. */
  #keep(accepted: Accepted): void {
    this.#backlog.push(accepted);
    const { stream } = accepted;
    stream.on('error', ignoreError);
    stream.once('close', () => {
      const place = this.#backlog.indexOf(accepted);
      if (place >= 0) this.#backlog.splice(place, 1);
    });
  }

  /** Resolves when `holds`, or at the deadline, on the clock. */
  async #until(holds: () => boolean, deadline: number): Promise<void> {
    const held$ = merge(this.#engine.events$, this.#socketClosed).pipe(startWith(undefined), filter(holds));
    await firstValueFrom(race(held$, after(this.#clock, Math.max(0, deadline - this.#clock.now()))));
  }
}

function ignoreError(): void {}
