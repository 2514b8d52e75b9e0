/** Quoting for the places of SQL that take no parameter: names, as in LISTEN and SAVEPOINT, and literals in SET. */

/**
 * A name as SQL takes it, as libpq's PQescapeIdentifier gives it: `my "table"` becomes `"my ""table"""`. PostgreSQL cuts
 * names off at 63 bytes.
 */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A string literal, as libpq's PQescapeLiteral gives it: one with a backslash becomes ` E'…'`, so that it means the same
 * whatever standard_conforming_strings says. The space in front keeps it apart from a word before it.
 */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}
