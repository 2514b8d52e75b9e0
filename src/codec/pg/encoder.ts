/**
 * Messages to bytes. What is written goes into one buffer, so that messages that belong together leave together:
 *
 *     socket.write(encoder.write(parse).write(bind).write(execute).write({ name: 'Sync' }).take());
 *
 * A message that cannot be encoded leaves nothing behind: what was written before it can still be taken.
 */
import { PgError } from './errors.js';
import { encodeStartupPhase } from './message/startup.js';
import { backendMessages, frontendMessages, type MessageTable } from './message-table.js';
import type { BackendMessage, FrontendMessage, UnknownMessage } from './messages.js';
import { Writer } from './writer.js';

/** What the encoders of both directions share. */
abstract class Encoder<Message extends { name: string }> {
  readonly #writer = new Writer();

  /** Bytes that have been written and not taken. */
  get length(): number {
    return this.#writer.length;
  }

  /** The bytes of all messages since the last call; they are the caller's. */
  take(): Buffer {
    return this.#writer.take();
  }

  /**
   * @throws PgError ERR_PG_BAD_VALUE where a string has a zero byte or a number is out of its range,
   *   ERR_PG_MESSAGE_TOO_LONG where PostgreSQL would not take the message
   */
  abstract write(message: Message): this;

  /** All of the messages, or none where one cannot be encoded; throws as `write` does. */
  writeAll(messages: Iterable<Message>): this {
    return this.#allOrNothing(() => {
      for (const message of messages) this.write(message);
    });
  }

  protected typed<Known extends { name: string }>(table: MessageTable<Known>, message: Known | UnknownMessage): this {
    if (message.name === 'Unknown') {
      const { code, body } = message as UnknownMessage;
      return this.message(code, (writer) => writer.bytes(body));
    }
    const codec = table.ofName(message.name);
    if (codec === undefined) throw new PgError('ERR_PG_BAD_VALUE', `there is no message ${message.name}`);
    return this.message(codec.type, (writer) => codec.encode(message as Known, writer));
  }

  protected message(type: number | undefined, encode: (body: Writer) => void): this {
    const writer = this.#writer;
    return this.#allOrNothing(() => {
      writer.begin(type);
      encode(writer);
      writer.end(type);
    });
  }

  #allOrNothing(write: () => void): this {
    const before = this.#writer.length;
    try {
      write();
    } catch (error) {
      this.#writer.truncate(before);
      throw error;
    }
    return this;
  }
}

/** Encodes what a server sends. */
export class BackendEncoder extends Encoder<BackendMessage> {
  override write(message: BackendMessage): this {
    return this.typed(backendMessages, message);
  }
}

/** Encodes what a client sends. */
export class FrontendEncoder extends Encoder<FrontendMessage> {
  override write(message: FrontendMessage): this {
    switch (message.name) {
      case 'StartupMessage':
      case 'SSLRequest':
      case 'GSSENCRequest':
      case 'CancelRequest':
        return this.message(undefined, (writer) => encodeStartupPhase(message, writer));
      default:
        return this.typed(frontendMessages, message);
    }
  }
}
