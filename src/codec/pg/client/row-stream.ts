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
  #complete = false;
  #wake: (() => void) | undefined;
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
      if (this.#complete || this.#state === 'done') return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const { value, bytes } = this.#rows.shift() as { value: R; bytes: number };
    this.#bytes -= bytes;
    if (this.#bytes <= this.#settings.readAheadBytes / 2) this.#line?.release();
    if (this.#state === 'suspended' && this.#rows.length <= this.#settings.fetchRows / 2) this.#fetch();
    return { done: false, value };
  }

  /** The reader leaves: the portal is closed, the rest of the rows is never asked for. */
  async return(): Promise<IteratorResult<R>> {
    this.#complete = true;
    this.#rows = [];
    this.#bytes = 0;
    if (this.#state === 'waiting' && this.#withdraw(this)) this.#state = 'done';
    this.#line?.release();
    if (this.#state === 'suspended') this.#close();
    return { done: true, value: undefined };
  }

  #takeError(): Error {
    const error = this.#error as Error;
    this.#error = undefined;
    this.#complete = true;
    return error;
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
        this.#state = 'suspended';
        if (this.#complete) this.#close();
        else if (this.#rows.length <= this.#settings.fetchRows / 2) this.#fetch();
        return;
      case 'ErrorResponse':
        this.#finish(new PgServerError(message.fields));
        return;
      case 'CommandComplete':
      case 'EmptyQueryResponse':
        this.#finish();
        return;
      case 'ParseComplete':
      case 'BindComplete':
      case 'NoData':
      case 'CloseComplete':
        return;
      case 'CopyInResponse':
      case 'CopyOutResponse': {
        const error = new PgError('ERR_PG_COPY', 'COPY goes through copyFrom() and copyTo()');
        this.#finish(error);
        line.destroy(error);
        return;
      }
      default:
        throw new PgError('ERR_PG_PROTOCOL', `${message.name} in the answer to a query`);
    }
  }

  end(): void {
    this.#state = 'done';
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#state = 'done';
    if (!this.#complete) this.#error ??= error;
    this.#wake?.();
  }

  #onRow(row: DataRow, line: ExchangeLine): void {
    if (this.#complete) return;
    if (!this.#make) throw new PgError('ERR_PG_PROTOCOL', 'DataRow without RowDescription');
    let value: R;
    try {
      value = this.#make(row) as R;
    } catch (error) {
      if (isProtocolError(error)) throw error;
      this.#error ??= error as Error; // a parser's own
      this.#complete = true; // what else comes is dropped, and the portal closed when it is suspended
      this.#wake?.();
      return;
    }
    this.#rows.push({ value, bytes: row.byteLength });
    this.#bytes += row.byteLength;
    if (this.#bytes > this.#settings.readAheadBytes) line.hold();
    this.#wake?.();
  }

  #fetch(): void {
    this.#state = 'running';
    this.#line?.write({ name: 'Execute', portal: '', maxRows: this.#settings.fetchRows }, { name: 'Flush' });
  }

  #finish(error?: Error): void {
    if (!this.#complete) this.#error ??= error;
    this.#complete = true;
    this.#close();
    this.#wake?.();
  }

  #close(): void {
    if (this.#state === 'closing' || this.#state === 'done') return;
    this.#state = 'closing';
    this.#line?.write({ name: 'Close', what: 'P', target: '' }, { name: 'Sync' });
  }
}
