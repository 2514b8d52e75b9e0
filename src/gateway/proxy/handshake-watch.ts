/**
 * Sees by a TLS client's records, not by their content, that its handshake is done: it has begun to send application
 * data (RFC 8446, section 5.1; RFC 5246, section 6.2.1). In TLS 1.3 that is the type of an encrypted Finished too, which
 * a client sends once it has verified the server's; and that of an alert, which is shorter than either.
 */

const HEADER_LENGTH = 5;
const APPLICATION_DATA = 23;
/** Of an encrypted alert: two bytes, the type, and a tag of 16. */
const ALERT_LENGTH_MAX = 19;

export class HandshakeWatch {
  /** The header of the next record, as much as there is. */
  readonly #header = Buffer.alloc(HEADER_LENGTH);
  #headerLength = 0;
  /** Bytes of the present record that are still to come. */
  #remaining = 0;

  /** The client's next bytes; true where a record begins in them that only a client in agreement sends. */
  sees(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#remaining > 0) {
        const skipped = Math.min(this.#remaining, chunk.length - at);
        this.#remaining -= skipped;
        at += skipped;
        continue;
      }
      this.#header[this.#headerLength++] = chunk[at++] as number;
      if (this.#headerLength < HEADER_LENGTH) continue;
      this.#headerLength = 0;
      this.#remaining = this.#header.readUInt16BE(3);
      if (this.#header[0] === APPLICATION_DATA && this.#remaining > ALERT_LENGTH_MAX) return true;
    }
    return false;
  }
}
