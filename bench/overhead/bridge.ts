/** The least that lets node:tls run on something other than a socket of its own: a Duplex that hands bytes on. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

type Callback = () => void;

export class Bridge extends Duplex {
  readonly #socket: Socket;
  readonly #listeners = {
    data: (chunk: Buffer) => this.receive(chunk),
    end: () => void this.push(null),
    error: (error: Error) => void this.destroy(error),
    close: () => void this.destroy(),
  };

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  protected receive(chunk: Buffer): void {
    if (!this.push(chunk)) this.#socket.pause();
  }

  /** Gives the socket back: nothing is heard of it from here on. */
  protected detach(): void {
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.off(event, listener);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#settle(this.#socket.write(chunk), callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#socket.cork();
    let room = true;
    for (const { chunk } of chunks) room = this.#socket.write(chunk);
    this.#socket.uncork();
    this.#settle(room, callback);
  }

  override _final(callback: Callback): void {
    this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy();
    callback(error);
  }

  #settle(room: boolean, callback: Callback): void {
    if (room) callback();
    else this.#socket.once('drain', callback);
  }
}
