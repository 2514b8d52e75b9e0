/** The answer to AuthenticationMD5Password. (PostgreSQL, "Message Flow", "Start-up".) */
import { createHash } from 'node:crypto';
import { PgError } from '../errors.js';

const SALT_BYTES = 4;

function md5(...parts: (string | Buffer)[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/**
 * The password of the PasswordMessage: `'md5' + md5(md5(password + user) + salt)`.
 * @throws PgError ERR_PG_PROTOCOL for a salt that is not of 4 bytes; ERR_PG_AUTH_UNSUPPORTED where Node has no MD5
 */
export function md5Response({ user, password, salt }: { user: string; password: string; salt: Buffer }): string {
  if (salt.length !== SALT_BYTES) throw new PgError('ERR_PG_PROTOCOL', `an MD5 salt of ${salt.length} bytes`);
  try {
    return `md5${md5(md5(password, user), salt)}`;
  } catch (cause) {
    const detail = "md5, which this platform's OpenSSL refuses (FIPS); give the role a SCRAM password";
    throw new PgError('ERR_PG_AUTH_UNSUPPORTED', detail, { cause });
  }
}
