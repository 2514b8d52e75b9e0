/** One connection: logs in, sends exchanges from the queue, many in one flight, and hands each its replies. */
import type { Duplex } from 'node:stream';
import { RedisError, type RedisErrorCode, RedisServerError } from '../errors.js';
import { type Blobs, Push, type Reply } from '../values.js';
import type { Exchange, ExchangeQueue } from './exchange.js';
import { Fifo } from './fifo.js';
import { Line } from './line.js';
import { Login, type LoginResult, type Secret } from './login.js';
import type { RedisConfig } from './options.js';

/**
 * What the connection is for: `subscriptions` alone where the server speaks RESP2, in which an array may be a message
 * as well as a reply.
 */
export type Purpose = 'commands' | 'subscriptions';

export type SessionEnd =
  /** The login was refused: so is all that waits for it. */
  | { readonly kind: 'refused'; readonly error: RedisServerError }
  /** Before the login was done, or after. */
  | { readonly kind: 'lost'; readonly error: Error };

export interface SessionEvents {
  onOpen(protocol: 2 | 3): void;
  onPush(push: Push): void;
  /** All that was asked is answered, and nothing waits. */
  onIdle(): void;
  /** Once. */
  onEnd(end: SessionEnd): void;
}

export interface SessionSettings {
  readonly config: RedisConfig;
  readonly purpose: Purpose;
  readonly secret: Secret | undefined;
  readonly queue: ExchangeQueue;
}

/**
 * `login`: nothing of the queue may be sent. `early`: it may, though the server has not let us in yet. `second flight`:
 * it may no longer, and what was sent early is sorted by whether it was executed. `open`: the server has let us in.
 */
type Phase =
  | { readonly name: 'login' | 'early' | 'open' | 'ended' }
  | { readonly name: 'second flight'; readonly notExecuted: 'all' | 'NOAUTH' };

/** An exchange whose replies are due. */
interface Sent {
  readonly exchange: Exchange;
  due: number;
  /** Sent before the server had let us in. */
  readonly early: boolean;
  /** The server has said that it did not execute it. */
  refused: boolean;
}

/** Errors with which this client itself ends a connection. */
const OWN_DOING = new Set<RedisErrorCode>(['ERR_REDIS_CONNECT_TIMEOUT', 'ERR_REDIS_CLOSED']);

export class Session {
  readonly #line: Line;
  readonly #login: Login;
  readonly #queue: ExchangeQueue;
  readonly #purpose: Purpose;
  readonly #events: SessionEvents;
  #phase: Phase = { name: 'login' };
  readonly #sent = new Fifo<Sent>();
  /** Sent early and surely not executed: to be sent again. */
  #returned: Exchange[] = [];
  #flushDue = false;

  constructor(stream: Duplex, { config, purpose, secret, queue }: SessionSettings, events: SessionEvents) {
    this.#queue = queue;
    this.#purpose = purpose;
    this.#events = events;
    this.#line = new Line(stream, config.limits, {
      blobs: () => this.#blobs,
      onValue: (value) => this.#onValue(value),
      onDrain: () => this.#flushSoon(),
      onEnd: (error) => this.#onLineEnd(error),
    });
    this.#login = new Login(config, secret, {
      send: (exchange) => this.#send(exchange),
      onSecondFlight: (notExecuted) => this.#enter({ name: 'second flight', notExecuted }),
      onResult: (result) => this.#onLogin(result),
    });
  }

  /** Sends the login, and behind it what may follow at once. */
  start(): void {
    if (this.#login.start()) this.#enter({ name: 'early' });
    this.#queue.onAdded = () => this.#flushSoon();
    this.#flush();
  }

  /** Exchanges that were sent and are not answered. */
  get pending(): number {
    return this.#sent.length;
  }

  get isIdle(): boolean {
    return this.#phase.name === 'open' && this.#sent.length === 0 && this.#queue.length === 0;
  }

  /** Past the queue. */
  sendNow(exchange: Exchange): void {
    if (this.#phase.name === 'open') this.#send(exchange);
    else exchange.fail(lost());
  }

  /** Ends the sending side; the server's end is the end. */
  finish(): void {
    this.#line.finish();
  }

  destroy(error: Error): void {
    this.#line.destroy(error);
  }

  get #blobs(): Blobs {
    if (this.#purpose === 'subscriptions' && this.#phase.name === 'open') return 'buffer';
    return this.#sent.head?.exchange.blobs ?? 'string';
  }

  // Sending

  #send(exchange: Exchange): void {
    try {
      this.#line.encode(exchange.commands);
    } catch (error) {
      exchange.fail(error as Error); // a value that cannot be sent
      return;
    }
    const early = this.#phase.name === 'early';
    this.#sent.push({ exchange, due: exchange.commands.length, early, refused: false });
    this.#flushSoon();
  }

  /** At the end of this turn, so that what is asked in one turn goes out in one write. */
  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#flushDue = true; // what is encoded from here on goes along
    do {
      while (this.#takesFromQueue && this.#line.hasRoom) {
        const exchange = this.#queue.take();
        if (!exchange) break;
        this.#send(exchange);
      }
      this.#line.flush();
    } while (this.#takesFromQueue && this.#line.hasRoom && this.#queue.length > 0);
    this.#flushDue = false;
    this.#tellIdle();
  }

  get #takesFromQueue(): boolean {
    return this.#phase.name === 'open' || this.#phase.name === 'early';
  }

  // Replies

  #onValue(value: Reply | Push): void {
    if (value instanceof Push) this.#onPush(value);
    else if (Array.isArray(value) && this.#isPush(value)) this.#onPush(asPush(value));
    else this.#onReply(value);
  }

  /** In RESP2 what is a push in RESP3 is an array. */
  #isPush(value: Reply[]): boolean {
    if (this.#purpose === 'subscriptions' && this.#phase.name === 'open') return true;
    return this.#sent.head?.exchange.isAnsweredBy?.(asPush(value)) ?? false;
  }

  #onPush(push: Push): void {
    if (this.#sent.head?.exchange.isAnsweredBy?.(push)) this.#onReply('OK');
    else this.#events.onPush(push);
  }

  #onReply(reply: Reply): void {
    const sent = this.#sent.head;
    if (!sent) throw unasked(reply);
    sent.due--;
    if (sent.early && this.#wasNotExecuted(reply)) sent.refused = true;
    if (sent.due === 0) this.#sent.shift();
    if (!sent.refused) sent.exchange.take(reply);
    else if (sent.due === 0) this.#returned.push(sent.exchange);
    this.#tellIdle();
  }

  #wasNotExecuted(reply: Reply): boolean {
    if (this.#phase.name !== 'second flight') return false;
    return this.#phase.notExecuted === 'all' || (reply instanceof RedisServerError && reply.code === 'NOAUTH');
  }

  #tellIdle(): void {
    if (this.isIdle) this.#events.onIdle();
  }

  // Phases

  #enter(phase: Phase): void {
    this.#phase = phase;
  }

  #onLogin(result: LoginResult): void {
    switch (result.kind) {
      case 'accepted':
        this.#giveBack();
        this.#enter({ name: 'open' });
        this.#events.onOpen(result.protocol);
        this.#flushSoon();
        break;
      case 'refused':
        this.#end({ kind: 'refused', error: result.error });
        break;
      case 'turned away':
        for (const { exchange, early } of this.#sent.takeAll()) if (early) this.#returned.push(exchange);
        this.#end({ kind: 'lost', error: result.error });
        break;
    }
  }

  #giveBack(): void {
    const returned = this.#returned;
    this.#returned = [];
    if (returned.length > 0) this.#queue.giveBack(returned);
  }

  #onLineEnd(error: Error | undefined): void {
    this.#end({ kind: 'lost', error: lost(error) });
  }

  #end(end: SessionEnd): void {
    if (this.#phase.name === 'ended') return;
    this.#enter({ name: 'ended' });
    this.#queue.onAdded = () => {};
    this.#line.destroy(end.error);
    this.#giveBack();
    for (const { exchange } of this.#sent.takeAll()) exchange.fail(end.error);
    this.#events.onEnd(end);
  }
}

/** What was sent may have been executed: it is not said to be retryable. */
function lost(cause?: Error): RedisError {
  if (cause instanceof RedisError && OWN_DOING.has(cause.code)) return cause;
  return new RedisError('ERR_REDIS_CONNECTION_LOST', cause?.message, cause && { cause });
}

function unasked(reply: Reply): Error {
  if (reply instanceof RedisServerError) return reply; // why it ends the connection, perhaps
  return new RedisError('ERR_REDIS_PROTOCOL', 'a reply that belongs to no command');
}

function asPush([kind, ...data]: Reply[]): Push {
  return new Push(String(kind), data);
}
