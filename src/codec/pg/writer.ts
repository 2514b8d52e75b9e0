/** Writes messages one behind the other. It owns the offset, and fills in the length when a message ends. */
import { LENGTH_LENGTH, MESSAGE_BYTES_MAX, NULL_LENGTH } from './constants.js';
import { PgError } from './errors.js';
import type { Format } from './messages.js';

const EMPTY: Buffer = Buffer.alloc(0);
/** Bytes of a first or new buffer: several small queries. */
const BUFFER_BYTES = 4096;
/** A string up to this length gets the room that it could need at most; a longer one is measured first. */
const SHORT_STRING = 1024;
/** Bytes of UTF-8 for one UTF-16 unit, at most. */
const UTF8_BYTES_MAX = 3;

/** @throws PgError ERR_PG_BAD_VALUE or ERR_PG_MESSAGE_TOO_LONG; `truncate` takes the message back */
export class Writer {
  #bytes = EMPTY;
  /** Where the messages begin that were not taken. */
  #taken = 0;
  /** Where the message begins that is being written. */
  #message = 0;
  #at = 0;

  /** Begins a message; one of the startup phase has no type. */
  begin(type?: number): void {
    this.#message = this.#at;
    if (type !== undefined) this.byte(type);
    this.#reserve(LENGTH_LENGTH);
  }

  /** Ends the message: its length is known. */
  end(type?: number): void {
    const lengthAt = this.#message + (type === undefined ? 0 : 1);
    this.#bytes.writeInt32BE(this.#at - lengthAt, lengthAt);
  }

  /** Bytes since the last `take`. */
  get length(): number {
    return this.#at - this.#taken;
  }

  /** Takes back what was written since there were `length` bytes. */
  truncate(length: number): void {
    this.#at = this.#taken + length;
  }

  /** The messages since the last `take`; the bytes are the caller's from here on. */
  take(): Buffer {
    const messages = this.#bytes.subarray(this.#taken, this.#at);
    this.#taken = this.#at;
    return messages;
  }

  byte(value: number): this {
    const at = this.#reserve(1);
    this.#bytes[at] = inRange(value, 0, 0xff);
    return this;
  }

  /** An Int16, signed or unsigned. */
  int16(value: number): this {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16BE(inRange(value, -0x8000, 0xffff) & 0xffff, at);
    return this;
  }

  /** An Int32, signed or unsigned. */
  int32(value: number): this {
    const at = this.#reserve(4);
    this.#bytes.writeInt32BE(inRange(value, -0x8000_0000, 0xffff_ffff) | 0, at);
    return this;
  }

  /** A String: text and a zero byte. Text that has one inside would end early, and the rest be read as something else. */
  string(text: string): this {
    if (text.includes('\0')) throw new PgError('ERR_PG_BAD_VALUE', 'a string has a zero byte inside');
    return this.#text(text).byte(0);
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** A value: its length as an Int32, or -1 for null, and its bytes. */
  value(value: string | Uint8Array | null): this {
    if (value === null) return this.int32(NULL_LENGTH);
    if (typeof value !== 'string') return this.int32(value.length).bytes(value);
    this.#reserve(4);
    // Offsets move where the text needs a new buffer; lengths since the last `take` do not.
    const before = this.length;
    this.#text(value);
    this.#bytes.writeInt32BE(this.length - before, this.#taken + before - 4);
    return this;
  }

  /** How many follow, as an Int16, and each of them by `write`. */
  list<T>(items: readonly T[], write: (item: T) => void): this {
    if (items.length > 0xffff) throw new PgError('ERR_PG_BAD_VALUE', `${items.length} items, 65,535 at most`);
    this.int16(items.length);
    for (const item of items) write(item);
    return this;
  }

  formats(formats: readonly Format[]): this {
    return this.list(formats, (format) => this.int16(format));
  }

  #text(text: string): this {
    const bytes = text.length <= SHORT_STRING ? text.length * UTF8_BYTES_MAX : Buffer.byteLength(text);
    const at = this.#reserve(bytes);
    this.#at = at + this.#bytes.write(text, at);
    return this;
  }

  /** Makes room, and takes it. */
  #reserve(bytes: number): number {
    const at = this.#at;
    if (at + bytes - this.#message > MESSAGE_BYTES_MAX) {
      throw new PgError('ERR_PG_MESSAGE_TOO_LONG', `PostgreSQL takes ${MESSAGE_BYTES_MAX} bytes`);
    }
    if (at + bytes > this.#bytes.length) return this.#grow(bytes);
    this.#at = at + bytes;
    return at;
  }

  /** Moves what was not taken to a new buffer: what was taken stays as it is. */
  #grow(bytes: number): number {
    const pending = this.#at - this.#taken;
    const bigger = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, 2 * pending, pending + bytes));
    bigger.set(this.#bytes.subarray(this.#taken, this.#at));
    this.#bytes = bigger;
    this.#message -= this.#taken;
    this.#taken = 0;
    this.#at = pending + bytes;
    return pending;
  }
}

function inRange(value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new PgError('ERR_PG_BAD_VALUE', `${value} is no integer from ${min} to ${max}`);
}
