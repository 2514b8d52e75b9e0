/**
 * Where queries can be made: on a client, or inside a transaction. Both have the same calls; they differ in when an
 * exchange may join the queue.
 */
import { PgError } from '../errors.js';
import type { PgLimits } from '../limits.js';
import type { ParameterValue } from '../messages.js';
import { encodeParameter } from '../types/parameters.js';
import { type TextParser, TypeRegistry } from '../types/registry.js';
import { Cancellation } from './cancellation.js';
import { CopyIn } from './copy-in.js';
import { CopyOut } from './copy-out.js';
import type { Exchange } from './exchange.js';
import { CloseStatement, ExtendedQuery, type QuerySettings, SimpleQuery, type Statement } from './query.js';
import type { PgResult, Row, RowMode } from './result.js';
import { RowStream } from './row-stream.js';
import { Turns } from './turns.js';

export interface QueryOptions {
  /** Default 'object'. */
  rowMode?: RowMode | undefined;
  /** Parsers by OID, over those of the client. */
  types?: Readonly<Record<number, TextParser>> | undefined;
  /** Cancels the query. Nothing is sent behind one that can be cancelled, so that no other can be hit. */
  signal?: AbortSignal | undefined;
  /** ms until it is cancelled with ERR_PG_QUERY_TIMEOUT. Default: that of the client. */
  timeoutMs?: number | undefined;
}

export interface RowsOptions {
  rowMode?: RowMode | undefined;
  types?: Readonly<Record<number, TextParser>> | undefined;
  /** Rows that are asked for at a time. Default: `limits.fetchRows`. */
  fetchRows?: number | undefined;
}

/** What queries need of their client. */
export interface ScopeContext {
  readonly limits: PgLimits;
  readonly types: TypeRegistry;
  readonly parsers: Readonly<Record<number, TextParser>>;
  readonly queryTimeoutMs: number;
  /** A name for a statement that no other has. */
  statementName(): string;
  /** Takes back what is not sent. @returns whether it was not. */
  withdraw(exchange: Exchange): boolean;
  /** Cancels what is running, as soon as it is `exchange`. */
  cancel(exchange: Exchange): void;
}

export abstract class QueryScope {
  protected readonly context: ScopeContext;
  /** A transaction inside this scope has everything to itself. */
  protected readonly turns = new Turns();

  constructor(context: ScopeContext) {
    this.context = context;
  }

  /** Puts it into the queue of the connection. */
  protected abstract enqueue(exchange: Exchange): void;

  #submit(exchange: Exchange): void {
    this.turns.run(() => this.enqueue(exchange));
  }

  /**
   * Without parameters a simple query, which may have several statements: the result is that of the last. With them
   * an extended one, of one statement. Queries that are made without waiting for each other share a flight.
   */
  async query<R = Row>(text: string, values?: readonly unknown[], options: QueryOptions = {}): Promise<PgResult<R>> {
    return lastOf(await this.#run(text, values, options));
  }

  /** A script: any number of statements, and the result of each. */
  async execute(text: string, options: QueryOptions = {}): Promise<PgResult[]> {
    return this.#run(text, undefined, options);
  }

  /** A statement that the server parses once. It is prepared with its first use, in the same flight. */
  prepare(text: string, { typeOids = [] }: { typeOids?: number[] } = {}): PreparedStatement {
    const statement = { name: this.context.statementName(), text, typeOids };
    return {
      text,
      query: async <R>(values: readonly unknown[] = [], options: QueryOptions = {}) =>
        lastOf<R>(await this.#extended(statement, values, options)),
      rows: <R>(values: readonly unknown[] = [], options: RowsOptions = {}) =>
        this.#rows<R>(statement, values, options),
      close: async () => {
        await this.#ask({}, (settings, outcome) => new CloseStatement(statement.name, settings, outcome));
      },
    };
  }

  /**
   * Rows as they come, with backpressure: `for await (const row of client.rows('…'))`. Leaving the loop closes the
   * portal. Other queries wait until it is over.
   */
  rows<R = Row>(text: string, values: readonly unknown[] = [], options: RowsOptions = {}): RowStream<R> {
    return this.#rows<R>({ name: '', text, typeOids: [] }, values, options);
  }

  /** COPY … FROM STDIN. 'finish' comes when the server has taken it all; `rowCount` is then the number of rows. */
  copyFrom(query: string): CopyIn {
    const copy = new CopyIn(query, (exchange) => this.context.withdraw(exchange));
    this.#submit(copy.exchange);
    return copy;
  }

  /** COPY … TO STDOUT. Destroying it cancels the query. */
  copyTo(query: string): CopyOut {
    const copy = new CopyOut(query, (exchange) => this.context.cancel(exchange));
    this.#submit(copy.exchange);
    return copy;
  }

  #run(text: string, values: readonly unknown[] | undefined, options: QueryOptions): Promise<PgResult[]> {
    if (typeof text !== 'string') throw new PgError('ERR_PG_BAD_VALUE', 'the query is not a string');
    if (values !== undefined) return this.#extended({ name: '', text, typeOids: [] }, values, options);
    return this.#ask(options, (settings, outcome) => new SimpleQuery(text, settings, outcome));
  }

  #extended(statement: Statement, values: readonly unknown[], options: QueryOptions): Promise<PgResult[]> {
    const encoded = encodeParameters(values);
    return this.#ask(options, (settings, outcome) => new ExtendedQuery(statement, encoded, settings, outcome));
  }

  #rows<R>(statement: Statement, values: readonly unknown[], options: RowsOptions): RowStream<R> {
    const { limits } = this.context;
    const settings = {
      ...this.#settings(options),
      fetchRows: options.fetchRows ?? limits.fetchRows,
      readAheadBytes: limits.readAheadBytes,
    };
    const stream = new RowStream<R>(statement, encodeParameters(values), settings, (e) => this.context.withdraw(e));
    this.#submit(stream);
    return stream;
  }

  #ask(
    options: QueryOptions,
    make: (settings: QuerySettings, outcome: { resolve(r: PgResult[]): void; reject(e: Error): void }) => Exchange,
  ): Promise<PgResult[]> {
    const { signal, timeoutMs = this.context.queryTimeoutMs } = options;
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const cancellable = signal !== undefined || timeoutMs > 0;
      const cancellation = new Cancellation(signal, timeoutMs);
      const exchange = make(
        { ...this.#settings(options), cancellable },
        {
          resolve: (results) => {
            cancellation.done();
            resolve(results);
          },
          reject: (error) => {
            cancellation.done();
            reject(error);
          },
        },
      );
      cancellation.onCancel = (reason) => {
        reject(reason);
        this.context.cancel(exchange);
      };
      this.#submit(exchange);
    });
  }

  #settings({ rowMode = 'object', types }: { rowMode?: RowMode | undefined; types?: QueryOptions['types'] }) {
    const registry = types ? new TypeRegistry({ ...this.context.parsers, ...types }) : this.context.types;
    return { types: registry, rowMode, cancellable: false };
  }
}

export interface PreparedStatement {
  readonly text: string;
  query<R = Row>(values?: readonly unknown[], options?: QueryOptions): Promise<PgResult<R>>;
  rows<R = Row>(values?: readonly unknown[], options?: RowsOptions): RowStream<R>;
  /** Frees it on the server. */
  close(): Promise<void>;
}

/** A server has a result, if an empty one, for every query. */
function lastOf<R>(results: PgResult[]): PgResult<R> {
  const result = results.at(-1);
  if (!result) throw new PgError('ERR_PG_PROTOCOL', 'the answer to a query has no result');
  return result as PgResult<R>;
}

function encodeParameters(values: readonly unknown[]): ParameterValue[] {
  if (!Array.isArray(values)) throw new PgError('ERR_PG_BAD_VALUE', 'the parameters are not an array');
  if (values.length > 0xffff) {
    throw new PgError('ERR_PG_BAD_VALUE', `${values.length} parameters; the protocol has room for 65,535`);
  }
  return values.map(encodeParameter);
}
