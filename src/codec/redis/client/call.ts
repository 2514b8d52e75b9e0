/** Exchanges that somebody waits for: a command, a transaction. */
import { onAbort } from '../../../abort.js';
import { RedisError, RedisServerError } from '../errors.js';
import type { Blobs, Reply } from '../values.js';
import type { Command, Exchange } from './exchange.js';
import { milliseconds } from './options.js';
import type { WatchEffect } from './watch.js';

export interface CallOptions {
  /** What strings of the reply are. Default 'string'. */
  blobs?: Blobs | undefined;
  /**
   * Ends the wait; the promise is rejected with the signal's reason. What was sent may be executed nevertheless. Its
   * reply is dropped when it comes, and does not disturb the others.
   */
  signal?: AbortSignal | undefined;
  /** From the call to the reply, ms; then as with `signal`. Default: the client's `commandTimeoutMs`. */
  timeoutMs?: number | undefined;
}

abstract class Call<T> implements Exchange {
  abstract readonly commands: readonly Command[];
  readonly promise: Promise<T>;
  readonly blobs: Blobs;
  onAbandoned?: () => void;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  #settled = false;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: () => void = () => {};

  /** @throws the signal's reason; RedisError ERR_REDIS_BAD_OPTION */
  constructor({ blobs = 'string', signal, timeoutMs }: CallOptions) {
    signal?.throwIfAborted();
    this.blobs = blobs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#onTimeout(timeoutMs), milliseconds('timeoutMs', timeoutMs));
    }
    if (signal) this.#stopListening = onAbort(signal, () => this.#abandon(signal.reason));
  }

  abstract take(reply: Reply): void;

  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  protected succeed(value: T): void {
    if (this.#settle()) this.#resolve(value);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#stopListening();
    return true;
  }

  #onTimeout(timeoutMs: number): void {
    // Abandoned before it was sent, it is left out.
    const sent = this.onAbandoned === undefined;
    const detail = `${timeoutMs} ms; it was ${sent ? 'sent, and may be executed' : 'not sent'}`;
    this.#abandon(new RedisError('ERR_REDIS_COMMAND_TIMEOUT', detail, { retryable: !sent }));
  }

  #abandon(error: unknown): void {
    this.fail(error);
    this.onAbandoned?.();
  }
}

export class CommandCall extends Call<Reply> {
  readonly commands: readonly Command[];
  readonly watch: WatchEffect | undefined;

  constructor(command: Command, options: CallOptions, watch?: WatchEffect) {
    super(options);
    this.commands = [command];
    this.watch = watch;
  }

  take(reply: Reply): void {
    if (reply instanceof RedisServerError) this.fail(reply);
    else this.succeed(reply);
  }
}

/** MULTI, the commands, EXEC. Null: a key that is watched was changed. */
export class TransactionCall extends Call<Reply[] | null> {
  readonly commands: readonly Command[];
  readonly watch = 'use';
  #taken = 0;
  /** The first command that the server did not queue. */
  #refused: RedisServerError | undefined;

  constructor(commands: readonly Command[], options: CallOptions) {
    super(options);
    this.commands = [['MULTI'], ...commands, ['EXEC']];
  }

  take(reply: Reply): void {
    const position = this.#taken++;
    if (position === this.commands.length - 1) this.#onExec(reply);
    else if (!(reply instanceof RedisServerError)) return;
    else if (position === 0) this.fail(notAtomic(reply));
    else this.#refused ??= reply;
  }

  failWatch(): void {
    this.succeed(null);
  }

  #onExec(reply: Reply): void {
    if (reply === null || Array.isArray(reply)) {
      this.succeed(reply);
    } else if (reply instanceof RedisServerError) {
      reply.cause = this.#refused; // of EXECABORT
      this.fail(reply);
    } else {
      this.fail(new RedisError('ERR_REDIS_TRANSACTION', 'it answered EXEC with something that is no array'));
    }
  }
}

function notAtomic(cause: RedisServerError): RedisError {
  const detail = `it answered MULTI with "${cause.message}", and may have run the commands one by one`;
  return new RedisError('ERR_REDIS_TRANSACTION', detail, { cause });
}
