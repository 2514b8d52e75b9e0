/**
 * Protobuf by hand, independent of the shipped encoder, able to write what that one never would: fields in any order,
 * repeated, unknown, overlong. (Protocol Buffers, Encoding.)
 */
import { createHash } from 'node:crypto';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** A varint; `length` bytes long where given, which may be longer than it needs. */
export function varint(value: number, length = 1): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  } while (rest > 0 || bytes.length < length);
  bytes.push((bytes.pop() as number) & 0x7f);
  return Buffer.from(bytes);
}

export function tag(field: number, wireType: number): Buffer {
  return varint(field * 8 + wireType);
}

export function varintField(field: number, value: number, length = 1): Buffer {
  return Buffer.concat([tag(field, VARINT), varint(value, length)]);
}

export function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([tag(field, BYTES), varint(bytes.length), bytes]);
}

export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** The fields with the check that belongs to them: a datagram whose check is right, whatever else is wrong. */
export function checked(...fields: Uint8Array[]): Buffer {
  const body = Buffer.concat(fields);
  return Buffer.concat([body, hex('7a08'), sha256(body).subarray(0, 8)]);
}

/** The same datagram without its check. */
export function withoutCheck(datagram: Buffer): Buffer {
  return datagram.subarray(0, datagram.length - 10);
}

export interface ClientFields {
  connectionId: Uint8Array;
  sequence?: number;
  acknowledged?: number;
  payload?: Uint8Array;
  /** Length of the whole datagram, at least. Default 400. */
  length?: number;
}

/** A client's datagram, padded as the specification has it. */
export function clientDatagram({
  connectionId,
  sequence = 0,
  acknowledged = 0,
  payload,
  length = 400,
}: ClientFields): Buffer {
  const fields = [bytesField(1, connectionId), varintField(2, 1)];
  if (sequence > 0) fields.push(varintField(3, sequence));
  if (acknowledged > 0) fields.push(varintField(4, acknowledged));
  if (payload) fields.push(bytesField(5, payload));
  const bare = fields.reduce((sum, field) => sum + field.length, 0) + 10;
  const missing = length - bare;
  if (missing > 0) fields.push(bytesField(6, Buffer.alloc(Math.max(1, missing - (missing < 130 ? 2 : 3)))));
  return checked(...fields);
}

export interface ServerFields {
  connectionId: Uint8Array;
  sequence: number;
  acknowledged?: number;
  payload: Uint8Array;
  instance: Uint8Array;
  lifetimeMs?: number;
  remaining?: number;
}

/** A server's datagram. */
export function serverDatagram(fields: ServerFields): Buffer {
  const { connectionId, sequence, acknowledged = 0, payload, instance, lifetimeMs = 10_000, remaining = 0 } = fields;
  return checked(
    bytesField(1, connectionId),
    varintField(2, 2),
    varintField(3, sequence),
    ...(acknowledged > 0 ? [varintField(4, acknowledged)] : []),
    bytesField(5, payload),
    bytesField(7, instance),
    varintField(8, lifetimeMs),
    ...(remaining > 0 ? [varintField(9, remaining)] : []),
  );
}

/** "TTLS", the length, the message. */
export function framed(body: Uint8Array, length = body.length): Buffer {
  return Buffer.concat([Buffer.from('TTLS'), Buffer.from([length >> 8, length & 255]), body]);
}

export interface TombstoneFields {
  secret: Uint8Array;
  instance: Uint8Array;
  serverSequence?: number;
  clientSequence?: number;
}

export function tombstone({ secret, instance, serverSequence = 0, clientSequence = 0 }: TombstoneFields): Buffer {
  return framed(
    Buffer.concat([
      bytesField(1, secret),
      bytesField(2, instance),
      varintField(3, serverSequence),
      varintField(4, clientSequence),
    ]),
  );
}

/** The public ID of a secret, computed here. */
export function idOf(secret: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from('turbotls v1 connection id'), secret])).subarray(0, 16);
}
