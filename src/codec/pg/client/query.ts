/** Queries whose results are gathered: simple ones, and extended ones with parameters. */
import { PgError } from '../errors.js';
import type { BackendMessage, FrontendMessage, ParameterValue } from '../messages.js';
import type { TypeRegistry } from '../types/registry.js';
import type { Exchange, ExchangeLine } from './exchange.js';
import { type PgResult, ResultGatherer, type RowMode } from './result.js';

/** How an exchange ends, for who asked for it. */
export interface Outcome<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export interface QuerySettings {
  types: TypeRegistry;
  rowMode: RowMode;
  /** Whether the caller may cancel it. */
  cancellable: boolean;
}

/** What simple and extended queries have in common: all but how they begin. */
export abstract class QueryExchange implements Exchange {
  readonly alone: boolean;
  protected readonly gatherer: ResultGatherer;
  #copying = false;
  readonly #outcome: Outcome<PgResult[]>;

  constructor(settings: QuerySettings, outcome: Outcome<PgResult[]>) {
    this.alone = settings.cancellable;
    this.gatherer = new ResultGatherer(settings.types, settings.rowMode);
    this.#outcome = outcome;
  }

  abstract messages(line: ExchangeLine): FrontendMessage[];

  /** Ends COPY FROM STDIN, which the query turned out to be. */
  protected abstract readonly copyEnd: FrontendMessage[];

  on(message: BackendMessage, line: ExchangeLine): void {
    if (this.gatherer.take(message)) return;
    switch (message.name) {
      case 'CopyInResponse':
        this.#refuseCopyIn(line);
        return;
      case 'CopyOutResponse':
        this.#copying = true;
        this.gatherer.error ??= new PgError('ERR_PG_COPY', 'COPY … TO STDOUT goes through copyTo()');
        return;
      case 'CopyData':
      case 'CopyDone':
        if (this.#copying) return; // of the COPY that was refused
        break;
    }
    throw new PgError('ERR_PG_PROTOCOL', `${message.name} in the answer to a query`);
  }

  /** In copy mode the server drops Sync and takes any other message for the end of COPY: what was sent behind is lost. */
  #refuseCopyIn(line: ExchangeLine): void {
    const error = new PgError('ERR_PG_COPY', 'COPY … FROM STDIN goes through copyFrom()');
    this.gatherer.error ??= error;
    if (line.sentBehind > 0) line.destroy(error);
    else line.write(...this.copyEnd);
  }

  end(): void {
    if (this.gatherer.error) this.#outcome.reject(this.gatherer.error);
    else this.#outcome.resolve(this.gatherer.results);
  }

  fail(error: Error): void {
    this.#outcome.reject(this.gatherer.error ?? error);
  }
}

const copyFail: FrontendMessage = { name: 'CopyFail', reason: 'COPY FROM STDIN is not served by query()' };

/** Query: any number of statements, no parameters. */
export class SimpleQuery extends QueryExchange {
  protected readonly copyEnd = [copyFail];
  readonly #text: string;

  constructor(text: string, settings: QuerySettings, outcome: Outcome<PgResult[]>) {
    super(settings, outcome);
    this.#text = text;
  }

  messages(): FrontendMessage[] {
    return [{ name: 'Query', query: this.#text }];
  }
}

/** Parse, Bind, Describe, Execute, Sync: one statement, with parameters, in one flight. */
export class ExtendedQuery extends QueryExchange {
  // Behind a Sync that the server dropped while it was in copy mode.
  protected readonly copyEnd: FrontendMessage[] = [copyFail, { name: 'Sync' }];
  readonly #statement: Statement;
  readonly #values: ParameterValue[];
  readonly #preparation: Preparation;

  constructor(statement: Statement, values: ParameterValue[], settings: QuerySettings, outcome: Outcome<PgResult[]>) {
    super(settings, outcome);
    this.#statement = statement;
    this.#preparation = new Preparation(statement);
    this.#values = values;
  }

  messages(line: ExchangeLine): FrontendMessage[] {
    return [
      ...this.#preparation.messages(line),
      bind(this.#statement, this.#values),
      { name: 'Describe', what: 'P', target: '' },
      { name: 'Execute', portal: '', maxRows: 0 },
      { name: 'Sync' },
    ];
  }

  override on(message: BackendMessage, line: ExchangeLine): void {
    this.#preparation.on(message, line);
    super.on(message, line);
    if (this.gatherer.results.length > 1) throw new PgError('ERR_PG_PROTOCOL', 'two results of one statement');
  }
}

/** A statement as Parse has it. The one without a name is parsed anew each time. */
export interface Statement {
  name: string;
  text: string;
  typeOids: number[];
}

/** The part of an exchange that prepares its statement, where the connection does not have it yet. */
export class Preparation {
  readonly #statement: Statement;
  #parsing = false;

  constructor(statement: Statement) {
    this.#statement = statement;
  }

  messages(line: ExchangeLine): FrontendMessage[] {
    const { name, text, typeOids } = this.#statement;
    this.#parsing = !line.statements.has(name);
    if (!this.#parsing) return [];
    if (name !== '') line.statements.add(name);
    return [{ name: 'Parse', statement: name, query: text, typeOids }];
  }

  /** Sees all messages of the answer. */
  on(message: BackendMessage, line: ExchangeLine): void {
    if (message.name === 'ParseComplete') this.#parsing = false;
    // The server does not have it: it could not be parsed, or DEALLOCATE or DISCARD took it away.
    if (message.name === 'ErrorResponse' && (this.#parsing || message.fields.C === invalidStatementName)) {
      line.statements.delete(this.#statement.name);
    }
  }
}

/** SQLSTATE invalid_sql_statement_name. */
const invalidStatementName = '26000';

export function bind({ name }: Statement, values: ParameterValue[]): FrontendMessage {
  const binary = values.some((value) => Buffer.isBuffer(value));
  const parameterFormats = binary ? values.map((value) => (Buffer.isBuffer(value) ? 1 : 0) as 0 | 1) : [];
  return { name: 'Bind', portal: '', statement: name, parameterFormats, values, resultFormats: [] };
}

/** Close of a prepared statement. */
export class CloseStatement extends QueryExchange {
  protected readonly copyEnd = [];
  readonly #name: string;

  constructor(name: string, settings: QuerySettings, outcome: Outcome<PgResult[]>) {
    super(settings, outcome);
    this.#name = name;
  }

  messages(line: ExchangeLine): FrontendMessage[] {
    line.statements.delete(this.#name);
    return [{ name: 'Close', what: 'S', target: this.#name }, { name: 'Sync' }];
  }

  override on(message: BackendMessage, line: ExchangeLine): void {
    if (message.name !== 'CloseComplete') super.on(message, line);
  }
}
