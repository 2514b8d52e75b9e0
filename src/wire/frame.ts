/**
 * The two frames of the TCP connection: tombstone and Reply (proto: Tombstone, Reply). "TTLS", a 16-bit big-endian
 * length, the message.
 */
import { turbotls } from '#proto/turbotls.js';
import { TurboError } from '../errors.js';
import {
  FRAME_BODY_MAX,
  FRAME_HEADER_LENGTH,
  FRAME_MAGIC,
  INSTANCE_LENGTH,
  SECRET_LENGTH,
  SEQUENCE_MAX,
} from './constants.js';

const { ACCEPTED, REJECTED } = turbotls.v1.Reply.Status;

export interface Tombstone {
  /** 32 bytes. Never logged: it is the claim. */
  secret: Buffer;
  /** 8 bytes. */
  instance: Buffer;
  /** The last sequence of the server that the client has delivered in order. */
  serverSequence: number;
  /** The last sequence of the client that the server acknowledged. */
  clientSequence: number;
}

export interface Reply {
  accepted: boolean;
  /** Why not, for logs. */
  reason: string;
}

/** A frame cut off the front of the bytes: its message, and how many bytes it took. */
interface Cut {
  body: Buffer;
  length: number;
}

export function encodeTombstone({ secret, instance, serverSequence, clientSequence }: Tombstone): Buffer {
  return frame(turbotls.v1.Tombstone.encode({ secret, instance, serverSequence, clientSequence }).finish());
}

export function encodeReply({ accepted, reason }: Reply): Buffer {
  return frame(turbotls.v1.Reply.encode({ status: accepted ? ACCEPTED : REJECTED, reason }).finish());
}

/**
 * The tombstone at the front of `bytes` and its length; undefined while it is incomplete.
 * @throws TurboError ERR_TURBO_BAD_FRAME
 */
export function decodeTombstone(bytes: Buffer): { tombstone: Tombstone; length: number } | undefined {
  const cut = cutFrame(bytes);
  if (!cut) return undefined;
  const { secret, instance, serverSequence, clientSequence } = decodeBody(turbotls.v1.Tombstone.decode, cut.body);
  if (
    secret.length !== SECRET_LENGTH ||
    instance.length !== INSTANCE_LENGTH ||
    serverSequence > SEQUENCE_MAX ||
    clientSequence > SEQUENCE_MAX
  ) {
    throw new TurboError('ERR_TURBO_BAD_FRAME', 'a field of the tombstone is out of its bounds');
  }
  const tombstone = { secret: Buffer.from(secret), instance: Buffer.from(instance), serverSequence, clientSequence };
  return { tombstone, length: cut.length };
}

/**
 * The Reply at the front of `bytes` and its length; undefined while it is incomplete.
 * @throws TurboError ERR_TURBO_BAD_FRAME
 */
export function decodeReply(bytes: Buffer): { reply: Reply; length: number } | undefined {
  const cut = cutFrame(bytes);
  if (!cut) return undefined;
  const { status, reason } = decodeBody(turbotls.v1.Reply.decode, cut.body);
  if (status !== ACCEPTED && status !== REJECTED) {
    throw new TurboError('ERR_TURBO_BAD_FRAME', `the Reply has the unknown status ${status}`);
  }
  return { reply: { accepted: status === ACCEPTED, reason }, length: cut.length };
}

function frame(body: Uint8Array): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_LENGTH);
  header.writeUInt32BE(FRAME_MAGIC);
  header.writeUInt16BE(body.length, 4);
  return Buffer.concat([header, body]);
}

function cutFrame(bytes: Buffer): Cut | undefined {
  const known = bytes.subarray(0, 4);
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== ((FRAME_MAGIC >>> (24 - 8 * i)) & 0xff)) {
      throw new TurboError('ERR_TURBO_BAD_FRAME', 'it does not begin with "TTLS"');
    }
  }
  if (bytes.length < FRAME_HEADER_LENGTH) return undefined;
  const bodyLength = bytes.readUInt16BE(4);
  if (bodyLength > FRAME_BODY_MAX) {
    throw new TurboError('ERR_TURBO_BAD_FRAME', `its length ${bodyLength} is over ${FRAME_BODY_MAX}`);
  }
  const length = FRAME_HEADER_LENGTH + bodyLength;
  return bytes.length < length ? undefined : { body: bytes.subarray(FRAME_HEADER_LENGTH, length), length };
}

function decodeBody<T>(decode: (body: Buffer) => T, body: Buffer): T {
  try {
    return decode(body);
  } catch (cause) {
    throw new TurboError('ERR_TURBO_BAD_FRAME', 'its message is not protobuf', { cause });
  }
}
