/**
 * What a TCP connection speaks, by its first bytes, none of which are consumed (section 2).
 *
 * Every answer needs as few bytes as can tell: an undecided prefix is one that a known protocol may still complete.
 */
import { FRAME_MAGIC } from './constants.js';

export type FirstBytes =
  /** A turbotls tombstone: "TTLS". */
  | 'tombstone'
  /** A TLS handshake record: 0x16, major version 3 (RFC 8446, section 5.1). */
  | 'tls'
  /** PostgreSQL SSLRequest, 8 bytes (Message Formats). */
  | 'pg-ssl-request'
  /** PostgreSQL GSSENCRequest, 8 bytes. */
  | 'pg-gssenc-request'
  /** PostgreSQL CancelRequest: length, code, process ID, and a key of 4 to 256 bytes (protocol 3.2). */
  | 'pg-cancel-request'
  /** PostgreSQL StartupMessage of protocol 3, in the clear: length, 3 in the high half of the version. */
  | 'pg-startup'
  /** PROXY protocol, version 1: "PROXY ". */
  | 'proxy-v1'
  /** PROXY protocol, version 2: its 12-byte signature. */
  | 'proxy-v2';

/** A protocol, `undecided` while more bytes are needed, `unknown` when no more bytes can help. */
export type Detection = FirstBytes | 'undecided' | 'unknown';

/** No protocol needs more bytes than this to be told. */
export const FIRST_BYTES_MAX = 12;

const ANY = -1;

/** What the first four bytes may say, where it is not one length only (PostgreSQL, Message Formats). */
const LENGTHS: { readonly [protocol in FirstBytes]?: { min: number; max: number } } = {
  'pg-cancel-request': { min: 16, max: 12 + 256 },
  // PostgreSQL's MAX_STARTUP_PACKET_LENGTH, 10,000, is of what follows the length.
  'pg-startup': { min: 8, max: 4 + 10_000 },
};

/** Patterns by byte; ANY matches each. */
const SIGNATURES: readonly (readonly [FirstBytes, readonly number[]])[] = [
  ['tombstone', bytesOf(FRAME_MAGIC)],
  ['tls', [0x16, 0x03]],
  ['pg-ssl-request', [...bytesOf(8), ...bytesOf(80877103)]],
  ['pg-gssenc-request', [...bytesOf(8), ...bytesOf(80877104)]],
  // 1234 in the high half, then a code that is no protocol version.
  ['pg-cancel-request', [0, 0, ANY, ANY, ...bytesOf(80877102)]],
  ['pg-startup', [0, 0, ANY, ANY, 0, 3]],
  ['proxy-v1', [...Buffer.from('PROXY ')]],
  ['proxy-v2', [...Buffer.from('\r\n\r\n\0\r\nQUIT\n')]],
];

/** Looks at the first bytes of a connection, as many as have come. */
export function detectFirstBytes(bytes: Uint8Array): Detection {
  let undecided = false;
  for (const [protocol, signature] of SIGNATURES) {
    const match = matches(protocol, signature, bytes);
    if (match === 'whole') return protocol;
    if (match === 'part') undecided = true;
  }
  return undecided ? 'undecided' : 'unknown';
}

function matches(protocol: FirstBytes, signature: readonly number[], bytes: Uint8Array): 'whole' | 'part' | 'no' {
  const seen = Math.min(bytes.length, signature.length);
  for (let i = 0; i < seen; i++) {
    if (signature[i] !== ANY && signature[i] !== bytes[i]) return 'no';
  }
  const bounds = LENGTHS[protocol];
  if (bounds && seen >= 4) {
    const length = ((bytes[2] as number) << 8) | (bytes[3] as number);
    if (length < bounds.min || length > bounds.max) return 'no';
  }
  return seen === signature.length ? 'whole' : 'part';
}

function bytesOf(uint32: number): number[] {
  return [uint32 >>> 24, (uint32 >>> 16) & 0xff, (uint32 >>> 8) & 0xff, uint32 & 0xff];
}
