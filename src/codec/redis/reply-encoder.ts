/**
 * Replies as a server sends them: a method for each type, and `reply` for whatever a decoder gives.
 *
 * For a client that speaks RESP2 (`protocol: 2`) the types of RESP3 become what Redis sends in their place: null `$-1`,
 * maps and sets arrays, doubles and big numbers strings, booleans 1 and 0, verbatim strings and bulk errors plain ones,
 * attributes nothing.
 */
import { ByteSink } from './byte-sink.js';
import {
  ARRAY,
  ATTRIBUTE,
  BIG_NUMBER,
  BOOLEAN,
  BULK_ERROR,
  BULK_STRING,
  DOUBLE,
  END,
  INTEGER,
  MAP,
  NULL,
  PART,
  PUSH,
  SET,
  SIMPLE_ERROR,
  SIMPLE_STRING,
  UNKNOWN_LENGTH,
  VERBATIM_STRING,
} from './constants.js';
import { RedisError, RedisServerError } from './errors.js';
import { Push, type Reply } from './values.js';

export interface ReplyEncoderOptions {
  /** What the client speaks: HELLO changes it. Default 2, as every connection begins. */
  protocol?: 2 | 3;
}

type Aggregate = Reply[] | Map<Reply, Reply> | Set<Reply> | Push;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const CR_OR_LF = /[\r\n]/;
const VERBATIM_FORMAT = /^[!-~]{3}$/;
const STREAMED = String.fromCharCode(UNKNOWN_LENGTH);

/** Types of aggregates whose length is not known when they begin. */
const STREAMS = { array: ARRAY, set: SET, map: MAP } as const;

export class ReplyEncoder {
  /** What the client speaks. */
  protocol: 2 | 3;
  readonly #sink = new ByteSink();

  constructor({ protocol = 2 }: ReplyEncoderOptions = {}) {
    this.protocol = protocol;
  }

  /** Bytes encoded and not taken. */
  get bytes(): number {
    return this.#sink.bytes;
  }

  /** What was encoded since the last call, to be written in this order. */
  take(): Buffer[] {
    return this.#sink.take();
  }

  /**
   * A value as a `ReplyDecoder` gives it, so that it decodes to the same: strings as bulk strings, numbers as integers
   * where they are, else as doubles.
   */
  reply(value: Reply | Push): void {
    // One for each aggregate that is open: a reply may be nested deeper than calls can be.
    const open: Iterator<Reply | Push>[] = [[value].values()];
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const { done, value: next } = top.next();
      if (done) open.pop();
      else if (isAggregate(next)) open.push(this.#begin(next));
      else this.#single(next);
    }
  }

  #single(value: Exclude<Reply, Aggregate>): void {
    if (value === null) this.null();
    else if (typeof value === 'string' || Buffer.isBuffer(value)) this.bulkString(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#bigint(value);
    else if (typeof value === 'boolean') this.boolean(value);
    else if (value instanceof RedisServerError) this.error(value.message);
    else throw new RedisError('ERR_REDIS_BAD_VALUE', `a reply has no ${typeof value}`);
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.integer(value);
    else this.double(value);
  }

  /** A safe integer that is a bigint was a big number, or a decoder had given a number. */
  #bigint(value: bigint): void {
    if (isInt64(value) && !Number.isSafeInteger(Number(value))) this.integer(value);
    else this.bigNumber(value);
  }

  /** Gives what follows. */
  #begin(value: Aggregate): Iterator<Reply> {
    if (value instanceof Map) {
      this.map(value.size);
      return keysAndValues(value);
    }
    if (value instanceof Set) {
      this.set(value.size);
      return value.values();
    }
    if (value instanceof Push) {
      this.push(value.data.length + 1);
      return [value.kind, ...value.data].values();
    }
    this.array(value.length);
    return value.values();
  }

  // Values

  /** `+`: text without CR and LF. */
  simpleString(text: string): void {
    this.#line(SIMPLE_STRING, text);
  }

  /** `-`, or `!` where the text has line ends. It begins with a word in upper case, such as ERR. */
  error(text: string): void {
    if (!CR_OR_LF.test(text)) this.#line(SIMPLE_ERROR, text);
    else if (this.protocol === 3) this.bulkError(text);
    else this.#line(SIMPLE_ERROR, text.replaceAll(/[\r\n]/g, ' '));
  }

  /** `!` */
  bulkError(text: string): void {
    if (this.protocol === 2) this.error(text);
    else this.#sink.textBlob(BULK_ERROR, text);
  }

  /** `:`, within 64 bits. */
  integer(value: number | bigint): void {
    const isWhole = typeof value === 'bigint' ? isInt64(value) : Number.isSafeInteger(value);
    if (!isWhole) throw new RedisError('ERR_REDIS_BAD_VALUE', 'an integer has at most 64 bits');
    this.#sink.header(INTEGER, value);
  }

  /** `$`. Buffers from 4 KiB on are not copied: they must not change until they are sent. */
  bulkString(value: string | Buffer): void {
    if (typeof value === 'string') this.#sink.textBlob(BULK_STRING, value);
    else this.#sink.blob(BULK_STRING, value);
  }

  /** `=`; a format of three letters: `txt`, `mkd`. */
  verbatimString(format: string, text: string): void {
    if (!VERBATIM_FORMAT.test(format)) throw new RedisError('ERR_REDIS_BAD_VALUE', 'a format has three letters');
    if (this.protocol === 2) this.bulkString(text);
    else this.#sink.textBlob(VERBATIM_STRING, `${format}:${text}`);
  }

  /** `_` */
  null(): void {
    if (this.protocol === 2) this.#sink.header(BULK_STRING, -1);
    else this.#sink.header(NULL, '');
  }

  /** `#` */
  boolean(value: boolean): void {
    if (this.protocol === 2) this.integer(value ? 1 : 0);
    else this.#sink.header(BOOLEAN, value ? 't' : 'f');
  }

  /** `,` */
  double(value: number): void {
    const text = doubleText(value);
    if (this.protocol === 2) this.bulkString(text);
    else this.#sink.header(DOUBLE, text);
  }

  /** `(` */
  bigNumber(value: bigint): void {
    if (this.protocol === 2) this.bulkString(String(value));
    else this.#sink.header(BIG_NUMBER, value);
  }

  // Aggregates: so many elements, or pairs, follow

  /** `*` */
  array(count: number): void {
    this.#count(ARRAY, count);
  }

  /** `%`: so many keys, each with its value. */
  map(pairs: number): void {
    if (this.protocol === 2) this.#count(ARRAY, 2 * pairs);
    else this.#count(MAP, pairs);
  }

  /** `~` */
  set(count: number): void {
    this.#count(this.protocol === 2 ? ARRAY : SET, count);
  }

  /** `>`: its kind, a string, and what belongs to it. */
  push(count: number): void {
    this.#count(this.protocol === 2 ? ARRAY : PUSH, count);
  }

  /** `|`, before the value that it tells of. RESP2 has none: encodes nothing there. */
  attribute(pairs: ReadonlyMap<Reply, Reply>): void {
    if (this.protocol === 2) return;
    this.#count(ATTRIBUTE, pairs.size);
    for (const [key, value] of pairs) {
      this.reply(key);
      this.reply(value);
    }
  }

  // Streamed (RESP3.md, "Streamed strings", "Streamed aggregated data types")

  /** `$?`: `part`s follow, then `endParts`. */
  beginParts(): void {
    this.#streamed(BULK_STRING);
  }

  /** `;`; an empty one would be the end, and is left out. */
  part(value: string | Buffer): void {
    if (value.length === 0) return;
    if (typeof value === 'string') this.#sink.textBlob(PART, value);
    else this.#sink.blob(PART, value);
  }

  endParts(): void {
    this.#sink.header(PART, 0);
  }

  /** `*?`, `~?`, `%?`: elements follow, then `end`. */
  begin(type: keyof typeof STREAMS): void {
    this.#streamed(STREAMS[type]);
  }

  /** `.` */
  end(): void {
    this.#sink.header(END, '');
  }

  #streamed(type: number): void {
    if (this.protocol === 2) throw new RedisError('ERR_REDIS_BAD_VALUE', 'RESP2 has nothing that is streamed');
    this.#sink.header(type, STREAMED);
  }

  #count(type: number, count: number): void {
    if (!Number.isSafeInteger(count) || count < 0) throw new RedisError('ERR_REDIS_BAD_VALUE', 'a count is not valid');
    this.#sink.header(type, count);
  }

  /** A line of text: what has a line end would be more than one. */
  #line(type: number, text: string): void {
    if (CR_OR_LF.test(text)) throw new RedisError('ERR_REDIS_BAD_VALUE', 'a line has no CR and LF within');
    this.#sink.line(type, text);
  }
}

function isAggregate(value: Reply | Push): value is Aggregate {
  return Array.isArray(value) || value instanceof Map || value instanceof Set || value instanceof Push;
}

function isInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

function* keysAndValues(map: Map<Reply, Reply>): Generator<Reply, undefined> {
  for (const pair of map) yield* pair;
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (Object.is(value, -0)) return '-0';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? 'inf' : '-inf';
}
