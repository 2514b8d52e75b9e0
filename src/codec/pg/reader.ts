/** Reads the body of one message. It owns the offset, and nothing is read beyond the message's own end. */
import { NULL_LENGTH } from './constants.js';
import { PgError } from './errors.js';
import type { Format } from './messages.js';
import { decodeText } from './text.js';

const EMPTY: Buffer = Buffer.alloc(0);
/** Bytes of a string that are looked at one by one before `indexOf` looks for its end. */
const NEAR = 64;

/** The signed Int32 at an offset that the caller has checked. */
export function int32At(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** The Int16 at an offset that the caller has checked, taken as unsigned: counts go to 65,535. */
export function uint16At(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** @throws PgError ERR_PG_PROTOCOL from each method where the body has not what is read, naming the message */
export class Reader {
  #message = '';
  #bytes = EMPTY;
  #at = 0;
  #end = 0;

  /** Begins with another body: bytes[start] to bytes[end - 1] of the message `message`. */
  reset(message: string, bytes: Buffer, start: number, end: number): this {
    this.#message = message;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    return this;
  }

  /** Lets go of the bytes. */
  release(): void {
    this.reset('', EMPTY, 0, 0);
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint16(): number {
    return uint16At(this.#bytes, this.#take(2));
  }

  int32(): number {
    return int32At(this.#bytes, this.#take(4));
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A String: text up to a zero byte. */
  string(): string {
    const start = this.#at;
    const end = this.#zeroFrom(start);
    this.#at = end + 1;
    return decodeText(this.#bytes, start, end);
  }

  /** A view of the next bytes. */
  bytes(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A view of all that is left. */
  rest(): Buffer {
    return this.bytes(this.left);
  }

  /** All that is left, given to `view` as it lies in the bytes. */
  range<T>(view: (bytes: Buffer, start: number, end: number) => T): T {
    const start = this.#take(this.left);
    return view(this.#bytes, start, this.#end);
  }

  /** How many items follow, an Int16; `itemBytes` is the least that each takes, so that nobody allocates for a lie. */
  count(itemBytes: number): number {
    return this.checkCount(this.uint16(), itemBytes);
  }

  checkCount(count: number, itemBytes: number): number {
    if (count < 0 || count * itemBytes > this.left) this.fail(`${count} items do not fit the message`);
    return count;
  }

  /** As many items as `count` says, each by `read`. */
  list<T>(itemBytes: number, read: () => T): T[] {
    const count = this.count(itemBytes);
    const items: T[] = [];
    for (let item = 0; item < count; item++) items.push(read());
    return items;
  }

  format(): Format {
    const format = this.int16();
    if (format !== 0 && format !== 1) this.fail(`${format} is no format code`);
    return format;
  }

  formats(): Format[] {
    return this.list(2, () => this.format());
  }

  /** A value: its length as an Int32, or -1 for null, and its bytes. */
  value(): Buffer | null {
    const length = this.int32();
    return length === NULL_LENGTH ? null : this.bytes(length);
  }

  /** Nothing may follow: length and contents of the message agree. */
  expectEnd(): void {
    if (this.#at !== this.#end) this.fail(`${this.left} bytes too many`);
  }

  fail(detail: string): never {
    throw new PgError('ERR_PG_PROTOCOL', `${this.#message}: ${detail}`);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length < 0 || length > this.#end - start) this.fail('it is shorter than its contents');
    this.#at = start + length;
    return start;
  }

  #zeroFrom(start: number): number {
    const near = Math.min(this.#end, start + NEAR);
    for (let at = start; at < near; at++) if (this.#bytes[at] === 0) return at;
    const zero = this.#bytes.indexOf(0, near);
    if (zero < 0 || zero >= this.#end) this.fail('a string without an end');
    return zero;
  }
}
