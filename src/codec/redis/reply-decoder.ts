/**
 * Replies and pushes out of the bytes that a server sends, RESP2 and RESP3.
 *
 *     push(chunk) ─► ByteSource ─► lines, blobs ─► values ─► open aggregates ─► next()
 *
 * It pulls: nothing is decoded before `next` is called, and a reply that is incomplete goes on where it stopped.
 */
import { constants } from 'node:buffer';
import { ByteSource } from './byte-source.js';
import {
  AGGREGATE_BYTES,
  ARRAY,
  ATTRIBUTE,
  BIG_NUMBER,
  BOOLEAN,
  BUFFER_BYTES,
  BULK_ERROR,
  BULK_STRING,
  CR,
  DOUBLE,
  ELEMENT_BYTES,
  END,
  ERROR_BYTES,
  INTEGER,
  MAP,
  NULL,
  PART,
  PUSH,
  SET,
  SIMPLE_ERROR,
  SIMPLE_STRING,
  UNKNOWN_LENGTH,
  VERBATIM_PREFIX_BYTES,
  VERBATIM_STRING,
} from './constants.js';
import { RedisError, RedisServerError } from './errors.js';
import { Gather } from './gather.js';
import { defaultRedisLimits, type RedisLimits } from './limits.js';
import { unknownFirstByte } from './noise.js';
import { parseBigNumber, parseDouble, parseInteger, parseLength } from './numbers.js';
import { type Blobs, Push, type Reply } from './values.js';

export interface ReplyDecoderOptions {
  /** Default: `defaultRedisLimits`. */
  limits?: RedisLimits;
  /** What strings within replies become. Default 'string'. See `setBlobs`. */
  blobs?: Blobs;
  /** What strings within pushes become. Default 'string'. */
  pushBlobs?: Blobs;
}

/** More bytes have to come. */
const WAIT = Symbol('wait');
/** Something was read, and no value is complete by it. */
const OPEN = Symbol('open');

type Value = Reply | Push;
type Step = Value | typeof WAIT | typeof OPEN;

/** An aggregate that is being read. */
interface Aggregate {
  readonly type: number;
  readonly items: Reply[];
  filled: number;
  /** Elements that it takes, keys and values each one. Of a streamed one: more than it may have. */
  readonly count: number;
  readonly streamed: boolean;
}

/** Arrays of up to this many elements are allocated at once; `depth` bounds how many of them can be open. */
const ALLOCATED_ELEMENTS = 1024;
/** Of what is no text: the longest are integers. */
const SHORT_LINE_BYTES = 32;

/** What a line may begin with. Of text the line may be long. */
const SHORT = 1;
const TEXT = 2;
const KINDS = new Uint8Array(256);
for (const type of [INTEGER, BULK_STRING, ARRAY, NULL, BOOLEAN, BULK_ERROR, VERBATIM_STRING]) KINDS[type] = SHORT;
for (const type of [MAP, ATTRIBUTE, SET, PUSH, PART, END]) KINDS[type] = SHORT;
for (const type of [SIMPLE_STRING, SIMPLE_ERROR, DOUBLE, BIG_NUMBER]) KINDS[type] = TEXT;

export class ReplyDecoder {
  readonly #source = new ByteSource();
  readonly #limits: RedisLimits;
  readonly #pushBlobs: Blobs;
  #blobs: Blobs;

  /** What the reply that is being read makes of strings. */
  #asBuffers = false;
  /** What is left of `replyBytes` for the reply that is being read. */
  #budget: number;
  #attributes: Map<Reply, Reply> | undefined;
  /** Whether part of a reply has been read. */
  #begun = false;
  /** Aggregates that are being read, from the outermost. `#top` is the last. */
  readonly #stack: Aggregate[] = [];
  #top: Aggregate | undefined;
  /** A blob whose length was read: what it is; 0 when there is none. */
  #blobType = 0;
  #blobLength = 0;
  /** The parts of a streamed string, while it is being read. */
  #parts: Gather | undefined;
  #failure: unknown;

  constructor(options: ReplyDecoderOptions = {}) {
    this.#limits = options.limits ?? defaultRedisLimits;
    this.#blobs = options.blobs ?? 'string';
    this.#pushBlobs = options.pushBlobs ?? 'string';
    this.#budget = this.#limits.replyBytes;
  }

  /** Bytes that have come and were not decoded. What an incomplete reply holds in decoded form is not among them. */
  get buffered(): number {
    return this.#source.buffered;
  }

  /** The attributes that came with the reply that `next` gave last (RESP3 attribute type). */
  get attributes(): ReadonlyMap<Reply, Reply> | undefined {
    return this.#begun ? undefined : this.#attributes;
  }

  /** From the next reply on whose first line is not decoded yet. Pushes have their own option. */
  setBlobs(blobs: Blobs): void {
    this.#blobs = blobs;
  }

  /** Takes bytes as they came, which must not change afterwards. Decodes nothing yet: see `next`. */
  push(chunk: Buffer): void {
    this.#source.push(chunk);
  }

  /**
   * The next reply or push; undefined when it has not come whole. `null` is a reply, and so is an error of the server.
   * @throws RedisError ERR_REDIS_PROTOCOL, ERR_REDIS_TOO_LONG, ERR_REDIS_TOO_DEEP; then this connection cannot go on,
   * and each further call throws the same.
   */
  next(): Reply | Push | undefined {
    if (this.#failure) throw this.#failure;
    try {
      return this.#read();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #read(): Value | undefined {
    for (;;) {
      const step = this.#blobType === 0 ? this.#readLine() : this.#readBlob();
      if (step === WAIT) return undefined;
      if (step === OPEN) continue;
      const reply = this.#place(step);
      if (reply === OPEN) continue;
      this.#begun = false;
      return reply;
    }
  }

  #readLine(): Step {
    const source = this.#source;
    const type = source.peek();
    if (type === undefined) return WAIT;
    // Known before the line is whole: what cannot become one must not be waited for.
    const kind = KINDS[type];
    if (kind === 0) throw unknownFirstByte(type);
    if (!source.readLine(kind === TEXT ? this.#limits.lineBytes : SHORT_LINE_BYTES)) return WAIT;
    const { bytes, start, end } = source;
    const from = start + 1;
    if (this.#top === undefined && this.#parts === undefined) this.#begin(type);
    if (this.#parts !== undefined && type !== PART) {
      throw new RedisError('ERR_REDIS_PROTOCOL', 'a streamed string is not at its end');
    }
    switch (type) {
      case BULK_STRING:
        if (bytes[from] === UNKNOWN_LENGTH && end === from + 1) return this.#openParts();
        return this.#beginBlob(type, parseLength(bytes, from, end, true), this.#limits.bulkBytes);
      case ARRAY:
        return this.#openAggregate(type, 1);
      case INTEGER:
        return parseInteger(bytes, from, end);
      case SIMPLE_STRING:
        return this.#simpleString();
      case NULL:
        if (end !== from) throw new RedisError('ERR_REDIS_PROTOCOL', 'a null is not valid');
        return null;
      case MAP:
      case ATTRIBUTE:
        return this.#openAggregate(type, 2);
      case SET:
        return this.#openAggregate(type, 1);
      case PUSH:
        if (this.#top) throw new RedisError('ERR_REDIS_PROTOCOL', 'a push must not be within a reply');
        return this.#openAggregate(type, 1);
      case BOOLEAN:
        return parseBoolean(bytes, from, end);
      case DOUBLE:
        return parseDouble(bytes, from, end);
      case BIG_NUMBER:
        return parseBigNumber(bytes, from, end, this.#limits.bigNumberDigits);
      case SIMPLE_ERROR:
        this.#charge(ERROR_BYTES);
        return new RedisServerError(this.#text());
      case BULK_ERROR:
        this.#charge(ERROR_BYTES);
        return this.#beginBlob(type, parseLength(bytes, from, end, false), this.#limits.lineBytes);
      case VERBATIM_STRING:
        return this.#beginBlob(type, parseLength(bytes, from, end, false), this.#limits.bulkBytes);
      case PART:
        return this.#beginPart(parseLength(bytes, from, end, false));
      default:
        return this.#endStreamed(end === from);
    }
  }

  /** At each value of the top level, attributes too. */
  #begin(type: number): void {
    this.#asBuffers = (type === PUSH ? this.#pushBlobs : this.#blobs) === 'buffer';
    if (this.#begun) return;
    this.#begun = true;
    this.#budget = this.#limits.replyBytes;
    this.#attributes = undefined;
  }

  /** Reckons memory before it is allocated. */
  #charge(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) {
      throw new RedisError(
        'ERR_REDIS_TOO_LONG',
        `a reply takes more than ${this.#limits.replyBytes} bytes (replyBytes)`,
      );
    }
  }

  // Strings

  #beginBlob(type: number, length: number, most: number): Step {
    if (length === -1) return null;
    if (length > most || (!this.#asBuffers && length > constants.MAX_STRING_LENGTH)) {
      throw new RedisError('ERR_REDIS_TOO_LONG', `a string of ${length} bytes`);
    }
    this.#charge(this.#asBuffers ? length + BUFFER_BYTES : length);
    this.#blobType = type;
    this.#blobLength = length;
    return this.#readBlob();
  }

  #readBlob(): Step {
    if (!this.#source.readBlob(this.#blobLength)) return WAIT;
    const type = this.#blobType;
    this.#blobType = 0;
    switch (type) {
      case BULK_STRING:
        return this.#string();
      case VERBATIM_STRING:
        return this.#verbatimString();
      case BULK_ERROR:
        return new RedisServerError(this.#source.text());
      default:
        return this.#takePart();
    }
  }

  #string(): string | Buffer {
    return this.#asBuffers ? this.#source.buffer() : this.#source.text();
  }

  /** A format of three letters, a colon, and the text. */
  #verbatimString(): string | Buffer {
    const source = this.#source;
    const from = source.start + VERBATIM_PREFIX_BYTES;
    if (from > source.end || source.bytes[from - 1] !== 0x3a) {
      throw new RedisError('ERR_REDIS_PROTOCOL', 'a verbatim string has no format');
    }
    source.start = from;
    return this.#string();
  }

  #simpleString(): string | Buffer {
    this.#skipType();
    return this.#string();
  }

  #text(): string {
    this.#skipType();
    return this.#source.text();
  }

  /** Leaves the text of a line. */
  #skipType(): void {
    const source = this.#source;
    source.start++;
    for (let at = source.start; at < source.end; at++) {
      if (source.bytes[at] === CR) throw new RedisError('ERR_REDIS_PROTOCOL', 'a line must end with CR LF');
    }
    this.#charge(source.end - source.start);
  }

  // Streamed strings

  #openParts(): typeof OPEN {
    this.#parts = new Gather();
    return OPEN;
  }

  #beginPart(length: number): Step {
    const parts = this.#parts;
    if (!parts) throw new RedisError('ERR_REDIS_PROTOCOL', 'a part belongs to no streamed string');
    if (length > 0) return this.#beginBlob(PART, length, this.#limits.bulkBytes - parts.length);
    this.#parts = undefined;
    const bytes = parts.bytes.subarray(0, parts.length);
    return this.#asBuffers ? Buffer.from(bytes) : bytes.toString();
  }

  #takePart(): typeof OPEN {
    const { bytes, start, end } = this.#source;
    this.#parts?.append(bytes, start, end, this.#limits.bulkBytes);
    return OPEN;
  }

  // Aggregates

  /** `each`: what is counted as one has so many elements. */
  #openAggregate(type: number, each: 1 | 2): Step {
    const { bytes, start, end } = this.#source;
    const from = start + 1;
    const streamed = bytes[from] === UNKNOWN_LENGTH && end === from + 1 && type !== PUSH && type !== ATTRIBUTE;
    const { aggregateElements, depth } = this.#limits;
    const announced = streamed ? 0 : each * parseLength(bytes, from, end, type === ARRAY);
    if (announced < 0) return null;
    if (announced > aggregateElements) throw new RedisError('ERR_REDIS_TOO_LONG', `${announced} elements`);
    if (this.#stack.length >= depth) throw new RedisError('ERR_REDIS_TOO_DEEP', `more than ${depth} aggregates`);
    this.#charge(AGGREGATE_BYTES + announced * ELEMENT_BYTES);
    const items: Reply[] = announced <= ALLOCATED_ELEMENTS ? new Array(announced) : [];
    const count = streamed ? aggregateElements + 1 : announced;
    this.#top = { type, items, filled: 0, count, streamed };
    this.#stack.push(this.#top);
    return count === 0 ? this.#close() : OPEN;
  }

  /** Puts a value where it belongs. Gives the whole reply, once it is. */
  #place(value: Value): Value | typeof OPEN {
    let placed: Value | typeof OPEN = value;
    for (let top = this.#top; top !== undefined; top = this.#top) {
      // A push is never within another value: #readLine sees to it.
      top.items[top.filled++] = placed as Reply;
      if (top.streamed) this.#chargeStreamed(top);
      if (top.filled < top.count) return OPEN;
      placed = this.#close();
      if (placed === OPEN) return OPEN;
    }
    return placed;
  }

  #chargeStreamed({ filled, count }: Aggregate): void {
    if (filled === count) throw new RedisError('ERR_REDIS_TOO_LONG', `more than ${filled - 1} elements`);
    this.#charge(ELEMENT_BYTES);
  }

  #endStreamed(isWhole: boolean): Value | typeof OPEN {
    const top = this.#top;
    if (!top?.streamed || !isWhole)
      throw new RedisError('ERR_REDIS_PROTOCOL', 'an end belongs to no streamed aggregate');
    if (top.type === MAP && top.filled % 2 === 1) throw new RedisError('ERR_REDIS_PROTOCOL', 'a map ends after a key');
    return this.#close();
  }

  /** Takes the innermost aggregate off the stack, and makes its value. */
  #close(): Value | typeof OPEN {
    const { type, items } = this.#stack.pop() as Aggregate;
    this.#top = this.#stack.at(-1);
    switch (type) {
      case MAP:
        return addPairs(new Map(), items);
      case SET:
        return new Set(items);
      case PUSH:
        return toPush(items);
      case ATTRIBUTE:
        // What tells of a part of a reply has no place in it.
        if (!this.#top) this.#attributes = addPairs(this.#attributes ?? new Map(), items);
        return OPEN;
      default:
        return items;
    }
  }
}

function parseBoolean(bytes: Buffer, start: number, end: number): boolean {
  if (end === start + 1 && bytes[start] === 0x74) return true;
  if (end === start + 1 && bytes[start] === 0x66) return false;
  throw new RedisError('ERR_REDIS_PROTOCOL', 'a boolean is not valid');
}

function addPairs(map: Map<Reply, Reply>, items: readonly Reply[]): Map<Reply, Reply> {
  for (let at = 0; at < items.length; at += 2) map.set(items[at] as Reply, items[at + 1] as Reply);
  return map;
}

function toPush([kind, ...data]: readonly Reply[]): Push {
  if (typeof kind !== 'string' && !Buffer.isBuffer(kind)) {
    throw new RedisError('ERR_REDIS_PROTOCOL', 'a push must begin with its kind');
  }
  return new Push(kind.toString(), data);
}
