/** .pgpass ("The Password File"): hostname:port:database:username:password, the first line that matches. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

/** Whom a password is looked up for. `host` is `localhost` for the default socket directory. */
export interface PassFileKey {
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
  readonly user: string;
}

/** What anybody but the owner may do with the file. */
const GROUP_AND_OTHERS = 0o077;

/** The lines of the file; none where it does not exist, or where others can read it, which `warn` is told. */
export function readPassFile(path: string, warn: (text: string) => void): string[] {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return []; // As libpq does: a file that cannot be opened is no file.
  }
  try {
    const stats = fstatSync(file);
    const problem = passFileProblem(stats.isFile(), stats.mode);
    if (problem === undefined) return readFileSync(file, 'utf8').split(/\r*\n/);
    warn(`password file ${JSON.stringify(path)} ${problem}; it is ignored`);
    return [];
  } finally {
    closeSync(file);
  }
}

function passFileProblem(isFile: boolean, mode: number): string | undefined {
  if (!isFile) return 'is not a plain file';
  if (process.platform === 'win32' || (mode & GROUP_AND_OTHERS) === 0) return undefined;
  return 'has group or world access; permissions should be u=rw (0600) or less';
}

/** The password of the first line that matches; undefined if there is none. */
export function findPassword(lines: readonly string[], { host, port, dbname, user }: PassFileKey): string | undefined {
  for (const line of lines) {
    if (line.startsWith('#')) continue;
    let rest: string | undefined = line;
    for (const field of [host, String(port), dbname, user]) rest = rest === undefined ? rest : matchField(rest, field);
    if (rest !== undefined) return unescapePassword(rest);
  }
  return undefined;
}

/** What follows the first field of `line`, if that is `value` or `*`. A backslash takes the next letter as it is. */
function matchField(line: string, value: string): string | undefined {
  if (line.startsWith('*:')) return line.slice(2);
  let at = 0;
  for (const letter of value) {
    if (line[at] === '\\') at++;
    if (!line.startsWith(letter, at)) return undefined;
    at += letter.length;
  }
  return line[at] === ':' ? line.slice(at + 1) : undefined;
}

/** Up to a colon that is not escaped, or the end. */
function unescapePassword(field: string): string {
  let password = '';
  for (let at = 0; at < field.length && field[at] !== ':'; at++) {
    if (field[at] === '\\' && at + 1 < field.length) at++;
    password += field[at];
  }
  return password;
}
