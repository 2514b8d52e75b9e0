/** What each message module gives: both ways between the bytes of a message and its value. */
import type { BackendMessage, FrontendMessage } from './messages.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** A message by its name. */
export type BackendMessageOf<Name extends BackendMessage['name']> = Extract<BackendMessage, { name: Name }>;
export type FrontendMessageOf<Name extends FrontendMessage['name']> = Extract<FrontendMessage, { name: Name }>;

export interface MessageCodec<Message extends { name: string }> {
  /** The type byte ("Message Formats"). */
  readonly type: number;
  /** The messages with this type; most have a type of their own. */
  readonly names: readonly Message['name'][];
  /** Reads the whole body: the decoder refuses what is left. */
  decode(body: Reader): Message;
  encode(message: Message, body: Writer): void;
}

/** A message that says all by its type. Its decoded value is one for all. */
export function bare<Name extends string>(type: number, name: Name): MessageCodec<{ name: Name }> {
  const message = Object.freeze({ name });
  return { type, names: [name], decode: () => message, encode: () => {} };
}
