/**
 * The data plane of both ends once TCP carries the stream: bytes between a Duplex and its TCP socket, with the
 * backpressure of each. No observable and no timer sits on this path.
 *
 * The rules come from how node:tls treats the Duplex under it: a write is called back when the socket has room again,
 * never with an error; a failure is reported once, apart from the stream's callbacks.
 */
import type { TcpSocket } from './network.js';

export interface CarrierSink {
  /** Bytes from the peer. False: no more until `resume`. */
  onBytes(chunk: Buffer): boolean;
  /** The peer's FIN. */
  onEnd(): void;
  /** The socket failed; it is closed or about to be. */
  onError(error: Error): void;
  /** The socket is closed, with or without an error before. */
  onClose(): void;
}

export class TcpCarrier {
  readonly socket: TcpSocket;
  #sink: CarrierSink | undefined;
  #waiting: (() => void) | undefined;

  constructor(socket: TcpSocket, sink: CarrierSink) {
    this.socket = socket;
    this.#sink = sink;
    socket.allowHalfOpen = true;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#sink?.onBytes(chunk)) socket.pause();
    });
    socket.on('end', () => this.#sink?.onEnd());
    socket.on('error', (error: Error) => this.#sink?.onError(error));
    socket.on('close', () => {
      this.#release();
      this.#sink?.onClose();
    });
    socket.on('drain', () => this.#release());
  }

  resume(): void {
    this.socket.resume();
  }

  /** Calls back when the socket has room for more. One call at a time, as Writable has it. */
  write(chunk: Buffer, callback: () => void): void {
    this.#settle(this.socket.write(chunk), callback);
  }

  writev(chunks: readonly { chunk: Buffer }[], callback: () => void): void {
    this.socket.cork();
    let room = true;
    for (const { chunk } of chunks) room = this.socket.write(chunk);
    this.socket.uncork();
    this.#settle(room || !this.socket.writableNeedDrain, callback);
  }

  /** Sends FIN behind what was written; calls back when the kernel has it all, or the socket is gone. */
  end(callback: () => void): void {
    let called = false;
    const once = () => {
      if (called) return;
      called = true;
      callback();
    };
    if (this.socket.destroyed || this.socket.writableFinished) {
      once();
      return;
    }
    this.socket.once('close', once);
    this.socket.end(once);
  }

  /** Ends the connection without a reset: FIN, and what the peer still says before its own is read and dropped. */
  leave(): void {
    this.#sink = {
      onBytes: () => true,
      onEnd: () => this.socket.destroy(),
      onError: () => {},
      onClose: () => {},
    };
    this.socket.unref();
    this.socket.end();
    this.socket.resume();
  }

  /** Gives the connection up; the sink hears nothing more of it. */
  destroy(): void {
    this.#sink = undefined;
    this.socket.destroy();
  }

  #settle(room: boolean, callback: () => void): void {
    if (room || this.socket.destroyed) callback();
    else this.#waiting = callback;
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }
}
