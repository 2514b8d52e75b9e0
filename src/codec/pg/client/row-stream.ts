/** Rows one by one, as many at a time as the reader can take. */
import type { DataRow } from '../data-row.js';
import { PgError, PgServerError } from '../errors.js';
import type { BackendMessage, FieldDescription, FrontendMessage, ParameterValue } from '../messages.js';
import type { Exchange, ExchangeLine } from './exchange.js';
import { bind, Preparation, type QuerySettings, type Statement } from './query.js';
import { isProtocolError, type RowMaker, rowMaker } from './result.js';

export interface RowStreamSettings extends QuerySettings {
  /** Rows that are asked for at a time. */
  fetchRows: number;
  /** Bytes of rows that are held for a slow reader before the connection is paused. */
  readAheadBytes: number;
}

/**
 * `running`: Execute is under way. `suspended`: the server has more, and was not asked for it. `closing`: Sync is sent.
 * `done`: ReadyForQuery came, or the connection is gone.
 */
type State = 'waiting' | 'running' | 'suspended' | 'closing' | 'done';

/**
 * A portal that is executed `fetchRows` at a time; the next rows are asked for while the last ones are being read.
 * Nothing else is sent until it is closed: the portal lives until Sync.
 */
export class RowStream<R> implements Exchange, AsyncIterableIterator<R> {
  readonly alone = true;
  #state: State = 'waiting';
  #line: ExchangeLine | undefined;
  #rows: { value: R; bytes: number }[] = [];
  #bytes = 0;
  #make: RowMaker | undefined;
  #fields: FieldDescription[] = [];
  #error: Error | undefined;
  /** Whether rows are of no use any more: the reader has left, or was told of an error. */
  #dropping = false;
  #waiting: (() => void)[] = [];
  readonly #statement: Statement;
  readonly #preparation: Preparation;
  readonly #values: ParameterValue[];
  readonly #settings: RowStreamSettings;
  /** Called when the reader leaves before anything was sent. */
  readonly #withdraw: (stream: Exchange) => boolean;

  constructor(
    statement: Statement,
    values: ParameterValue[],
    settings: RowStreamSettings,
    withdraw: (stream: Exchange) => boolean,
  ) {
    this.#statement = statement;
    this.#preparation = new Preparation(statement);
    this.#values = values;
    this.#settings = settings;
    this.#withdraw = withdraw;
  }

  /** Columns; empty before the first row. */
  get fields(): FieldDescription[] {
    return this.#fields;
  }

  // What the reader does

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<R>> {
    while (this.#rows.length === 0) {
      if (this.#error) throw this.#takeError();
      // Not before: what ends at Sync, as the transaction of a query outside of others, can still fail there.
      if (this.#dropping || this.#state === 'done') return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const { value, bytes } = this.#rows.shift() as { value: R; bytes: number };
    this.#bytes -= bytes;
    if (this.#bytes <= this.#settings.readAheadBytes / 2) this.#release();
    if (this.#state === 'suspended' && this.#rows.length <= this.#settings.fetchRows / 2) this.#fetch();
    return { done: false, value };
  }

  /** The reader leaves: the portal is closed, the rest of the rows is never asked for. */
  async return(): Promise<IteratorResult<R>> {
    this.#dropping = true;
    this.#error = undefined;
    this.#rows = [];
    this.#bytes = 0;
    if (this.#state === 'waiting' && this.#withdraw(this)) this.#state = 'done';
    this.#release();
    if (this.#state === 'suspended') this.#close();
    this.#wake();
    return { done: true, value: undefined };
  }

  #takeError(): Error {
    const error = this.#error as Error;
    this.#error = undefined;
    this.#dropping = true;
    return error;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Afterwards the connection is another's to hold. */
  #release(): void {
    if (this.#state !== 'done') this.#line?.release();
  }

  // What the connection does

  messages(line: ExchangeLine): FrontendMessage[] {
    return [
      ...this.#preparation.messages(line),
      bind(this.#statement, this.#values),
      { name: 'Describe', what: 'P', target: '' },
      { name: 'Execute', portal: '', maxRows: this.#settings.fetchRows },
      { name: 'Flush' },
    ];
  }

  started(line: ExchangeLine): void {
    this.#line = line;
    this.#state = 'running';
  }

  on(message: BackendMessage, line: ExchangeLine): void {
    this.#preparation.on(message, line);
    switch (message.name) {
      case 'DataRow':
        this.#onRow(message, line);
        return;
      case 'RowDescription':
        this.#fields = message.fields;
        this.#make = rowMaker(message.fields, this.#settings.types, this.#settings.rowMode);
        return;
      case 'PortalSuspended':
        if (this.#state !== 'running') throw unexpected(message);
        this.#state = 'suspended';
        if (this.#dropping) this.#close();
        else if (this.#rows.length <= this.#settings.fetchRows / 2) this.#fetch();
        return;
      case 'ErrorResponse':
        this.#finish(new PgServerError(message.fields));
        return;
      case 'CommandComplete':
      case 'EmptyQueryResponse':
        if (this.#state !== 'running') throw unexpected(message);
        this.#close();
        return;
      case 'ParseComplete':
      case 'BindComplete':
      case 'NoData':
        return;
      case 'CloseComplete':
        if (this.#state !== 'closing') throw unexpected(message);
        return;
      case 'CopyInResponse':
      case 'CopyOutResponse': {
        const error = new PgError('ERR_PG_COPY', 'COPY goes through copyFrom() and copyTo()');
        this.#finish(error);
        line.destroy(error);
        return;
      }
      default:
        throw unexpected(message);
    }
  }

  end(): void {
    this.#state = 'done';
    this.#wake();
  }

  fail(error: Error): void {
    this.#state = 'done';
    if (!this.#dropping) this.#error ??= error;
    this.#wake();
  }

  #onRow(row: DataRow, line: ExchangeLine): void {
    if (this.#state !== 'running') throw unexpected(row);
    if (this.#dropping) return;
    if (!this.#make) throw new PgError('ERR_PG_PROTOCOL', 'DataRow without RowDescription');
    let value: R;
    try {
      value = this.#make(row) as R;
    } catch (error) {
      if (isProtocolError(error)) throw error;
      this.#error ??= error as Error; // a parser's own
      this.#dropping = true; // what else comes, and the portal is closed when it is suspended
      this.#wake();
      return;
    }
    this.#rows.push({ value, bytes: row.byteLength });
    this.#bytes += row.byteLength;
    if (this.#bytes > this.#settings.readAheadBytes) line.hold();
    this.#wake();
  }

  #fetch(): void {
    this.#state = 'running';
    this.#line?.write({ name: 'Execute', portal: '', maxRows: this.#settings.fetchRows }, { name: 'Flush' });
  }

  #finish(error: Error): void {
    if (!this.#dropping) this.#error ??= error;
    this.#close();
    this.#wake();
  }

  #close(): void {
    if (this.#state === 'closing' || this.#state === 'done') return;
    this.#state = 'closing';
    this.#line?.write({ name: 'Close', what: 'P', target: '' }, { name: 'Sync' });
  }
}

function unexpected({ name }: BackendMessage): PgError {
  return new PgError('ERR_PG_PROTOCOL', `${name} in the answer to a query`);
}
