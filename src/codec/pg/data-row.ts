/** DataRow: a row of a result, a view of the bytes that came. A value is copied when somebody asks for it. */
import { NULL_LENGTH } from './constants.js';
import { PgError } from './errors.js';
import { int32At, uint16At } from './reader.js';
import { TextRun } from './text.js';
import { Writer } from './writer.js';

/** Bytes of the column count, and of each value's length. */
const COUNT_LENGTH = 2;
const LENGTH_LENGTH = 4;

/**
 * Columns are numbered from 0; one that is not there is null as a value that is null.
 * Going through them in ascending order is fast, each step back begins at the first again.
 */
export class DataRow {
  readonly name = 'DataRow';
  /** How many columns. */
  readonly length: number;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  /** The column that was asked for last, and where its length is. */
  #column = 0;
  #at: number;
  #run: TextRun | undefined;

  /**
   * The row whose body is bytes[start] to bytes[end - 1]; the bytes are kept, not copied.
   * @throws PgError ERR_PG_PROTOCOL where column count and lengths do not fill the body exactly
   */
  constructor(bytes: Buffer, start: number, end: number) {
    this.length = columnCount(bytes, start, end);
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = start + COUNT_LENGTH;
  }

  /** A row of its own: text, bytes, or null. */
  static of(values: readonly (string | Uint8Array | null)[]): DataRow {
    const writer = new Writer();
    writer.begin();
    writer.list(values, (value) => writer.value(value));
    const bytes = writer.take();
    return new DataRow(bytes, LENGTH_LENGTH, bytes.length);
  }

  /** Bytes of the body. */
  get byteLength(): number {
    return this.#end - this.#start;
  }

  /** The body as it came, a view. */
  get body(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** The bytes of a value, a view. */
  bytes(column: number): Buffer | null {
    const length = this.#seek(column);
    if (length < 0) return null;
    const start = this.#at + LENGTH_LENGTH;
    return this.#bytes.subarray(start, start + length);
  }

  /** A value as text: for columns in text format. */
  text(column: number): string | null {
    const length = this.#seek(column);
    if (length < 0) return null;
    const start = this.#at + LENGTH_LENGTH;
    this.#run ??= new TextRun(this.#bytes, this.#end);
    return this.#run.text(start, start + length);
  }

  /** All values as text. */
  texts(): (string | null)[] {
    const bytes = this.#bytes;
    const run = new TextRun(bytes, this.#end);
    const texts = new Array<string | null>(this.length);
    let at = this.#start + COUNT_LENGTH;
    for (let column = 0; column < texts.length; column++) {
      const length = int32At(bytes, at);
      at += LENGTH_LENGTH;
      if (length < 0) {
        texts[column] = null;
        continue;
      }
      texts[column] = run.text(at, at + length);
      at += length;
    }
    return texts;
  }

  /**
   * All values, each by the parser of its column; null stays null.
   * @throws PgError ERR_PG_PROTOCOL where there are not as many columns as parsers
   */
  decode(parsers: readonly ((text: string) => unknown)[]): unknown[] {
    if (parsers.length !== this.length) {
      throw new PgError('ERR_PG_PROTOCOL', `DataRow: ${this.length} columns where ${parsers.length} were described`);
    }
    const values: unknown[] = this.texts();
    for (let column = 0; column < values.length; column++) {
      const text = values[column];
      if (text !== null) values[column] = parsers[column]?.(text as string);
    }
    return values;
  }

  /** Goes to a column, and gives the length of its value: -1 where there is none. */
  #seek(column: number): number {
    if (!Number.isInteger(column) || column < 0 || column >= this.length) return NULL_LENGTH;
    if (column < this.#column) {
      this.#column = 0;
      this.#at = this.#start + COUNT_LENGTH;
    }
    while (this.#column < column) {
      this.#at = afterValue(this.#bytes, this.#at);
      this.#column++;
    }
    return int32At(this.#bytes, this.#at);
  }
}

function afterValue(bytes: Buffer, at: number): number {
  const length = int32At(bytes, at);
  return at + LENGTH_LENGTH + (length < 0 ? 0 : length);
}

/** Goes through the lengths once, so that nobody needs to look at the bounds afterwards. */
function columnCount(bytes: Buffer, start: number, end: number): number {
  if (end - start < COUNT_LENGTH) throw lie('it has no column count');
  const count = uint16At(bytes, start);
  let at = start + COUNT_LENGTH;
  for (let column = 0; column < count; column++) {
    if (end - at < LENGTH_LENGTH) throw lie(`${count} columns do not fit`);
    const length = int32At(bytes, at);
    at += LENGTH_LENGTH;
    if (length === NULL_LENGTH) continue;
    if (length < 0 || length > end - at) throw lie(`column ${column} has a length of ${length}`);
    at += length;
  }
  if (at !== end) throw lie(`${end - at} bytes too many`);
  return count;
}

function lie(detail: string): PgError {
  return new PgError('ERR_PG_PROTOCOL', `DataRow: ${detail}`);
}
