/** What a client and its server do together between two ReadyForQuery, and the queue of such exchanges. */
import { PgError } from '../errors.js';
import type { BackendMessage, FrontendMessage } from '../messages.js';

/** What an exchange may do with its connection. */
export interface ExchangeLine {
  write(...messages: FrontendMessage[]): void;
  hold(): void;
  release(): void;
  whenDrained(then: () => void): void;
  /** Ends the connection: it is in a state from which nothing leads on. */
  destroy(error: Error): void;
  /** Exchanges that were sent after the one that is being answered. */
  readonly sentBehind: number;
  /** Names of the statements that this connection has prepared, or is about to. */
  readonly statements: Set<string>;
}

export interface Exchange {
  /** Whether nothing may be sent behind it before it is answered. */
  readonly alone: boolean;
  /**
   * What begins it. Asked for again where the first connection was given up before the server could look at it, so
   * it must come out the same.
   */
  messages(line: ExchangeLine): FrontendMessage[];
  /** The server is logged in to and its messages are sent: now it may go on writing by itself. */
  started?(line: ExchangeLine): void;
  /** A message of the answer; ErrorResponse too. */
  on(message: BackendMessage, line: ExchangeLine): void;
  /** ReadyForQuery: the answer is complete. */
  end(): void;
  /** There is no answer, or no complete one. */
  fail(error: Error): void;
}

/** Exchanges that nobody has sent yet. It outlives connections that are given up during login. */
export class ExchangeQueue {
  /** Called when there is something new to send. */
  onAdded: () => void = () => {};
  #waiting: Exchange[] = [];
  #closed: Error | undefined;
  readonly #withdrawn = new WeakSet<Exchange>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(exchange: Exchange): void {
    if (this.#withdrawn.has(exchange)) return;
    if (this.#closed) {
      exchange.fail(this.#closed);
    } else if (this.#waiting.length >= this.#limit) {
      const detail = `${this.#limit} queries wait already (queuedQueries)`;
      exchange.fail(new PgError('ERR_PG_QUEUE_FULL', detail, { retryable: true }));
    } else {
      this.#waiting.push(exchange);
      this.onAdded();
    }
  }

  take(): Exchange | undefined {
    return this.#waiting.shift();
  }

  /** Puts back, in front, what was sent to a server that never looked at it. */
  giveBack(exchanges: Exchange[]): void {
    this.#waiting.unshift(...exchanges);
  }

  /** It will not be sent, even if it is added only after this. */
  withdraw(exchange: Exchange): void {
    this.#withdrawn.add(exchange);
    const index = this.#waiting.indexOf(exchange);
    if (index !== -1) this.#waiting.splice(index, 1);
  }

  /** Fails what waits and what is added from now on. */
  close(error: Error): void {
    if (this.#closed) return;
    this.#closed = error;
    for (const exchange of this.#waiting.splice(0)) exchange.fail(error);
  }
}
