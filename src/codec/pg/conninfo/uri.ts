/**
 * `postgresql://user:password@host:port,host:port/dbname?parameter=value` ("Connection URIs"), read as libpq's
 * conninfo_uri_parse reads it. Node's URL cannot: it knows one host. Nothing of the text is repeated in an error but
 * names of parameters, since a password that is not percent-encoded can end up in any part.
 */
import { PgError } from '../errors.js';
import { parameters } from './parameters.js';
import { Settings, unknownKeyword } from './settings.js';

const ORIGIN = 'the connection URI';
const PREFIX = /^postgres(?:ql)?:\/\//;
const ENCODE_HINT = 'in a user name or password, percent-encode / as %2F, @ as %40, : as %3A, % as %25';

export function isUri(text: string): boolean {
  return PREFIX.test(text);
}

export function parseUri(text: string): Settings {
  const settings = new Settings();
  const rest = text.replace(PREFIX, '');
  const hostsAt = readCredentials(rest, settings);
  const databaseAt = readHosts(rest, hostsAt, settings);
  const parametersAt = readDatabase(rest, databaseAt, settings);
  readParameters(rest.slice(parametersAt), settings);
  return settings;
}

/** @returns where the hosts begin. */
function readCredentials(rest: string, settings: Settings): number {
  const end = rest.search(/[@/]/);
  if (end === -1 || rest[end] === '/') return 0;
  const [user, password] = splitAtFirst(rest.slice(0, end), ':');
  if (user) settings.set('user', decode(user, 'user name'), ORIGIN);
  if (password) settings.set('password', decode(password, 'password'), ORIGIN);
  return end + 1;
}

/** @returns where the hosts end. */
function readHosts(rest: string, start: number, settings: Settings): number {
  const hosts: string[] = [];
  const ports: string[] = [];
  let at = start;
  do {
    // Past the comma, from the second on.
    if (hosts.length > 0) at++;
    const host = readHost(rest, at);
    const port = readPort(rest, host.next);
    hosts.push(host.text);
    ports.push(port.text);
    at = port.next;
  } while (rest[at] === ',');
  // Joined before they are looked at, as in libpq: two hosts without a port give the port ",", twice the default.
  if (hosts.join(',') !== '') settings.set('host', decode(hosts.join(','), 'host'), ORIGIN);
  if (ports.join(',') !== '') settings.set('port', decode(ports.join(','), 'port'), ORIGIN);
  return at;
}

interface Part {
  readonly text: string;
  readonly next: number;
}

function readHost(rest: string, start: number): Part {
  if (rest[start] === '[') return readBracketed(rest, start + 1);
  const next = indexOfAny(rest, ':/?,', start);
  const text = rest.slice(start, next);
  if (text.includes('@')) throw malformed(`there is a second "@"; ${ENCODE_HINT}`);
  return { text, next };
}

/** The address in `[…]`. */
function readBracketed(rest: string, start: number): Part {
  const end = rest.indexOf(']', start);
  if (end === -1) throw malformed('the "]" of an IPv6 address is missing');
  if (end === start) throw malformed('there is no IPv6 address between "[" and "]"');
  const next = end + 1;
  if (next < rest.length && !':/?,'.includes(rest[next] ?? '')) throw malformed('"]" must end the host');
  return { text: rest.slice(start, end), next };
}

function readPort(rest: string, start: number): Part {
  if (rest[start] !== ':') return { text: '', next: start };
  const next = indexOfAny(rest, '/?,', start + 1);
  const text = rest.slice(start + 1, next);
  // What stands there may be half a password: postgres://user:half/half@host.
  if (!/^(?: |%20|%3\d|\d)*$/.test(text)) throw malformed(`a port is not a number; ${ENCODE_HINT}`);
  return { text, next };
}

/** @returns where the parameters begin. */
function readDatabase(rest: string, start: number, settings: Settings): number {
  if (rest[start] !== '/') return start + 1;
  const end = indexOfAny(rest, '?', start + 1);
  const name = rest.slice(start + 1, end);
  // An empty one would hide PGDATABASE.
  if (name) settings.set('dbname', decode(name, 'database name'), ORIGIN);
  return end + 1;
}

function readParameters(query: string, settings: Settings): void {
  if (query === '') return;
  // A "&" at the end is let pass.
  for (const parameter of query.replace(/&$/, '').split('&')) readParameter(parameter, settings);
}

function readParameter(text: string, settings: Settings): void {
  const [rawKeyword, rawValue] = splitAtFirst(text, '=');
  if (rawValue === undefined) throw malformed('a parameter has no "="');
  if (rawValue.includes('=')) throw malformed('a parameter has a second "=": percent-encode it as %3D');
  const keyword = decode(rawKeyword, 'name of a parameter');
  const value = decode(rawValue, parameters.has(keyword) ? keyword : 'value of a parameter');
  if (keyword === 'ssl' && value === 'true') settings.set('sslmode', 'require', ORIGIN);
  else if (keyword === 'requiressl') settings.set('sslmode', value.startsWith('1') ? 'require' : 'prefer', ORIGIN);
  else if (parameters.has(keyword)) settings.set(keyword, value, ORIGIN);
  else throw unknownKeyword(keyword, ORIGIN);
}

/** Percent-decoding. Spaces around are let pass, within they must be %20, as in libpq 17 on. */
function decode(text: string, what: string): string {
  const trimmed = text.replace(/^ +| +$/g, '');
  if (trimmed.includes(' ')) throw malformed(`there is a space in the ${what}: percent-encode it as %20`);
  if (/%(?![0-9A-Fa-f]{2})/.test(trimmed)) {
    throw malformed(`the ${what} has a "%" without two hexadecimal digits: percent-encode it as %25`);
  }
  if (trimmed.includes('%00')) throw malformed(`the ${what} has a zero byte (%00)`);
  try {
    return decodeURIComponent(trimmed);
  } catch (cause) {
    throw malformed(`the ${what} is not UTF-8 once it is percent-decoded`, cause);
  }
}

function splitAtFirst(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The first place of one of `letters` from `start` on, or the end. */
function indexOfAny(text: string, letters: string, start: number): number {
  let at = start;
  while (at < text.length && !letters.includes(text[at] ?? '')) at++;
  return at;
}

function malformed(reason: string, cause?: unknown): PgError {
  return new PgError('ERR_PG_BAD_OPTION', `${ORIGIN} cannot be read: ${reason}`, { cause });
}
