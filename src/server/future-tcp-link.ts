/**
 * The TCP connection that a session will have. Until the tombstone binds it, the link keeps what TLS writes, as a
 * stream that the engine cuts into datagrams as credit allows; from then on it is a TcpCarrier.
 *
 * It outlives the ServerIO: where TLS ended before the tombstone came (an alert), the kept bytes still reach the client
 * that claims them, then FIN.
 */
import { BehaviorSubject, type Observable } from 'rxjs';
import { turbotls } from '#proto/turbotls.js';
import type { Limits } from '../limits.js';
import type { TcpSocket } from '../platform/network.js';
import { type CarrierSink, TcpCarrier } from '../platform/tcp-carrier.js';
import { Flight } from '../wire/flight.js';

export const HandshakeState = turbotls.v1.HandshakeState;
export type HandshakeState = turbotls.v1.HandshakeState;

/** Where TCP takes over. */
export interface TcpBinding {
  socket: TcpSocket;
  /** What the server says before any stream byte: the Reply. */
  preface: Buffer;
  /** TCP carries the server's stream after this datagram. */
  serverSequence: number;
  /** Stream bytes that came with the tombstone. */
  head: Buffer;
  /** Bytes at the front of the client's stream on TCP that UDP has delivered already. */
  skip: number;
}

export class FutureTcpLink {
  readonly #limits: Readonly<Limits>;
  readonly #state = new BehaviorSubject<HandshakeState>(HandshakeState.RACING);
  /** Gone with the binding, and with it the session. */
  #onKept: (() => void) | undefined;
  /** What TLS has written; the engine cuts datagrams from it. */
  readonly flight: Flight;
  #carrier: TcpCarrier | undefined;
  #sink: CarrierSink | undefined;
  #withheld: (() => void) | undefined;
  #noticed = false;
  #finished = false;
  #ended = false;
  #failed = false;
  #skip = 0;
  #allowHalfOpen = true;

  /** @param onKept called at the end of each tick in which TLS wrote */
  constructor(limits: Readonly<Limits>, onKept: () => void) {
    this.#limits = limits;
    this.#onKept = onKept;
    this.flight = new Flight({ bytes: limits.flightBytes, datagrams: limits.flightDatagrams });
  }

  get state$(): Observable<HandshakeState> {
    return this.#state.asObservable();
  }

  get state(): HandshakeState {
    return this.#state.value;
  }

  /** The TCP connection; undefined before the tombstone. */
  get socket(): TcpSocket | undefined {
    return this.#carrier?.socket;
  }

  /** Whether whoever listens on TCP wants connections that stay open when the client has ended; known from the binding on. */
  get allowHalfOpen(): boolean {
    return this.#allowHalfOpen;
  }

  /** Who gets what TCP brings. */
  attach(sink: CarrierSink): void {
    this.#sink = sink;
  }

  /** Calls back when there is room for more: at once, or at the binding where the session's share is used up. */
  write(chunks: readonly { chunk: Buffer }[], callback: () => void): void {
    if (this.#carrier) {
      if (chunks.length === 1) this.#carrier.write((chunks[0] as { chunk: Buffer }).chunk, callback);
      else this.#carrier.writev(chunks, callback);
      return;
    }
    this.flight.append(chunks.map(({ chunk }) => chunk));
    this.#notice();
    if (this.flight.bytes < this.#limits.sessionBytes) callback();
    else this.#withheld = callback;
  }

  /** TLS has said its last word. */
  end(callback: () => void): void {
    this.#ended = true;
    if (this.#carrier) this.#carrier.end(callback);
    else callback();
  }

  resume(): void {
    this.#carrier?.resume();
  }

  /** The stream above is gone. Before the binding the kept bytes stay, for the client that claims them. */
  abandon(error: Error | null = null): void {
    this.#sink = undefined;
    this.#release();
    if (this.#carrier) {
      // TLS may give up on what came with the tombstone: without the Reply the client would think its session lost.
      this.#carrier.socket.uncork();
      this.#carrier.destroy();
      this.#finish(error || this.#failed ? HandshakeState.FAILED : HandshakeState.CLOSED);
    } else {
      this.#ended = true;
    }
  }

  /** TCP takes over. `head` reaches the sink asynchronously, as all bytes do. */
  bind({ socket, preface, serverSequence, head, skip }: TcpBinding): void {
    this.#skip = skip;
    this.#allowHalfOpen = socket.allowHalfOpen;
    if (head.length > 0) socket.unshift(head);
    const carrier = new TcpCarrier(socket, {
      onBytes: (chunk) => this.#onBytes(chunk),
      onEnd: () => this.#sink?.onEnd(),
      onError: (error) => {
        this.#failed = true;
        this.#sink?.onError(error);
      },
      onClose: () => {
        this.#sink?.onClose();
        this.#finish(this.#failed ? HandshakeState.FAILED : HandshakeState.CLOSED);
      },
    });
    this.#carrier = carrier;
    socket.cork();
    socket.write(preface);
    const rest = this.flight.after(serverSequence);
    if (rest.length > 0) socket.write(rest);
    this.flight.release();
    this.#onKept = undefined;
    process.nextTick(() => socket.uncork());
    this.#state.next(HandshakeState.BOUND);
    this.#release();
    if (this.#ended) carrier.end(() => {});
    carrier.resume();
  }

  /** The tombstone did not come in time, or the engine closes. */
  expire(): void {
    this.#sink = undefined;
    this.#release();
    this.#finish(HandshakeState.FAILED);
  }

  #onBytes(chunk: Buffer): boolean {
    let bytes = chunk;
    if (this.#skip > 0) {
      bytes = chunk.subarray(this.#skip);
      this.#skip -= chunk.length - bytes.length;
      if (bytes.length === 0) return true;
    }
    // Nobody above any more: what the client still says is read and dropped, so that its FIN is seen.
    return this.#sink?.onBytes(bytes) ?? true;
  }

  /** What TLS writes within one tick makes datagrams together. */
  #notice(): void {
    if (this.#noticed) return;
    this.#noticed = true;
    process.nextTick(() => {
      this.#noticed = false;
      this.#onKept?.();
    });
  }

  #release(): void {
    const withheld = this.#withheld;
    this.#withheld = undefined;
    withheld?.();
  }

  #finish(state: HandshakeState): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#state.next(state);
    this.#state.complete();
  }
}
