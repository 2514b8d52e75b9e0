/** Arrays in text format ("Arrays", "Array Input and Output Syntax"): `{1,NULL,"a b"}`, `[2:3]={{1},{2}}`. */
import { malformed } from './malformed.js';
import type { TextParser } from './registry.js';

/** Dimensions that an array can have (MAXDIM in PostgreSQL's c.h): a bound for what a hostile server can nest. */
const MAX_DIMENSIONS = 6;

const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * A parser of arrays whose elements `element` parses: nested arrays, null for NULL. Lower bounds are left out. It throws
 * PgError ERR_PG_BAD_TEXT for text that is not an array of at most six dimensions.
 * @param delimiter `pg_type.typdelim` of the element type: `;` for box, else `,`
 */
export function arrayParser(element: TextParser, delimiter = ','): (text: string) => unknown[] {
  const delimiterCode = delimiter.charCodeAt(0);
  return (text) => new ArrayText(text, element, delimiterCode).parse();
}

/** One pass over the text. */
class ArrayText {
  readonly #text: string;
  readonly #element: TextParser;
  readonly #delimiter: number;
  #at = 0;

  constructor(text: string, element: TextParser, delimiter: number) {
    this.#text = text;
    this.#element = element;
    this.#delimiter = delimiter;
  }

  parse(): unknown[] {
    if (this.#text.startsWith('[')) this.#at = this.#text.indexOf('=') + 1;
    const items = this.#array(1);
    if (this.#at !== this.#text.length) throw malformed('array');
    return items;
  }

  #array(dimension: number): unknown[] {
    if (dimension > MAX_DIMENSIONS || this.#next() !== OPEN) throw malformed('array');
    const items: unknown[] = [];
    if (this.#peek() === CLOSE) {
      this.#at += 1;
      return items;
    }
    for (;;) {
      items.push(this.#item(dimension));
      const code = this.#next();
      if (code === CLOSE) return items;
      if (code !== this.#delimiter) throw malformed('array');
    }
  }

  #item(dimension: number): unknown {
    const code = this.#peek();
    if (code === OPEN) return this.#array(dimension + 1);
    if (code === QUOTE) return this.#element(this.#quoted());
    const text = this.#unquoted();
    return text === 'NULL' ? null : this.#element(text);
  }

  /** What stands between quotes; a backslash takes the character after it as it is. */
  #quoted(): string {
    let value = '';
    let start = this.#at + 1;
    for (let at = start; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return value + this.#text.slice(start, at);
      }
      if (code === BACKSLASH) {
        value += this.#text.slice(start, at);
        at += 1;
        start = at;
      }
    }
    throw malformed('array');
  }

  /** Up to a delimiter or the end of the array. What needs quotes does not stand here. */
  #unquoted(): string {
    const start = this.#at;
    for (let at = start; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === this.#delimiter || code === CLOSE) {
        if (at === start) break;
        this.#at = at;
        return this.#text.slice(start, at);
      }
      if (code === OPEN || code === QUOTE || code === BACKSLASH) break;
    }
    throw malformed('array');
  }

  #peek(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #next(): number {
    return this.#text.charCodeAt(this.#at++);
  }
}
