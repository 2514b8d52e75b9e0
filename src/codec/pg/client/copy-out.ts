/** COPY … TO STDOUT as a Readable. */
import { Readable } from 'node:stream';
import { PgError, PgServerError } from '../errors.js';
import type { BackendMessage } from '../messages.js';
import { destroySoon, expectResult, notCopy } from './copy-in.js';
import type { Exchange, ExchangeLine } from './exchange.js';
import { parseCommandTag } from './result.js';

/**
 * Gives the data in the format that the COPY names, in chunks. A reader that is slow slows the server
 * down; one that leaves (`destroy`) cancels the query.
 */
export class CopyOut extends Readable {
  /** Rows that were copied; null before 'end'. */
  rowCount: number | null = null;
  /** The exchange that carries it. */
  readonly exchange: Exchange;
  readonly #query: string;
  #line: ExchangeLine | undefined;
  #error: Error | undefined;
  #copying = false;
  #over = false;
  /** Called when the reader leaves before the end. */
  readonly #leave: (exchange: Exchange) => void;

  constructor(query: string, leave: (exchange: Exchange) => void) {
    super();
    this.#query = query;
    this.#leave = leave;
    this.exchange = {
      alone: true,
      messages: () => [{ name: 'Query', query }],
      on: (message, line) => this.#onMessage(message, line),
      end: () => this.#onEnd(),
      fail: (error) => this.#onEnd(error),
    };
  }

  override _read(): void {
    if (!this.#over) this.#line?.release();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error);
    if (this.#over) return; // the connection is another's to hold
    this.#line?.release(); // the rest is dropped
    this.#leave(this.exchange);
  }

  #onMessage(message: BackendMessage, line: ExchangeLine): void {
    this.#line = line;
    switch (message.name) {
      case 'CopyOutResponse':
        this.#copying = true;
        return;
      case 'CopyData':
        if (!this.#copying) throw new PgError('ERR_PG_PROTOCOL', 'CopyData without CopyOutResponse');
        if (!this.destroyed && !this.push(message.data)) line.hold();
        return;
      case 'CopyDone':
        return;
      case 'CommandComplete':
        this.rowCount = parseCommandTag(message.tag).rowCount;
        return;
      case 'ErrorResponse':
        this.#error ??= new PgServerError(message.fields);
        return;
      case 'CopyInResponse':
        // Nothing is sent behind this exchange, so the end of this COPY is all that the server waits for.
        line.write({ name: 'CopyFail', reason: 'COPY FROM STDIN is not served by copyTo()' });
        this.#error ??= notCopy(this.#query);
        return;
      default:
        expectResult(message);
        this.#error ??= notCopy(this.#query);
    }
  }

  #onEnd(lost?: Error): void {
    this.#over = true;
    const error = this.#error ?? lost ?? (this.#copying ? undefined : notCopy(this.#query));
    if (error) destroySoon(this, error);
    else this.push(null);
  }
}
