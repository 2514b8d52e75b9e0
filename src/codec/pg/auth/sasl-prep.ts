/** Passwords as PostgreSQL prepares them for SCRAM (`pg_saslprep`; RFC 4013). */

const ASCII = /^[\0-\x7f]*$/;

/**
 * The password's bytes after SASLprep. Where SASLprep refuses it, its own bytes: PostgreSQL takes any password, and
 * both sides do the same. The tables are loaded with the first password that needs them.
 */
export async function preparePassword(password: string): Promise<Buffer> {
  if (ASCII.test(password)) return Buffer.from(password);
  const { default: saslprep } = await import('@mongodb-js/saslprep');
  try {
    return Buffer.from(saslprep(password));
  } catch {
    return Buffer.from(password);
  }
}
