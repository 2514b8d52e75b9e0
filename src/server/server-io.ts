/**
 * The server's stream under TLS: a Duplex whose first bytes come from UDP and whose writes go to a FutureTcpLink.
 *
 * Hand it to `tlsServer.emit('connection', io)`. It has no peer address before TCP binds it: addresses of UDP are not
 * validated, and policy takes the TCP one.
 */
import type { Observable } from 'rxjs';
import { TurboError } from '../errors.js';
import type { TcpSocket } from '../platform/network.js';
import { TlsDuplex } from '../platform/tls-duplex.js';
import type { FutureTcpLink, HandshakeState } from './future-tcp-link.js';

export class ServerIO extends TlsDuplex {
  readonly #link: FutureTcpLink;
  /** The public ID of the session, 16 bytes. */
  readonly connectionId: Buffer;
  /** Who ends the connection on a failure; by default the stream itself, which is right until TLS is secure. */
  onFailure: (error: Error) => void = (error) => this.destroy(error);
  /** Whether TLS is made elsewhere: until its answer comes, this process waits, which costs nothing. */
  relayed = false;
  /**
   * What came before TLS asked for the first time, and until a tick after that: a TLSSocket that begins paused
   * (pauseOnConnect) takes what its stream holds when it is made, and would get the same bytes again as they flow.
   */
  #early: Buffer[] | undefined = [];

  constructor(link: FutureTcpLink, connectionId: Buffer) {
    super();
    this.#link = link;
    this.connectionId = connectionId;
    link.attach({
      onBytes: (chunk) => this.#take(chunk),
      onEnd: () => {
        this.#pushEarly();
        this.endReading();
      },
      onError: (error) => this.onFailure(error),
      onClose: () => this.carrierClosed(),
    });
  }

  /** The states of this end (proto: HandshakeState), the present one first; completes when the connection is over. */
  get state$(): Observable<HandshakeState> {
    return this.#link.state$;
  }

  get state(): HandshakeState {
    return this.#link.state;
  }

  /** The TCP connection, for its addresses and options; undefined before the tombstone. */
  get tcp(): TcpSocket | undefined {
    return this.#link.socket;
  }

  /** Whether TLS's owner may go on writing when the client has ended: what the TCP connection was accepted with. */
  get tcpAllowHalfOpen(): boolean {
    return this.#link.allowHalfOpen;
  }

  /** Stream bytes that UDP brought, in order. */
  deliver(chunks: readonly Buffer[]): void {
    if (this.destroyed) return;
    for (const chunk of chunks) this.#take(chunk);
  }

  /** @returns whether there is room for more */
  #take(chunk: Buffer): boolean {
    if (!this.#early) return this.push(chunk);
    this.#early.push(chunk);
    return false;
  }

  #pushEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    if (!early || this.destroyed) return;
    for (const chunk of early) this.push(chunk);
  }

  /** The session was not claimed in time, or its engine closes. */
  expire(): void {
    if (!this.destroyed) this.onFailure(new TurboError('ERR_TURBO_SESSION_EXPIRED'));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#link.write([{ chunk }], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#link.write(chunks, callback);
  }

  override _final(callback: () => void): void {
    this.#link.end(callback);
  }

  override _read(): void {
    if (this.#early) process.nextTick(() => this.#pushEarly());
    this.#link.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#link.abandon(error);
    callback(error);
  }
}
