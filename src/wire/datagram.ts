/**
 * The datagram: bytes to value and back (proto: Datagram).
 *
 * The rules are stricter than protobuf's, so that each value has one encoding: fields in ascending order, once each,
 * none unknown, lengths exact. The check comes last and covers every byte before its tag.
 */
import { hash } from 'node:crypto';
import { turbotls } from '#proto/turbotls.js';
import { TurboError } from '../errors.js';
import {
  CHECK_LENGTH,
  CLIENT_DATAGRAM_MIN,
  CONNECTION_ID_LENGTH,
  DATAGRAM_MAX,
  DATAGRAM_PREFIX,
  INSTANCE_LENGTH,
  PAYLOAD_MAX,
  SEQUENCE_MAX,
} from './constants.js';

const { SIDE_CLIENT, SIDE_SERVER } = turbotls.v1.Side;

interface StreamPart {
  /** 16 bytes. */
  connectionId: Buffer;
  /** From 1 to SEQUENCE_MAX, with a payload; 0 for a request without. */
  sequence: number;
  /** The last sequence of the peer that was delivered in order; 0 for none. */
  acknowledged: number;
  /** At most PAYLOAD_MAX stream bytes. Decoded, it is a view of the datagram. */
  payload: Buffer;
}

export interface ClientDatagram extends StreamPart {
  side: 'client';
}

export interface ServerDatagram extends StreamPart {
  side: 'server';
  /** 8 bytes. */
  instance: Buffer;
  /** How long the session still waits for its tombstone. */
  lifetimeMs: number;
  /** Stream bytes behind this payload, sent or not. */
  remaining: number;
}

export type Datagram = ClientDatagram | ServerDatagram;

/** Why bytes are no datagram. */
export type DatagramFault = 'too-long' | 'too-short' | 'malformed' | 'corrupt';

const EMPTY = Buffer.alloc(0);
const ZEROS = Buffer.alloc(CLIENT_DATAGRAM_MIN);
/** The tag of field 15, bytes, and the length of what follows it. */
const CHECK_HEADER = Buffer.from([0x7a, CHECK_LENGTH]);
const CHECK_FIELD_LENGTH = CHECK_HEADER.length + CHECK_LENGTH;
const ID_FIELD_LENGTH = 2 + CONNECTION_ID_LENGTH;
const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

/** The wire type that each field must have, by its number (proto: Datagram). */
const FIELD_TYPES = [
  undefined,
  WIRE_BYTES,
  WIRE_VARINT,
  WIRE_VARINT,
  WIRE_VARINT,
  WIRE_BYTES,
  WIRE_BYTES,
  WIRE_BYTES,
  WIRE_VARINT,
  WIRE_VARINT,
] as const;

function checkOf(body: Uint8Array): Buffer {
  return hash('sha256', body, 'buffer').subarray(0, CHECK_LENGTH);
}

/**
 * The bytes of a datagram, a client's padded to CLIENT_DATAGRAM_MIN.
 * @throws TurboError ERR_TURBO_BAD_DATAGRAM where a field is out of its bounds
 */
export function encodeDatagram(datagram: Datagram): Buffer {
  const { connectionId, sequence, acknowledged, payload } = datagram;
  if (!areValid(datagram)) throw new TurboError('ERR_TURBO_BAD_DATAGRAM', 'a field is out of its bounds');
  // proto3 leaves zeros out; the generated encoder writes every property that is there.
  const message: turbotls.v1.Datagram.$Properties = { connectionId };
  message.side = datagram.side === 'client' ? SIDE_CLIENT : SIDE_SERVER;
  if (sequence > 0) message.sequence = sequence;
  if (acknowledged > 0) message.acknowledged = acknowledged;
  if (sequence > 0) message.payload = payload;
  if (datagram.side === 'server') {
    message.instance = datagram.instance;
    if (datagram.lifetimeMs > 0) message.lifetimeMs = datagram.lifetimeMs;
    if (datagram.remaining > 0) message.remaining = datagram.remaining;
  }
  let body = turbotls.v1.Datagram.encode(message).finish();
  const missing = CLIENT_DATAGRAM_MIN - body.length - CHECK_FIELD_LENGTH;
  if (datagram.side === 'client' && missing > 0) {
    message.padding = ZEROS.subarray(0, paddingLength(missing));
    body = turbotls.v1.Datagram.encode(message).finish();
  }
  return Buffer.concat([body, CHECK_HEADER, checkOf(body)]);
}

/** How many zeros make a padding field of `missing` bytes: its tag and length take 2 bytes, from 128 zeros on 3. */
function paddingLength(missing: number): number {
  return missing - 2 < 128 ? Math.max(1, missing - 2) : Math.max(128, missing - 3);
}

/** The value of a datagram, or why the bytes are none. Never throws; holds the bytes that it is given. */
export function decodeDatagram(bytes: Buffer): Datagram | DatagramFault {
  if (bytes.length > DATAGRAM_MAX) return 'too-long';
  if (bytes.length < ID_FIELD_LENGTH + CHECK_FIELD_LENGTH) return 'too-short';
  if (bytes.readUInt16BE(0) !== DATAGRAM_PREFIX) return 'malformed';
  const body = bytes.subarray(0, bytes.length - CHECK_FIELD_LENGTH);
  const check = bytes.subarray(body.length);
  if (check[0] !== CHECK_HEADER[0] || check[1] !== CHECK_HEADER[1]) return 'malformed';
  // Not a secret: anyone can make a valid check, so comparing in constant time would hide nothing.
  if (checkOf(body).compare(check, CHECK_HEADER.length) !== 0) return 'corrupt';
  if (!hasStrictFields(body)) return 'malformed';

  const message = turbotls.v1.Datagram.decode(body);
  const part: StreamPart = {
    connectionId: asBuffer(message.connectionId),
    sequence: message.sequence,
    acknowledged: message.acknowledged,
    payload: asBuffer(message.payload),
  };
  let datagram: Datagram;
  if (message.side === SIDE_CLIENT) {
    if (bytes.length < CLIENT_DATAGRAM_MIN) return 'too-short';
    if (message.instance.length > 0 || message.lifetimeMs > 0 || message.remaining > 0) return 'malformed';
    datagram = { side: 'client', ...part };
  } else if (message.side === SIDE_SERVER) {
    const { lifetimeMs, remaining } = message;
    datagram = { side: 'server', ...part, instance: asBuffer(message.instance), lifetimeMs, remaining };
  } else {
    return 'malformed';
  }
  return areValid(datagram) ? datagram : 'malformed';
}

function areValid(datagram: Datagram): boolean {
  const { connectionId, sequence, acknowledged, payload } = datagram;
  return (
    connectionId.length === CONNECTION_ID_LENGTH &&
    Number.isInteger(sequence) &&
    sequence >= 0 &&
    sequence <= SEQUENCE_MAX &&
    acknowledged >= 0 &&
    acknowledged <= SEQUENCE_MAX &&
    payload.length <= PAYLOAD_MAX &&
    payload.length > 0 === sequence > 0 &&
    (datagram.side === 'client' || datagram.instance.length === INSTANCE_LENGTH)
  );
}

/**
 * Walks the tags: ascending field numbers (so none is repeated), known ones only, in their wire types, within bounds,
 * varints of at most 5 bytes that carry at most 32 bits. What passes here, the generated decoder reads without a throw.
 */
function hasStrictFields(body: Buffer): boolean {
  let previous = 0;
  for (let offset = 0; offset < body.length; ) {
    const tag = body[offset++] as number;
    const field = tag >> 3;
    const type = tag & 7;
    if (field <= previous || type !== FIELD_TYPES[field]) return false;
    previous = field;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[offset++];
      if (byte === undefined) return false;
      if (shift === 28 && byte > 0x0f) return false;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        // A longer encoding of the same number, or a zero that proto3 leaves out, would be a second encoding.
        if (byte === 0) return false;
        break;
      }
    }
    if (type === WIRE_BYTES) offset += value;
    if (offset > body.length) return false;
  }
  return true;
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes.length === 0) return EMPTY;
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
