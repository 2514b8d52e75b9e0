/**
 * The TCP connection that a client waits for, and the attempts at it.
 *
 * A SYN that is lost, or its SYN-ACK, costs TCP a second. Where UDP has answered meanwhile, the way is open and its round
 * trip is known: then further attempts to the same address are made, and the first that connects is the connection.
 */
import type { TcpNetConnectOpts } from 'node:net';
import type { Limits } from '../limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { Network, TcpSocket } from '../platform/network.js';
import { dialTcp } from './dial.js';

export interface TcpAttemptsOptions {
  tcp: TcpNetConnectOpts;
  network: Network;
  clock: Clock;
  limits: Readonly<Limits>;
  /** `socket` is connected. */
  onConnected: () => void;
  /** `socket` failed, connected or not. */
  onError: (error: Error) => void;
}

export class TcpAttempts {
  readonly #options: TcpAttemptsOptions;
  readonly #settings = new Map<string, (socket: TcpSocket) => void>();
  readonly #further = new Set<TcpSocket>();
  #socket: TcpSocket | undefined;
  #timer: Timer | undefined;
  #dialledAt: number | undefined;

  constructor(options: TcpAttemptsOptions) {
    this.#options = options;
  }

  /** The connection; until there is one, the first attempt at it. Undefined before `start`. */
  get socket(): TcpSocket | undefined {
    return this.#socket;
  }

  start(): void {
    this.#socket = this.#dial(this.#options.tcp);
  }

  /** When the attempt that connected was made, on the clock, where it was not the first. */
  get dialledAt(): number | undefined {
    return this.#dialledAt;
  }

  /** Changes the connection, and whichever attempt becomes it, those to come too. What is changed again under the same name counts last. */
  change(name: string, setting: (socket: TcpSocket) => void): void {
    this.#settings.set(name, setting);
    if (this.#socket) setting(this.#socket);
    for (const socket of this.#further) setting(socket);
  }

  /** UDP was answered from `address` within `roundTripMs`: TCP's answer is due too, and late from some time on. */
  answered(address: string, roundTripMs: number): void {
    const { tcp, limits } = this.#options;
    // Two connections from the same port to the same address cannot be.
    if (tcp.localPort !== undefined || !this.#socket?.connecting) return;
    const lateMs = Math.max(limits.tcpLateMinMs, roundTripMs * limits.tcpLateRatio);
    this.#attemptAgain({ ...tcp, host: address, lookup: undefined }, lateMs, roundTripMs + lateMs);
  }

  /** What was answered counts no more: TCP goes on to another address. */
  forget(): void {
    this.#timer?.cancel();
    for (const socket of this.#further) socket.destroy();
    this.#further.clear();
  }

  /** The connection is of no use: begins again, at this address where one is given. */
  redial(address: string | undefined): void {
    this.#dialledAt = this.#options.clock.now();
    this.#socket = this.#dial({ ...this.#options.tcp, ...(address === undefined ? {} : { host: address }) });
  }

  /** Each time the wait is a whole round trip longer, for the attempt before may still be under way. */
  #attemptAgain(tcp: TcpNetConnectOpts, delayMs: number, againMs: number): void {
    const { clock, limits } = this.#options;
    if (this.#further.size + 1 >= limits.tcpAttempts) return;
    this.#timer = clock.after(delayMs, () => {
      this.#further.add(this.#dial(tcp));
      this.#attemptAgain(tcp, againMs, againMs);
    });
  }

  #dial(tcp: TcpNetConnectOpts): TcpSocket {
    const { network, clock, onError } = this.#options;
    const dialledAt = clock.now();
    const socket = dialTcp(network, tcp);
    for (const setting of this.#settings.values()) setting(socket);
    socket.once('connect', () => this.#onConnected(socket, dialledAt));
    // What becomes of a further attempt is of interest only if it connects.
    socket.on('error', (error: Error) => {
      if (this.#socket === socket) onError(error);
    });
    return socket;
  }

  #onConnected(socket: TcpSocket, dialledAt: number): void {
    if (this.#further.delete(socket)) {
      const first = this.#socket;
      this.#socket = socket;
      this.#dialledAt = dialledAt;
      first?.destroy();
    }
    this.forget();
    this.#options.onConnected();
  }
}
