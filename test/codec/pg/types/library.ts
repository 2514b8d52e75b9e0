/** node-postgres itself, to compare with: its parsers and its encoding of parameters. */
import { createRequire } from 'node:module';
import pg from 'pg';

const utils = createRequire(import.meta.url)('pg/lib/utils') as {
  prepareValue(value: unknown): string | Buffer | null | undefined;
  escapeIdentifier(name: string): string;
  escapeLiteral(text: string): string;
};

export const { prepareValue, escapeIdentifier, escapeLiteral } = utils;

/** OIDs by upper-case name. */
export const builtins: Readonly<Record<string, number>> = { ...pg.types.builtins };

/** What node-postgres gives for a column of that type and text. */
export function libraryValue(oid: number, text: string): unknown {
  return pg.types.getTypeParser(oid, 'text')(text);
}

/**
 * The same value without classes: objects by their own enumerable properties, as an application sees them; Dates and
 * Buffers as they are.
 */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
