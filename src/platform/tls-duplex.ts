/** What both IOs are: a Duplex that node:tls can run on as it runs on a TCP socket. */
import { Duplex } from 'node:stream';

type WriteCallback = (error?: Error | null) => void;

export class TlsDuplex extends Duplex {
  #peerEnded = false;

  constructor() {
    // TLS decides when each direction ends.
    super({ allowHalfOpen: true });
  }

  /** The peer's FIN. */
  protected endReading(): void {
    if (this.#peerEnded) return;
    this.#peerEnded = true;
    this.push(null);
  }

  /** TCP is closed. Where the peer did not end before, it was destroyed on this side, and TLS goes with it, as natively. */
  protected carrierClosed(): void {
    if (!this.#peerEnded) this.destroy();
  }

  override write(chunk: unknown, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    // TLS writes behind its own end: a Finished where the application ended first, the answer to a KeyUpdate. On TCP such
    // bytes vanish without a word; a Duplex would fail with ERR_STREAM_WRITE_AFTER_END.
    if (this.writableEnded) {
      const done = typeof encoding === 'function' ? encoding : callback;
      if (done) process.nextTick(done);
      return true;
    }
    return typeof encoding === 'function'
      ? super.write(chunk, encoding)
      : super.write(chunk, encoding as BufferEncoding, callback);
  }
}
