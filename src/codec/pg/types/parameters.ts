/** From a JavaScript value to a query parameter, as node-postgres does it (its prepareValue). */
import { types } from 'node:util';
import { PgError } from '../errors.js';
import type { ParameterValue } from '../messages.js';
import { formatDate } from './date.js';

/** Arrays and toPostgres() results that stand in one another: more is taken for a structure that contains itself. */
const MAX_NESTING = 64;

/** An object that says itself what PostgreSQL gets: any value that a parameter can be. */
interface Convertible {
  toPostgres(encode: typeof encodeParameter): unknown;
}

/**
 * The value of a parameter: null for null and undefined; bytes (binary format) for Buffers, views and ArrayBuffers; else
 * text. Dates go as local time with its offset, arrays as array literals, objects as what their toPostgres() returns or
 * as JSON; a top-level array for a json parameter has to be stringified by the caller.
 * @throws PgError ERR_PG_BAD_VALUE for a function, a symbol, an invalid Date, and what contains itself
 */
export function encodeParameter(value: unknown): ParameterValue {
  return encode(value, 0);
}

function encode(value: unknown, nesting: number): ParameterValue {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : encodeObject(value, nesting);
    default:
      throw new PgError('ERR_PG_BAD_VALUE', `a ${typeof value} is no value`);
  }
}

function encodeObject(value: object, nesting: number): ParameterValue {
  if (nesting > MAX_NESTING) throw new PgError('ERR_PG_BAD_VALUE', 'it contains itself, or is nested too deeply');
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (types.isAnyArrayBuffer(value)) return Buffer.from(value);
  if (types.isDate(value)) return encodeDate(value);
  if (Array.isArray(value)) return encodeArray(value, nesting);
  if (isConvertible(value)) return encode(value.toPostgres(encodeParameter), nesting + 1);
  return encodeJson(value);
}

function encodeDate(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new PgError('ERR_PG_BAD_VALUE', 'the Date is invalid');
  return formatDate(date);
}

function encodeArray(items: readonly unknown[], nesting: number): string {
  let text = '{';
  // Not for…of: iteration is slower, and forEach would leave holes out.
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += encodeItem(items[i], nesting + 1);
  }
  return `${text}}`;
}

/** Array literals stand in one another as they are; all other text is quoted, which PostgreSQL takes for any type. */
function encodeItem(item: unknown, nesting: number): string {
  const value = encode(item, nesting);
  if (value === null) return 'NULL';
  if (typeof value !== 'string') return `\\\\x${value.toString('hex')}`;
  return Array.isArray(item) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function isConvertible(value: object): value is Convertible {
  return 'toPostgres' in value && typeof value.toPostgres === 'function';
}

/** undefined, which toJSON() may return, is NULL. */
function encodeJson(value: object): string | null {
  try {
    return JSON.stringify(value) ?? null;
  } catch (error) {
    throw new PgError('ERR_PG_BAD_VALUE', 'JSON.stringify refuses the object', { cause: error });
  }
}
