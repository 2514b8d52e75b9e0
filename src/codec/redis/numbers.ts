/** Numbers as RESP writes them, read from `bytes[start, end)`. What is not one is an ERR_REDIS_PROTOCOL. */
import { MINUS, NINE, PLUS, ZERO } from './constants.js';
import { RedisError } from './errors.js';

/** Of a number with so many digits, whatever they are, a double holds each value. */
const SAFE_DIGITS = 15;
/** Digits of 2^63 - 1. */
const INT64_DIGITS = 19;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

const DOUBLE_FORMAT = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/;
/** Redis before 7.2 sends what the C library prints (RESP3.md, "Double"). */
const NAN_FORMAT = /^-?nan(\(\w*\))?$/i;
const BIG_NUMBER_FORMAT = /^[+-]?\d+$/;

/** A length or count: digits without a sign, and no zero before others. -1 stands for null, where `nullable`. */
export function parseLength(bytes: Buffer, start: number, end: number, nullable: boolean): number {
  const digits = end - start;
  if (digits > 0 && digits <= SAFE_DIGITS && (bytes[start] !== ZERO || digits === 1)) {
    const length = parseDigits(bytes, start, end);
    if (length >= 0) return length;
    if (nullable && digits === 2 && bytes[start] === MINUS && bytes[start + 1] === ZERO + 1) return -1;
  }
  throw new RedisError('ERR_REDIS_PROTOCOL', 'a length is not valid');
}

/** A signed 64-bit integer. */
export function parseInteger(bytes: Buffer, start: number, end: number): number | bigint {
  const sign = bytes[start];
  const first = sign === MINUS || sign === PLUS ? start + 1 : start;
  const digits = end - first;
  if (digits > 0 && digits <= SAFE_DIGITS) {
    const magnitude = parseDigits(bytes, first, end);
    // 0 - 0 is 0, where -0 would be another value.
    if (magnitude >= 0) return sign === MINUS ? 0 - magnitude : magnitude;
  } else if (digits > 0 && digits <= INT64_DIGITS && parseDigits(bytes, first, end) >= 0) {
    return parseLongInteger(bytes, start, end);
  }
  throw new RedisError('ERR_REDIS_PROTOCOL', 'an integer is not valid');
}

function parseLongInteger(bytes: Buffer, start: number, end: number): number | bigint {
  const value = BigInt(bytes.toString('latin1', start, end));
  if (value < INT64_MIN || value > INT64_MAX) throw new RedisError('ERR_REDIS_PROTOCOL', 'an integer exceeds 64 bits');
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function parseDouble(bytes: Buffer, start: number, end: number): number {
  const text = bytes.toString('latin1', start, end);
  if (DOUBLE_FORMAT.test(text)) return Number(text);
  if (text === 'inf') return Infinity;
  if (text === '-inf') return -Infinity;
  if (NAN_FORMAT.test(text)) return NaN;
  throw new RedisError('ERR_REDIS_PROTOCOL', 'a double is not valid');
}

export function parseBigNumber(bytes: Buffer, start: number, end: number, maxDigits: number): bigint {
  // One more for the sign.
  if (end - start > maxDigits + 1)
    throw new RedisError('ERR_REDIS_TOO_LONG', `a big number has over ${maxDigits} digits`);
  const text = bytes.toString('latin1', start, end);
  if (!BIG_NUMBER_FORMAT.test(text)) throw new RedisError('ERR_REDIS_PROTOCOL', 'a big number is not valid');
  return BigInt(text);
}

/** The value of digits alone, or -1. */
function parseDigits(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) return -1;
    value = value * 10 + byte - ZERO;
  }
  return value;
}
