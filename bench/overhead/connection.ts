/** What the measurements need of a connection, whichever way it is made. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

export interface Connection {
  onBytes: (bytes: Buffer) => void;
  /** False: no more before `drained`. */
  write(bytes: Buffer): boolean;
  drained(): Promise<void>;
  destroy(): void;
}

/** Of a stream: a socket, or a TLSSocket over anything. */
export class StreamConnection implements Connection {
  readonly #stream: Duplex;
  onBytes: (bytes: Buffer) => void = () => {};

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => this.onBytes(chunk));
  }

  write(bytes: Buffer): boolean {
    return this.#stream.write(bytes);
  }

  async drained(): Promise<void> {
    await once(this.#stream, 'drain');
  }

  destroy(): void {
    this.#stream.destroy();
  }
}
