/**
 * What came from the peer, given out as lines and as blobs of known length, however it was split. Nothing is
 * searched twice: what is incomplete is kept, and the search goes on in the next chunk.
 */
import { isAscii } from 'node:buffer';
import { CR, LF } from './constants.js';
import { RedisError } from './errors.js';
import { Gather } from './gather.js';

/** Of chunks from so many bytes on it is worth to know whether all are ASCII: then text need not be decoded. */
const ASCII_CHECK_BYTES = 4096;
const NOTHING = Buffer.alloc(0);

export class ByteSource {
  // The last line or blob, `bytes[start, end)` without its end of line. Valid until the next call.
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;

  #chunk: Buffer = NOTHING;
  #at = 0;
  #isAscii = false;
  /** Chunks behind this one, from `#next` on. */
  #waiting: Buffer[] = [];
  #next = 0;
  #waitingBytes = 0;
  /** The part of an incomplete line or blob that was in chunks before this one. */
  readonly #held = new Gather();

  /** Bytes that have come and were not given out. */
  get buffered(): number {
    return this.#held.length + this.#chunk.length - this.#at + this.#waitingBytes;
  }

  push(chunk: Buffer): void {
    if (this.#at === this.#chunk.length && this.#next === this.#waiting.length) {
      this.#enter(chunk);
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
  }

  /** The next byte, which stays, or undefined when none has come. */
  peek(): number | undefined {
    if (this.#held.length > 0) return this.#held.bytes[0];
    return this.#more() ? this.#chunk[this.#at] : undefined;
  }

  /** Reads a line that CRLF ends. False: more has to come. */
  readLine(maxBytes: number): boolean {
    if (!this.#readToLineFeed(maxBytes)) return false;
    if (this.end === this.start || this.bytes[this.end - 1] !== CR) {
      throw new RedisError('ERR_REDIS_PROTOCOL', 'a line must end with CR LF');
    }
    this.end--;
    return true;
  }

  /** Reads an inline command's line, which LF alone may end. False: more has to come. */
  readInlineLine(maxBytes: number): boolean {
    if (!this.#readToLineFeed(maxBytes)) return false;
    if (this.end > this.start && this.bytes[this.end - 1] === CR) this.end--;
    return true;
  }

  /** Reads so many bytes and the CRLF behind them. False: more has to come; ask for the same again. */
  readBlob(length: number): boolean {
    const whole = length + 2;
    if (this.#held.length === 0) {
      const { length: available } = this.#chunk;
      if (this.#at + whole <= available) {
        this.#give(this.#chunk, this.#at, this.#at + length);
        this.#at += whole;
        this.#checkBlobEnd();
        return true;
      }
    }
    while (this.#more()) {
      const missing = whole - this.#held.length;
      const stop = Math.min(this.#at + missing, this.#chunk.length);
      this.#held.append(this.#chunk, this.#at, stop, whole);
      this.#at = stop;
      if (this.#held.length === whole) {
        this.#give(this.#held.bytes, 0, length);
        this.#checkBlobEnd();
        this.#held.clear();
        return true;
      }
    }
    return false;
  }

  /** The last line or blob as text. */
  text(): string {
    const encoding = this.#isAscii && this.bytes === this.#chunk ? 'latin1' : undefined;
    return this.bytes.toString(encoding, this.start, this.end);
  }

  /** The last blob, for keeps: a view, unless that kept far more alive than itself. */
  buffer(): Buffer {
    const { bytes, start, end } = this;
    const isOwn = bytes !== this.#held.bytes && 2 * (end - start) >= bytes.buffer.byteLength;
    return isOwn ? bytes.subarray(start, end) : Buffer.from(bytes.subarray(start, end));
  }

  #give(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  #checkBlobEnd(): void {
    if (this.bytes[this.end] !== CR || this.bytes[this.end + 1] !== LF) {
      throw new RedisError('ERR_REDIS_PROTOCOL', 'a bulk string must end with CR LF where its length says');
    }
  }

  #readToLineFeed(maxBytes: number): boolean {
    while (this.#more()) {
      const chunk = this.#chunk;
      const at = this.#at;
      const limit = maxBytes - this.#held.length;
      let stop = at;
      while (stop < chunk.length && chunk[stop] !== LF) stop++;
      if (stop - at > limit) throw new RedisError('ERR_REDIS_TOO_LONG', `a line has more than ${maxBytes} bytes`);
      if (stop < chunk.length) {
        this.#at = stop + 1;
        this.#giveLine(chunk, at, stop);
        return true;
      }
      this.#held.append(chunk, at, stop, maxBytes);
      this.#at = stop;
    }
    return false;
  }

  #giveLine(chunk: Buffer, at: number, stop: number): void {
    const held = this.#held;
    if (held.length === 0) {
      this.#give(chunk, at, stop);
      return;
    }
    held.append(chunk, at, stop, held.length + stop - at);
    this.#give(held.bytes, 0, held.length);
    held.clear();
  }

  #enter(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#isAscii = chunk.length >= ASCII_CHECK_BYTES && isAscii(chunk);
  }

  /** Whether there is a byte to read, in this chunk or the next. */
  #more(): boolean {
    while (this.#at === this.#chunk.length) {
      if (this.#next === this.#waiting.length) return this.#release();
      this.#enter(this.#waiting[this.#next] as Buffer);
      this.#waiting[this.#next++] = NOTHING;
      this.#waitingBytes -= this.#chunk.length;
      if (this.#next === this.#waiting.length) {
        this.#waiting = [];
        this.#next = 0;
      }
    }
    return true;
  }

  /** Keeps no chunk alive while the next is waited for. */
  #release(): false {
    this.#enter(NOTHING);
    this.bytes = NOTHING;
    return false;
  }
}
