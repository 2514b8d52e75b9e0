/**
 * Addresses as text: `redis://user:password@host:port/db` (as IANA has the scheme registered), `rediss://` for TLS,
 * `redis+unix:///path?db=n` or `unix:///path?db=n`. What is not understood is refused: an option that is ignored in
 * silence may have been one that security depends on.
 */
import { RedisError } from '../errors.js';
import type { RedisClientOptions } from './options.js';

const PARAMETERS = ['db', 'protocol', 'client_name'];

/** @throws RedisError ERR_REDIS_BAD_OPTION, with nothing of the text in its message: it may hold a password */
export function parseUrl(text: string): RedisClientOptions {
  if (!URL.canParse(text)) throw bad('the address is no URL; user and password are to be percent-encoded');
  const url = new URL(text);
  if (url.hash) throw bad("'#' in the address: in a password it is written %23");
  switch (url.protocol) {
    case 'redis:':
      return { ...hostOf(url), ...userOf(url), ...optionsOf(url, url.pathname) };
    case 'rediss:':
      return { ...hostOf(url), ...userOf(url), ...optionsOf(url, url.pathname), tls: true };
    case 'redis+unix:':
    case 'unix:':
      return { path: socketPathOf(url), ...optionsOf(url, '') };
    default:
      throw bad('the address begins with redis://, rediss://, redis+unix:// or unix://');
  }
}

function hostOf({ hostname, port }: URL): RedisClientOptions {
  const host = decoded(hostname, 'host').replace(/^\[(.*)\]$/, '$1');
  return { ...(host && { host }), ...(port && { port: Number(port) }) };
}

function userOf({ username, password }: URL): RedisClientOptions {
  // redis-cli takes a word alone for the password, others for the user: who means which cannot be known.
  if (username && !password) throw bad("a user without a password; a password alone is written ':password@'");
  return {
    ...(username && { username: decoded(username, 'user') }),
    ...(password && { password: decoded(password, 'password') }),
  };
}

function socketPathOf({ host, pathname }: URL): string {
  if (host || pathname.length < 2) throw bad('a Unix socket is written redis+unix:///path/of/socket');
  return decoded(pathname, 'path');
}

function optionsOf({ searchParams }: URL, pathname: string): RedisClientOptions {
  for (const name of searchParams.keys()) {
    // Not the name itself: what stands here may be a password that was not encoded.
    if (!PARAMETERS.includes(name)) throw bad(`the address may have the parameters ${PARAMETERS.join(', ')} only`);
    if (searchParams.getAll(name).length > 1) throw bad(`the address has the parameter ${name} twice`);
  }
  const inPath = pathname.replace(/^\//, '');
  const inQuery = searchParams.get('db');
  if (inPath && inQuery !== null) throw bad('the address names the database twice');
  const db = inQuery ?? inPath;
  const protocol = searchParams.get('protocol');
  const clientName = searchParams.get('client_name');
  if (protocol !== null && protocol !== '2' && protocol !== '3') throw bad('protocol is 2 or 3');
  return {
    ...(db && { db: wholeNumber(db, 'the database in the address') }),
    ...(protocol && { protocol: protocol === '2' ? 2 : 3 }),
    ...(clientName && { clientName }),
  };
}

function wholeNumber(text: string, what: string): number {
  if (!/^\d{1,9}$/.test(text)) throw bad(`${what} is a number`);
  return Number(text);
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad(`the ${what} in the address is not percent-encoded UTF-8`);
  }
}

function bad(detail: string): RedisError {
  return new RedisError('ERR_REDIS_BAD_OPTION', detail);
}
