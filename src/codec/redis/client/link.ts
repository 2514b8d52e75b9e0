/**
 * A connection that is made again when it is lost.
 *
 *     connecting ──► ready ──► waiting ──► connecting …         any ──► closed
 *
 * Of what was sent and not answered nothing is sent again; what was not sent waits in the queue for the next connection.
 */
import { BehaviorSubject, Subject } from 'rxjs';
import { RedisError } from '../errors.js';
import type { Push } from '../values.js';
import { type Prepared, prepare } from './attempt.js';
import { backoffMs } from './backoff.js';
import { type Exchange, ExchangeQueue } from './exchange.js';
import type { RedisConfig } from './options.js';
import { type Purpose, Session, type SessionEnd } from './session.js';
import { Watch } from './watch.js';

export type LinkState =
  /** `attempt`: the how manieth in a row, from 1. */
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'ready'; readonly protocol: 2 | 3 }
  /** The connection was lost, or could not be made; the next attempt is in `delayMs`. */
  | { readonly name: 'waiting'; readonly delayMs: number; readonly error: Error }
  /** For good; `error`: what it closed for, where it was not asked to. */
  | { readonly name: 'closed'; readonly error: Error | undefined };

/** What there is of a connection, by state. */
type Holds =
  | { readonly name: 'attempt'; readonly attempt: AbortController; readonly session: Session | undefined }
  | { readonly name: 'session'; readonly session: Session }
  | { readonly name: 'timer'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'nothing' };

export class Link {
  readonly state$ = new BehaviorSubject<LinkState>({ name: 'connecting', attempt: 1 });
  /** What a connection ended with, or an attempt at one. */
  readonly errors$ = new Subject<Error>();
  readonly pushes$ = new Subject<Push>();
  readonly #config: RedisConfig;
  readonly #purpose: Purpose;
  readonly #watch = new Watch();
  readonly #queue = new ExchangeQueue(this.#watch);
  #holds: Holds = { name: 'nothing' };
  /** Attempts in a row that failed. */
  #failures = 0;
  #wasReady = false;
  /** A first attempt that failed with an error that calls itself retryable has been repeated. */
  #repeated = false;
  #closing: { timer: NodeJS.Timeout } | undefined;

  constructor(config: RedisConfig, purpose: Purpose) {
    this.#config = config;
    this.#purpose = purpose;
    this.#connect();
  }

  get state(): LinkState {
    return this.state$.value;
  }

  /** Fails the exchange where it cannot be taken. */
  add(exchange: Exchange): void {
    const { queuedCommands } = this.#config.limits;
    if (this.#queue.length + (this.#session?.pending ?? 0) < queuedCommands) {
      this.#queue.add(exchange);
    } else {
      const detail = `${queuedCommands} of them (queuedCommands)`;
      exchange.fail(new RedisError('ERR_REDIS_QUEUE_FULL', detail, { retryable: true }));
    }
  }

  /** Past the queue, on the connection of now; fails the exchange where there is none. */
  sendNow(exchange: Exchange): void {
    if (this.#holds.name === 'session') this.#holds.session.sendNow(exchange);
    else exchange.fail(new RedisError('ERR_REDIS_CONNECTION_LOST'));
  }

  /** Takes nothing more; closes when all is answered, or `closeTimeoutMs` have passed. Again is no error. */
  close(): void {
    if (this.#closing || this.state.name === 'closed') return;
    this.#queue.close(closed());
    this.#closing = { timer: setTimeout(() => this.destroy(), this.#config.limits.closeTimeoutMs) };
    if (this.#holds.name === 'session') this.#onIdle();
    else if (this.#holds.name === 'timer' || !this.#isAsked) this.destroy();
  }

  /** Closes at once. */
  destroy(): void {
    this.#end(undefined, closed());
  }

  get #session(): Session | undefined {
    const holds = this.#holds;
    return holds.name === 'session' || holds.name === 'attempt' ? holds.session : undefined;
  }

  /** Whether anything waits for a connection, or for what a connection that logs in will say. */
  get #isAsked(): boolean {
    return this.#queue.length > 0 || this.#session !== undefined;
  }

  #connect(): void {
    const attempt = new AbortController();
    this.#holds = { name: 'attempt', attempt, session: undefined };
    if (this.state.name !== 'connecting') this.#enter({ name: 'connecting', attempt: this.#failures + 1 });
    const { connectTimeoutMs } = this.#config;
    const timer = setTimeout(() => attempt.abort(timedOut(connectTimeoutMs)), connectTimeoutMs);
    attempt.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    prepare(this.#config, attempt.signal).then(
      (prepared) => this.#logIn(prepared, attempt),
      (error) => this.#onAttemptFailed(error, attempt),
    );
  }

  #onAttemptFailed(error: Error, attempt: AbortController): void {
    attempt.abort(error);
    this.#onLost({ kind: 'lost', error });
  }

  #logIn({ stream, secret }: Prepared, attempt: AbortController): void {
    const settings = { config: this.#config, purpose: this.#purpose, secret, queue: this.#queue };
    const session = new Session(stream, settings, {
      onOpen: (protocol) => {
        this.#holds = { name: 'session', session };
        attempt.abort();
        this.#failures = 0;
        this.#wasReady = true;
        this.#enter({ name: 'ready', protocol });
      },
      onPush: (push) => this.pushes$.next(push),
      onIdle: () => this.#onIdle(),
      onEnd: (end) => {
        attempt.abort();
        this.#onLost(end);
      },
    });
    this.#holds = { name: 'attempt', attempt, session };
    attempt.signal.addEventListener('abort', () => {
      if (this.#holds.name === 'attempt') session.destroy(attempt.signal.reason);
    });
    session.start();
  }

  #onIdle(): void {
    if (this.#closing && this.#holds.name === 'session' && this.#holds.session.isIdle) this.#holds.session.finish();
  }

  /** The connection is over, or the attempt at one. */
  #onLost(end: SessionEnd): void {
    if (this.state.name === 'closed') return;
    const wasOpen = this.#holds.name === 'session';
    this.#holds = { name: 'nothing' };
    this.#watch.onConnectionLost();
    if (this.#closing) {
      this.#end(undefined, neverSent(end.error));
      return;
    }
    if (!wasOpen) this.#failures++;
    if (this.#givesUp(end)) {
      this.#end(end.error, end.kind === 'refused' ? end.error : neverSent(end.error));
      return;
    }
    if (end.kind === 'refused') this.#queue.fail(end.error);
    this.#waitAfter(end.error);
    this.errors$.next(end.error);
  }

  #givesUp({ kind, error }: SessionEnd): boolean {
    const { connectAttempts, reconnectAttempts } = this.#config;
    if (this.#wasReady) return this.#failures >= reconnectAttempts;
    if (kind === 'refused') return true;
    if (this.#failures < connectAttempts) return false;
    if (this.#repeated || !isRetryable(error)) return true;
    this.#repeated = true;
    return false;
  }

  #waitAfter(error: Error): void {
    const delayMs = backoffMs(this.#failures + 1, this.#config.limits);
    this.#holds = { name: 'timer', timer: setTimeout(() => this.#connect(), delayMs) };
    this.#enter({ name: 'waiting', delayMs, error });
  }

  /** For good. `error`: why, where nobody asked for it. */
  #end(error: Error | undefined, unsent: Error): void {
    if (this.state.name === 'closed') return;
    this.#queue.close(closed(error));
    const holds = this.#holds;
    this.#holds = { name: 'nothing' };
    clearTimeout(this.#closing?.timer);
    this.#enter({ name: 'closed', error });
    if (holds.name === 'timer') clearTimeout(holds.timer);
    if (holds.name === 'attempt') holds.attempt.abort(unsent);
    if (holds.name === 'session' || holds.name === 'attempt') holds.session?.destroy(unsent);
    this.#queue.fail(unsent);
    if (error) this.errors$.next(error);
    this.errors$.complete();
    this.pushes$.complete();
    this.state$.complete();
  }

  #enter(state: LinkState): void {
    this.state$.next(state);
  }
}

function timedOut(ms: number): RedisError {
  return new RedisError('ERR_REDIS_CONNECT_TIMEOUT', `${ms} ms (connectTimeoutMs)`);
}

function closed(cause?: Error): RedisError {
  return new RedisError('ERR_REDIS_CLOSED', cause?.message, cause && { cause });
}

function neverSent(cause: Error): RedisError {
  const detail = `the command was not sent: ${cause.message}`;
  return new RedisError('ERR_REDIS_CONNECTION_LOST', detail, { cause, retryable: true });
}

/** Whether it, or what it came of, says of itself that the same may succeed when it is tried again. */
function isRetryable(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('retryable' in each && each.retryable === true) return true;
  }
  return false;
}
