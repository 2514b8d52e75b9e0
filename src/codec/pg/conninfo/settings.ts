/** Parameters by key word, each with where it came from; checked as they are set. */
import { PgError } from '../errors.js';
import { type Keyword, parameters, suggestionFor } from './parameters.js';

export interface Setting {
  readonly value: string;
  /** For messages: 'the connection string', 'PGPORT', 'the service file'. */
  readonly origin: string;
}

export class Settings {
  readonly #settings = new Map<string, Setting>();

  get(keyword: Keyword): Setting | undefined {
    return this.#settings.get(keyword);
  }

  /** Its value; undefined where it is not set, or empty. */
  text(keyword: Keyword): string | undefined {
    return this.#settings.get(keyword)?.value || undefined;
  }

  has(keyword: string): boolean {
    return this.#settings.has(keyword);
  }

  /** Over what was set before. The key word must be one that `parameters` has. */
  set(keyword: string, value: string, origin: string): void {
    const fate = parameters.get(keyword)?.fate;
    // What is refused may still be given as nothing: configurations are often written out in full.
    if (typeof fate === 'object' && value !== '') {
      throw new PgError('ERR_PG_BAD_OPTION', `${keyword} (${origin}) is not supported: ${fate.refused}`);
    }
    if (value.includes('\0')) {
      throw new PgError('ERR_PG_BAD_OPTION', `${keyword} (${origin}) has a zero byte, which the protocol cannot carry`);
    }
    this.#settings.set(keyword, { value, origin });
  }

  /** The rest of `others`: what is set here stays. */
  fillFrom(others: Settings): void {
    for (const [keyword, setting] of others.#settings) {
      if (!this.#settings.has(keyword)) this.#settings.set(keyword, setting);
    }
  }
}

/** Of a key word that libpq does not have. `word` is left out where it might be a piece of a password. */
export function unknownKeyword(word: string | undefined, origin: string, hint = ''): PgError {
  const meant = word === undefined ? undefined : suggestionFor(word);
  const named = word === undefined ? 'an unknown parameter' : `unknown parameter ${JSON.stringify(word.slice(0, 40))}`;
  const suggestion = meant === undefined ? '' : `; did you mean "${meant}"?`;
  return new PgError('ERR_PG_BAD_OPTION', `${named} in ${origin}${suggestion}${hint}`);
}
