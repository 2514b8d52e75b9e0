/** COPY … FROM STDIN as a Writable. */
import { Writable } from 'node:stream';
import { PgError, PgServerError } from '../errors.js';
import type { BackendMessage, FrontendMessage } from '../messages.js';
import type { Exchange, ExchangeLine } from './exchange.js';
import { parseCommandTag } from './result.js';

type Callback = (error?: Error | null) => void;

/**
 * Takes the data in the format that the COPY names. 'finish' comes when the server has taken it all. Data is sent
 * right behind the query: a server that refuses the query drops it.
 */
export class CopyIn extends Writable {
  /** Rows that were copied; null before 'finish'. */
  rowCount: number | null = null;
  /** The exchange that carries it. */
  readonly exchange: Exchange;
  readonly #query: string;
  #line: ExchangeLine | undefined;
  /** A write that waits for the query to be sent. */
  #pending: (() => void) | undefined;
  #finished: Callback | undefined;
  #error: Error | undefined;
  /** Whether the server has asked for the data. */
  #copying = false;
  #over = false;
  readonly #withdraw: (exchange: Exchange) => boolean;

  constructor(query: string, withdraw: (exchange: Exchange) => boolean) {
    super({ decodeStrings: true });
    this.#query = query;
    this.#withdraw = withdraw;
    this.exchange = {
      alone: true,
      messages: () => [{ name: 'Query', query }],
      started: (line) => this.#onStarted(line),
      on: (message, line) => this.#onMessage(message, line),
      end: () => this.#onEnd(),
      fail: (error) => this.#onEnd(error),
    };
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#whenStarted(() => this.#send({ name: 'CopyData', data: chunk }, callback));
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    const messages = chunks.map(({ chunk }) => ({ name: 'CopyData', data: chunk }) as const);
    this.#whenStarted(() => {
      this.#line?.write(...messages.slice(0, -1));
      this.#send(messages.at(-1) as FrontendMessage, callback);
    });
  }

  override _final(callback: Callback): void {
    this.#finished = callback;
    this.#whenStarted(() => this.#line?.write({ name: 'CopyDone' }));
  }

  override _destroy(error: Error | null, callback: Callback): void {
    callback(error);
    if (this.#over) return;
    // Before it is sent it can still be taken back; after that the server must be told.
    if (!this.#line && this.#withdraw(this.exchange)) return;
    this.#whenStarted(() => this.#line?.write({ name: 'CopyFail', reason: 'the source of the data failed' }));
  }

  #send(message: FrontendMessage, callback: Callback): void {
    if (this.#over) {
      callback(this.#error);
      return;
    }
    this.#line?.write(message);
    this.#line?.whenDrained(() => callback());
  }

  #whenStarted(then: () => void): void {
    if (this.#line || this.#over) then();
    else this.#pending = then;
  }

  #onStarted(line: ExchangeLine): void {
    this.#line = line;
    this.#pending?.();
    this.#pending = undefined;
  }

  #onMessage(message: BackendMessage, line: ExchangeLine): void {
    switch (message.name) {
      case 'CopyInResponse':
        this.#onCopyIn(line);
        return;
      case 'CommandComplete':
        this.#complete(parseCommandTag(message.tag));
        return;
      case 'ErrorResponse':
        this.#error ??= new PgServerError(message.fields);
        return;
      default:
        // A query that is no COPY: its rows are dropped, and the caller is told.
        expectResult(message);
        this.#error ??= notCopy(this.#query);
    }
  }

  /** Of several statements in one text, the data is for the first, if that is a COPY. */
  #onCopyIn(line: ExchangeLine): void {
    if (this.#copying) this.#error ??= notCopy(this.#query);
    this.#copying = true;
    if (this.#error) line.write({ name: 'CopyFail', reason: 'there is no data for this COPY' });
  }

  #complete({ command, rowCount }: { command: string; rowCount: number | null }): void {
    if (command === 'COPY') this.rowCount = rowCount;
    else this.#error ??= notCopy(this.#query);
  }

  #onEnd(lost?: Error): void {
    this.#over = true;
    const error = this.#error ?? lost;
    this.#pending?.();
    this.#pending = undefined;
    if (error || !this.#finished || !this.#copying) destroySoon(this, error ?? notCopy(this.#query));
    else this.#finished();
  }
}

/** A client that is closed fails the call while it is being made: whoever makes it must be able to listen first. */
export function destroySoon(stream: { destroy(error: Error): unknown }, error: Error): void {
  process.nextTick(() => stream.destroy(error));
}

export function notCopy(query: string): PgError {
  return new PgError('ERR_PG_COPY', `the query is no COPY of this direction: ${query.slice(0, 80)}`);
}

/** @throws PgError ERR_PG_PROTOCOL where it is no part of the answer to a simple query */
export function expectResult({ name }: BackendMessage): void {
  if (!resultMessages.has(name)) throw new PgError('ERR_PG_PROTOCOL', `${name} in the answer to a COPY`);
}

const resultMessages: ReadonlySet<BackendMessage['name']> = new Set([
  'RowDescription',
  'DataRow',
  'EmptyQueryResponse',
  'CopyOutResponse',
  'CopyData',
  'CopyDone',
]);
