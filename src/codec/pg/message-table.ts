/** Which codec decodes a type, and which encodes a name. */
import { authenticationFromBackend, authenticationFromFrontend } from './message/authentication.js';
import { copyFromBackend, copyFromFrontend } from './message/copy.js';
import { extendedQueryFromBackend, extendedQueryFromFrontend } from './message/extended-query.js';
import { queryFromBackend, queryFromFrontend } from './message/query.js';
import { startupFromBackend } from './message/startup.js';
import { statusFromBackend } from './message/status.js';
import type { MessageCodec } from './message-codec.js';
import type { BackendMessage, FrontendMessage } from './messages.js';

export class MessageTable<Message extends { name: string }> {
  readonly #byType = new Array<MessageCodec<Message> | undefined>(256).fill(undefined);
  readonly #byName = new Map<Message['name'], MessageCodec<Message>>();

  constructor(codecs: readonly MessageCodec<Message>[]) {
    for (const codec of codecs) {
      this.#byType[codec.type] = codec;
      for (const name of codec.names) this.#byName.set(name, codec);
    }
  }

  ofType(type: number): MessageCodec<Message> | undefined {
    return this.#byType[type];
  }

  ofName(name: Message['name']): MessageCodec<Message> | undefined {
    return this.#byName.get(name);
  }
}

export const backendMessages = new MessageTable<BackendMessage>([
  ...startupFromBackend,
  ...authenticationFromBackend,
  ...queryFromBackend,
  ...extendedQueryFromBackend,
  ...copyFromBackend,
  ...statusFromBackend,
]);

export const frontendMessages = new MessageTable<FrontendMessage>([
  ...authenticationFromFrontend,
  ...queryFromFrontend,
  ...extendedQueryFromFrontend,
  ...copyFromFrontend,
]);
