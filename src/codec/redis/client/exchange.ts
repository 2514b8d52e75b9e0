/** What is sent together, what becomes of the replies, and the queue of what nobody has sent yet. */
import type { RedisError } from '../errors.js';
import type { Argument } from '../request-encoder.js';
import type { Blobs, Push, Reply } from '../values.js';
import type { Watch, WatchEffect } from './watch.js';

/** A command with its arguments. Buffers must not change until the reply is there. */
export type Command = readonly Argument[];

export interface Exchange {
  /** Sent behind one another, all in one; one reply is due for each. */
  readonly commands: readonly Command[];
  readonly blobs: Blobs;
  /** What it does to WATCH. */
  readonly watch?: WatchEffect | undefined;
  /** Called when nobody waits for the replies any more. */
  onAbandoned?: () => void;
  /** Once for each reply, in order; errors of the server are values. */
  take(reply: Reply): void;
  /** Whether this push is the reply that is due: SUBSCRIBE and its kin are answered so. */
  isAnsweredBy?(push: Push): boolean;
  /** There will be no reply, or no further one. */
  fail(error: Error): void;
  /** A transaction whose WATCH was lost with its connection: it must not run. */
  failWatch?(): void;
}

/** Outlives connections. */
export class ExchangeQueue {
  /** Called when there is something to send. */
  onAdded: () => void = () => {};
  readonly #watch: Watch;
  /** In their order; a Set, so that one that is abandoned can leave at once. */
  #waiting = new Set<Exchange>();
  /** Stands before the first. One iterator for all: a new one has to skip the places of all that have left. */
  #cursor: Iterator<Exchange> | undefined;
  #closed: Error | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  get length(): number {
    return this.#waiting.size;
  }

  add(exchange: Exchange): void {
    if (this.#closed) {
      exchange.fail(this.#closed);
      return;
    }
    this.#insert(exchange);
    this.onAdded();
  }

  /** The next to be sent; it is the caller's from here on. */
  take(): Exchange | undefined {
    for (;;) {
      const exchange = this.#next();
      if (!exchange) return undefined;
      delete exchange.onAbandoned;
      if (this.#watch.allows(exchange.watch)) return exchange;
      exchange.failWatch?.();
    }
  }

  /** Puts back in front what was sent and surely not executed. */
  giveBack(exchanges: readonly Exchange[]): void {
    const behind = this.#waiting;
    this.#waiting = new Set();
    this.#cursor = undefined;
    for (const exchange of [...exchanges, ...behind]) this.#insert(exchange);
    this.onAdded();
  }

  /** Fails all that wait. */
  fail(error: Error): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#cursor = undefined;
    for (const exchange of waiting) exchange.fail(error);
  }

  /** From here on nothing can be added. What waits goes on waiting. */
  close(error: RedisError): void {
    this.#closed ??= error;
  }

  #insert(exchange: Exchange): void {
    this.#waiting.add(exchange);
    exchange.onAbandoned = () => this.#waiting.delete(exchange);
  }

  #next(): Exchange | undefined {
    this.#cursor ??= this.#waiting.values();
    const { value } = this.#cursor.next();
    if (value) this.#waiting.delete(value);
    else this.#cursor = undefined;
    return value;
  }
}
