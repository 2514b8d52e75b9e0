/**
 * PostgreSQL's offer of channel binding, taken out of the login. A server offers SCRAM-SHA-256-PLUS where it sees TLS;
 * a client that has none takes that for a sign of an attack and gives up (libpq's pg_SASL_init).
 */
import type { Duplex } from 'node:stream';
import { BackendDecoder } from '../../codec/pg/decoder.js';
import { BackendEncoder } from '../../codec/pg/encoder.js';
import { type Head, readHead } from '../read-head.js';

/** Channel binding, in the name of a SASL mechanism (RFC 5802, section 4). */
const PLUS = '-PLUS';

/** Type and length; the length does not count the type ("Overview of Messages"). */
const HEADER_LENGTH = 5;
const AUTHENTICATION = 'R'.charCodeAt(0);
const NEGOTIATE_PROTOCOL_VERSION = 'v'.charCodeAt(0);

/**
 * What the server says up to its first request for authentication, as the client is to get it. All that may come before
 * is NegotiateProtocolVersion; anything else stays in the stream, and so does what is longer than `limit`.
 *
 * @throws GatewayError ERR_GATEWAY_CLIENT_GONE where the server leaves, its error, the signal's reason, or PgError
 */
export function readLoginOffer(server: Duplex, limit: number, signal: AbortSignal): Promise<Buffer> {
  return readHead(server, (bytes) => parseOffer(bytes, limit), signal);
}

function parseOffer(bytes: Buffer, limit: number): Head<Buffer> | 'incomplete' {
  let at = 0;
  for (;;) {
    const rest = bytes.subarray(at);
    if (rest.length < HEADER_LENGTH) return 'incomplete';
    const type = rest[0];
    const end = 1 + rest.readUInt32BE(1);
    if (end > limit || (type !== AUTHENTICATION && type !== NEGOTIATE_PROTOCOL_VERSION)) {
      return { value: bytes.subarray(0, at), length: at };
    }
    if (rest.length < end) return 'incomplete';
    at += end;
    if (type !== AUTHENTICATION) continue;
    const before = bytes.subarray(0, at - end);
    return { value: Buffer.concat([before, withoutChannelBinding(rest.subarray(0, end))]), length: at };
  }
}

function withoutChannelBinding(bytes: Buffer): Buffer {
  const decoder = new BackendDecoder();
  decoder.push(bytes);
  const message = decoder.next();
  if (message?.name !== 'AuthenticationSASL') return bytes;
  const mechanisms = message.mechanisms.filter((mechanism) => !mechanism.endsWith(PLUS));
  // Nothing but channel binding: let the client say so.
  return mechanisms.length === 0 ? bytes : new BackendEncoder().write({ ...message, mechanisms }).take();
}
