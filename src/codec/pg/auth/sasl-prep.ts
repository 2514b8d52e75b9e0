/**
 * Passwords as PostgreSQL prepares them for SCRAM (`pg_saslprep`): SASLprep (RFC 4013) but for one thing, which passwords
 * that people have set depend on: what is prohibited, unassigned, or of mixed directions is looked for before the
 * characters are normalised, not after.
 */

const ASCII = /^[\0-\x7f]*$/;
/** RFC 3454 table C.1.2, mapped to a space. */
const SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
/** RFC 3454 table B.1, mapped to nothing. */
const NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/**
 * The password's bytes after SASLprep. Where SASLprep refuses it, its own bytes: PostgreSQL takes any password, and
 * both sides do the same.
 */
export async function preparePassword(password: string): Promise<Buffer> {
  if (ASCII.test(password)) return Buffer.from(password);
  const mapped = password.replace(SPACE, ' ').replace(NOTHING, '');
  return Buffer.from((await isAllowed(mapped)) ? mapped.normalize('NFKC') : password);
}

async function isAllowed(mapped: string): Promise<boolean> {
  const { isRefused, isRightToLeft, isLeftToRight } = await import('./sasl-prep-tables.js');
  const characters = Array.from(mapped, (character) => character.codePointAt(0) as number);
  const [first] = characters;
  const last = characters.at(-1);
  if (first === undefined || last === undefined || characters.some(isRefused)) return false;
  // RFC 3454 section 6.
  if (!characters.some(isRightToLeft)) return true;
  return !characters.some(isLeftToRight) && isRightToLeft(first) && isRightToLeft(last);
}
