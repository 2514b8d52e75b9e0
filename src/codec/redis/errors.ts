/**
 * Every error that the Redis codec and client raise themselves, one stable code per failure; `docs/errors.md` explains
 * each. What the server says is a `RedisServerError`; failures of TCP, DNS and TLS reach the caller as Node's own.
 */
import { CodedError, type CodedErrorOptions } from '../../coded-error.js';

/** What happened, by code. The text is the start of the message; details follow it. */
export const redisErrorTexts = {
  ERR_REDIS_BAD_OPTION: 'A connection option is not usable',
  ERR_REDIS_BAD_VALUE: 'A value cannot be sent',
  ERR_REDIS_PROTOCOL: 'The peer sent something that the Redis protocol does not allow here',
  ERR_REDIS_TOO_LONG: 'A message is longer than the limit',
  ERR_REDIS_TOO_DEEP: 'A reply is nested deeper than the limit',
  ERR_REDIS_CONNECT_TIMEOUT: 'The connection was not ready in time',
  ERR_REDIS_COMMAND_TIMEOUT: 'The command was not answered in time',
  ERR_REDIS_CONNECTION_LOST: 'The connection ended while it was needed',
  ERR_REDIS_CLOSED: 'The client is closed',
  ERR_REDIS_QUEUE_FULL: 'Too many commands wait for their answer',
  ERR_REDIS_COMMAND_REFUSED: 'The command would change the connection for everybody who uses it',
  ERR_REDIS_TRANSACTION: 'The server did not take the commands as a transaction',
} as const;

export type RedisErrorCode = keyof typeof redisErrorTexts;

export class RedisError extends CodedError<RedisErrorCode> {
  override readonly name = 'RedisError';

  /** @param detail what is particular to this case, and what to do; no secrets. */
  constructor(code: RedisErrorCode, detail?: string, options?: CodedErrorOptions) {
    super(code, redisErrorTexts[code], detail, options);
  }
}

/** A simple error (`-`) or bulk error (`!`) of the server. The message is its text, whole. */
export class RedisServerError extends Error {
  override readonly name = 'RedisServerError';
  /** The first word of the text, such as ERR, WRONGTYPE or NOAUTH. */
  readonly code: string;

  constructor(text: string) {
    super(text);
    this.code = /^\S*/.exec(text)?.[0] ?? '';
  }
}
