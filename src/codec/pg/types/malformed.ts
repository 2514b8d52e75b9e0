import { PgError } from '../errors.js';

/** A value that no server sends, whatever its settings. The value itself stays out of the message: it may be private. */
export function malformed(type: string, cause?: unknown): PgError {
  return new PgError('ERR_PG_BAD_TEXT', type, { cause });
}
