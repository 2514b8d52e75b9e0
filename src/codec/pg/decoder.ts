/**
 * Bytes to messages, as they come from the network: any split, nothing read ahead of what the caller asks for.
 *
 *     decoder.push(chunk);
 *     for (let message = decoder.next(); message !== undefined; message = decoder.next()) { … }
 *
 * The caller who stops asking applies backpressure: it stops pushing until it asks again. `next` throws a PgError where
 * the bytes are no messages, before anything of a message that is too long is joined, and throws the same ever after:
 * nothing behind such bytes can be trusted.
 */
import { ByteQueue } from './byte-queue.js';
import { HEADER_LENGTH, LENGTH_LENGTH } from './constants.js';
import { PgError } from './errors.js';
import { defaultPgLimits, type PgLimits } from './limits.js';
import { decodeStartupPhase } from './message/startup.js';
import { backendMessages, frontendMessages, type MessageTable } from './message-table.js';
import type { BackendMessage, FrontendMessage, StartupPhaseMessage, UnknownMessage } from './messages.js';
import { int32At, Reader } from './reader.js';

export interface DecoderOptions {
  /** Default: defaultPgLimits. */
  limits?: PgLimits;
}

/** What the decoders of both directions share: framing, limits, failure. */
abstract class Decoder<Message> {
  protected readonly limits: PgLimits;
  protected readonly queue = new ByteQueue();
  protected readonly reader = new Reader();
  /** Bytes of a message's body at most. */
  #limit: number;
  #failure: unknown;

  constructor({ limits = defaultPgLimits }: DecoderOptions = {}) {
    this.limits = limits;
    this.#limit = limits.loginMessageBytes;
  }

  /** Bytes that are held and not decoded yet. */
  get buffered(): number {
    return this.queue.length;
  }

  /** Bytes that were copied because a message lay across chunks. */
  get copied(): number {
    return this.queue.copied;
  }

  /** Takes the next bytes of the stream. They are kept as they are: they must not change any more. */
  push(chunk: Buffer): void {
    if (this.#failure === undefined) this.queue.push(chunk);
  }

  /**
   * The next message, or undefined until more bytes come.
   * @throws PgError ERR_PG_PROTOCOL or ERR_PG_MESSAGE_TOO_LONG
   */
  next(): Message | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.decodeNext();
    } catch (error) {
      this.#failure = error;
      this.queue.clear();
      throw error;
    }
  }

  /** The login is done: messages may be as long as `messageBytes` from now on. */
  loginDone(): void {
    this.#limit = this.limits.messageBytes;
  }

  protected abstract decodeNext(): Message | undefined;

  /** A message with a type byte, by the table of its direction. */
  protected typed<Known extends { name: string }>(table: MessageTable<Known>): Known | UnknownMessage | undefined {
    const { queue, reader } = this;
    if (!queue.has(HEADER_LENGTH)) {
      // While nothing comes, the last message is not kept in memory.
      reader.release();
      return undefined;
    }
    const type = queue.bytes[queue.start] as number;
    const length = checkLength(int32At(queue.bytes, queue.start + 1), this.#limit);
    if (!queue.has(1 + length)) return undefined;
    const { bytes, start } = queue;
    queue.skip(1 + length);
    const codec = table.ofType(type);
    if (codec === undefined) {
      return { name: 'Unknown', code: type, body: bytes.subarray(start + HEADER_LENGTH, start + 1 + length) };
    }
    reader.reset(codec.names[0] as string, bytes, start + HEADER_LENGTH, start + 1 + length);
    const message = codec.decode(reader);
    reader.expectEnd();
    return message;
  }
}

/** Decodes what a server sends. The one byte that answers SSLRequest or GSSENCRequest is no message. */
export class BackendDecoder extends Decoder<BackendMessage> {
  protected override decodeNext(): BackendMessage | undefined {
    return this.typed(backendMessages);
  }
}

/** What the next bytes of a frontend are: a message without a type, one with, or none that may come. */
type Phase = 'startup' | 'typed' | 'over';

/** Which phase follows a message of the startup phase. */
const PHASE_AFTER: Readonly<Record<StartupPhaseMessage['name'], Phase>> = {
  SSLRequest: 'startup',
  GSSENCRequest: 'startup',
  StartupMessage: 'typed',
  CancelRequest: 'over',
};

/**
 * Decodes what a client sends. Bytes that are `buffered` once an SSLRequest or a GSSENCRequest is decoded were sent
 * before the answer: who goes on to encryption must refuse them (CVE-2021-23214).
 */
export class FrontendDecoder extends Decoder<FrontendMessage> {
  #phase: Phase = 'startup';

  protected override decodeNext(): FrontendMessage | undefined {
    switch (this.#phase) {
      case 'typed':
        return this.typed(frontendMessages);
      case 'startup':
        return this.#startup();
      case 'over':
        if (this.queue.length > 0) throw new PgError('ERR_PG_PROTOCOL', 'bytes behind a CancelRequest');
        return undefined;
    }
  }

  #startup(): StartupPhaseMessage | undefined {
    const { queue, reader } = this;
    if (!queue.has(LENGTH_LENGTH)) return undefined;
    const length = checkLength(int32At(queue.bytes, queue.start), this.limits.startupBytes);
    if (!queue.has(length)) return undefined;
    const { bytes, start } = queue;
    queue.skip(length);
    const message = decodeStartupPhase(reader.reset('startup', bytes, start + LENGTH_LENGTH, start + length));
    reader.expectEnd();
    this.#phase = PHASE_AFTER[message.name];
    return message;
  }
}

/** The length word of a message, which counts itself; `limit` is for the body. */
function checkLength(length: number, limit: number): number {
  if (length < LENGTH_LENGTH) throw new PgError('ERR_PG_PROTOCOL', `a message with a length of ${length}`);
  if (length - LENGTH_LENGTH > limit) {
    throw new PgError('ERR_PG_MESSAGE_TOO_LONG', `${length - LENGTH_LENGTH} bytes where ${limit} are allowed`);
  }
  return length;
}
