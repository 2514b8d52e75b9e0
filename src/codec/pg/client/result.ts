/** Results as the caller sees them, and how they come together from messages. */
import type { DataRow } from '../data-row.js';
import { PgError, PgServerError } from '../errors.js';
import type { BackendMessage, FieldDescription } from '../messages.js';
import type { TextParser, TypeRegistry } from '../types/registry.js';

// biome-ignore lint/suspicious/noExplicitAny: the columns of a query are not known to the compiler
export type Row = Record<string, any>;

/** `object`: a row is an object by column name, the last of several equal names wins. `array`: by column number. */
export type RowMode = 'object' | 'array';

export interface PgResult<R = Row> {
  rows: R[];
  /** Columns, as RowDescription has them; empty where the command returns none. */
  fields: FieldDescription[];
  /** Of CommandComplete, without its numbers: 'SELECT', 'INSERT', 'CREATE TABLE'. Empty for an empty query. */
  command: string;
  /** Rows returned or changed; null where the command does not count them. */
  rowCount: number | null;
}

export type RowMaker = (row: DataRow) => unknown;

/** How the rows of one RowDescription become values. */
export function rowMaker(fields: readonly FieldDescription[], types: TypeRegistry, mode: RowMode): RowMaker {
  const parsers: TextParser[] = fields.map((field) => types.parser(field.typeOid));
  if (mode === 'array') return (row) => row.decode(parsers);
  const names = fields.map((field) => field.name);
  if (names.includes('__proto__')) {
    return (row) => Object.fromEntries(row.decode(parsers).map((value, i) => [names[i], value]));
  }
  return (row) => {
    const values = row.decode(parsers);
    const object: Row = {};
    for (let i = 0; i < names.length; i++) object[names[i] as string] = values[i];
    return object;
  };
}

/** A row that breaks the protocol ends the connection; a parser's own error spoils its result only. */
export function isProtocolError(error: unknown): boolean {
  return error instanceof PgError && error.code === 'ERR_PG_PROTOCOL';
}

/** 'INSERT 0 5' is the command INSERT with 5 rows; 'CREATE TABLE' has no number. */
export function parseCommandTag(tag: string): { command: string; rowCount: number | null } {
  const [, command = tag, count] = /^(.*?)(?: \d+)??(?: (\d+))?$/s.exec(tag) ?? [];
  return { command, rowCount: count === undefined ? null : Number(count) };
}

/** Gathers the results of one exchange: one of each statement, or an error. */
export class ResultGatherer {
  /** Of the statements that are complete. */
  readonly results: PgResult[] = [];
  /** The first that went wrong: the server's error, or that of a parser. */
  error: Error | undefined;
  #current: PgResult = emptyResult();
  #make: RowMaker | undefined;
  readonly #types: TypeRegistry;
  readonly #mode: RowMode;

  constructor(types: TypeRegistry, mode: RowMode) {
    this.#types = types;
    this.#mode = mode;
  }

  /** @returns whether it was a message of a result. */
  take(message: BackendMessage): boolean {
    switch (message.name) {
      case 'DataRow':
        this.#row(message);
        return true;
      case 'RowDescription':
        this.#current.fields = message.fields;
        this.#make = rowMaker(message.fields, this.#types, this.#mode);
        return true;
      case 'CommandComplete':
        this.#complete(parseCommandTag(message.tag));
        return true;
      case 'EmptyQueryResponse':
        this.#complete({ command: '', rowCount: null });
        return true;
      case 'ErrorResponse':
        this.error ??= new PgServerError(message.fields);
        return true;
      case 'ParseComplete':
      case 'BindComplete':
      case 'NoData':
      case 'ParameterDescription':
        return true;
      default:
        return false;
    }
  }

  #row(row: DataRow): void {
    if (!this.#make) throw new PgError('ERR_PG_PROTOCOL', 'DataRow without RowDescription');
    if (this.error) return;
    try {
      this.#current.rows.push(this.#make(row) as Row);
    } catch (error) {
      if (isProtocolError(error)) throw error;
      this.error = error as Error;
    }
  }

  #complete(end: { command: string; rowCount: number | null }): void {
    this.results.push(Object.assign(this.#current, end));
    this.#current = emptyResult();
    this.#make = undefined;
  }
}

export function emptyResult(): PgResult {
  return { rows: [], fields: [], command: '', rowCount: null };
}
