/** What peers that speak something else send first: errors that say so. */
import { RedisError } from './errors.js';

/** TLS records of the types alert and handshake (RFC 8446, section 5.1). */
const TLS_ALERT = 0x15;
const TLS_HANDSHAKE = 0x16;
const LETTER_H = 0x48;

/** The error for a first byte that no type of RESP has. */
export function unknownFirstByte(byte: number): RedisError {
  return new RedisError('ERR_REDIS_PROTOCOL', `a reply begins with byte 0x${hex(byte)}${serverHint(byte)}`);
}

function serverHint(byte: number): string {
  if (isTls(byte)) return ', as TLS does: is this the port for rediss://?';
  return byte === LETTER_H ? ", 'H': is this an HTTP server?" : '';
}

/** Throws at a byte that no inline command begins with. */
export function checkInlineStart(byte: number): void {
  const isText = (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);
  if (isText) return;
  const hint = isTls(byte) ? ', as TLS does: this port speaks Redis without TLS' : '';
  throw new RedisError('ERR_REDIS_PROTOCOL', `a command begins with byte 0x${hex(byte)}${hint}`);
}

/**
 * Throws at a line of an HTTP request: a web page must not be able to have a browser send commands in its body. Redis
 * refuses POST and Host: for the same reason.
 */
export function checkInlineCommand(words: readonly Buffer[]): void {
  const name = words[0]?.toString('latin1').toLowerCase();
  const last = words.at(-1)?.toString('latin1');
  if (name === 'post' || name === 'host:' || (words.length === 3 && last?.startsWith('HTTP/'))) {
    throw new RedisError('ERR_REDIS_PROTOCOL', 'this is an HTTP request');
  }
}

function isTls(byte: number): boolean {
  return byte === TLS_ALERT || byte === TLS_HANDSHAKE;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
