/** Bytes that are to be sent. Small pieces are written into blocks; large Buffers pass through uncopied. */
import { CR, LF } from './constants.js';

const BLOCK_BYTES = 8192;
/** From so many bytes on, a Buffer is passed on rather than copied. */
export const PASSED_ON_BYTES = 4096;

export class ByteSink {
  #done: Buffer[] = [];
  #doneBytes = 0;
  #block: Buffer = Buffer.alloc(0);
  /** What of the block is not taken yet is `#block[#from, #to)`. */
  #from = 0;
  #to = 0;

  /** Bytes written and not taken. */
  get bytes(): number {
    return this.#doneBytes + this.#to - this.#from;
  }

  /** What was written since the last call, in order. */
  take(): Buffer[] {
    this.#endBlock();
    const done = this.#done;
    this.#done = [];
    this.#doneBytes = 0;
    return done;
  }

  /** A type's first byte, a number in digits, and CRLF. */
  header(type: number, value: number | bigint | string): void {
    const digits = String(value);
    this.#reserve(digits.length + 3);
    const block = this.#block;
    block[this.#to++] = type;
    for (let at = 0; at < digits.length; at++) block[this.#to++] = digits.charCodeAt(at);
    block[this.#to++] = CR;
    block[this.#to++] = LF;
  }

  /** A type's first byte, text without an end of line, and CRLF. */
  line(type: number, text: string): void {
    this.#reserve(1);
    this.#block[this.#to++] = type;
    this.text(text);
    this.crlf();
  }

  /** A header with the length, the text as UTF-8, and CRLF. */
  textBlob(type: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.header(type, length);
    this.text(text, length);
    this.crlf();
  }

  /** The same of bytes, which must not change until they are sent. */
  blob(type: number, bytes: Uint8Array): void {
    this.header(type, bytes.byteLength);
    this.raw(bytes);
    this.crlf();
  }

  text(text: string, byteLength = Buffer.byteLength(text)): void {
    if (byteLength >= PASSED_ON_BYTES) {
      this.raw(Buffer.from(text));
      return;
    }
    this.#reserve(byteLength);
    this.#to += this.#block.write(text, this.#to);
  }

  raw(bytes: Uint8Array): void {
    if (bytes.byteLength >= PASSED_ON_BYTES) {
      this.#endBlock();
      this.#push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return;
    }
    this.#reserve(bytes.byteLength);
    this.#block.set(bytes, this.#to);
    this.#to += bytes.byteLength;
  }

  crlf(): void {
    this.#reserve(2);
    this.#block[this.#to++] = CR;
    this.#block[this.#to++] = LF;
  }

  #reserve(bytes: number): void {
    if (this.#to + bytes <= this.#block.length) return;
    this.#endBlock();
    this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
    this.#from = 0;
    this.#to = 0;
  }

  #endBlock(): void {
    if (this.#to === this.#from) return;
    this.#push(this.#block.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  #push(bytes: Buffer): void {
    this.#done.push(bytes);
    this.#doneBytes += bytes.length;
  }
}
