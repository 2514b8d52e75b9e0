/** Commands as arrays of bulk strings, as a server takes them. */
import { inspect } from 'node:util';
import { ByteSink } from './byte-sink.js';
import { ARRAY, BULK_STRING } from './constants.js';
import { RedisError } from './errors.js';
import { defaultRedisLimits, type RedisLimits } from './limits.js';

/** An argument of a command. Strings go as UTF-8, numbers as JavaScript writes them, infinities as `inf` and `-inf`. */
export type Argument = string | Buffer | Uint8Array | number | bigint;

/** Encodes one command after another: `add`, then `take` what is to be written. */
export class RequestEncoder {
  readonly #sink = new ByteSink();
  readonly #limits: RedisLimits;

  constructor({ limits = defaultRedisLimits }: { limits?: RedisLimits } = {}) {
    this.#limits = limits;
  }

  /** Bytes added and not taken. */
  get bytes(): number {
    return this.#sink.bytes;
  }

  /**
   * Adds a command, whole or not at all. Buffers from 4 KiB on are not copied: they must not change until they are sent.
   * @param args its name, then its arguments
   * @throws RedisError ERR_REDIS_BAD_VALUE, ERR_REDIS_TOO_LONG
   */
  add(args: readonly Argument[]): void {
    const values = this.#check(args);
    this.#sink.header(ARRAY, values.length);
    for (const value of values) {
      if (typeof value === 'string') this.#sink.textBlob(BULK_STRING, value);
      else this.#sink.blob(BULK_STRING, value);
    }
  }

  /** What was added since the last call, to be written in this order. */
  take(): Buffer[] {
    return this.#sink.take();
  }

  #check(args: readonly Argument[]): (string | Uint8Array)[] {
    const { requestArguments, bulkBytes } = this.#limits;
    if (args.length === 0) throw new RedisError('ERR_REDIS_BAD_VALUE', 'a command has a name at least');
    if (args.length > requestArguments) {
      throw new RedisError('ERR_REDIS_TOO_LONG', `a command with ${args.length} arguments`);
    }
    const values: (string | Uint8Array)[] = [];
    // By index, as holes are refused too.
    for (let at = 0; at < args.length; at++) {
      const value = toBulk(args[at], at);
      // UTF-8 is no shorter than the text.
      if (value.length > bulkBytes || (3 * value.length > bulkBytes && Buffer.byteLength(value) > bulkBytes)) {
        throw new RedisError('ERR_REDIS_TOO_LONG', `argument ${at} has more than ${bulkBytes} bytes`);
      }
      values.push(value);
    }
    return values;
  }
}

/** One command. See `RequestEncoder.add`. */
export function encodeCommand(args: readonly Argument[], into = new RequestEncoder()): Buffer[] {
  into.add(args);
  return into.take();
}

function toBulk(value: unknown, at: number): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isNaN(value)) return numberText(value);
  // Its kind, not itself: it may be a secret.
  const kind = typeof value === 'object' && value !== null ? 'an object' : inspectKind(value);
  throw new RedisError('ERR_REDIS_BAD_VALUE', `argument ${at} is ${kind}: give a string, Buffer, number or bigint`);
}

function inspectKind(value: unknown): string {
  return typeof value === 'number' || value === null || value === undefined ? inspect(value) : `a ${typeof value}`;
}

function numberText(value: number): string {
  if (value === Infinity) return 'inf';
  return value === -Infinity ? '-inf' : String(value);
}
