/**
 * Reads big-endian numbers and length-prefixed vectors from the front of some bytes (the presentation language of RFC
 * 8446, section 3). It never throws: once a read goes beyond the end, this and every further one gives zeros, and
 * `isWhole` is false for good. So a parser reads on, and asks once.
 */
const EMPTY: Buffer = Buffer.alloc(0);

export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;
  #overrun = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Bytes that were not read; 0 after a read beyond the end, so that loops end. */
  get remaining(): number {
    return this.#overrun ? 0 : this.#bytes.length - this.#at;
  }

  /** Whether everything was there that was read, and all that is there was read. */
  get isWhole(): boolean {
    return !this.#overrun && this.#at === this.#bytes.length;
  }

  uint8(): number {
    return this.#take(1) ? this.#bytes.readUInt8(this.#at - 1) : 0;
  }

  uint16(): number {
    return this.#take(2) ? this.#bytes.readUInt16BE(this.#at - 2) : 0;
  }

  uint32(): number {
    return this.#take(4) ? this.#bytes.readUInt32BE(this.#at - 4) : 0;
  }

  /** A view, not a copy; empty where not that many are left. */
  bytes(length: number): Buffer {
    return this.#take(length) ? this.#bytes.subarray(this.#at - length, this.#at) : EMPTY;
  }

  /** The bytes behind a length of one byte. */
  vector8(): Buffer {
    return this.bytes(this.uint8());
  }

  /** The bytes behind a length of two bytes. */
  vector16(): Buffer {
    return this.bytes(this.uint16());
  }

  #take(length: number): boolean {
    if (this.#overrun || length > this.#bytes.length - this.#at) {
      this.#overrun = true;
      return false;
    }
    this.#at += length;
    return true;
  }
}
