/** ClientIO under a TLS that is somebody else's: bytes pass as they come. */
import { ClientIO } from '../../client/client-io.js';
import { HandshakeWatch } from './handshake-watch.js';

export class TunnelIO extends ClientIO {
  /** Until the handshake is done. */
  #watch: HandshakeWatch | undefined = new HandshakeWatch();

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: () => void): void {
    this.#observe(chunk);
    super._write(chunk, encoding, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    for (const { chunk } of chunks) this.#observe(chunk);
    super._writev(chunks, callback);
  }

  /** Application data before the server has said anything is 0-RTT, and proves nothing. */
  #observe(chunk: Buffer): void {
    if (!this.#watch?.sees(chunk) || !this.readableDidRead) return;
    this.#watch = undefined;
    this.handshakeDone();
  }
}
