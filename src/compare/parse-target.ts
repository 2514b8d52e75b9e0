/**
 * What somebody names to be measured, as a Target:
 *
 *     HOST:PORT            TLS, to the first byte of an answer or until TLS is there
 *     https://…            a GET
 *     postgres://…         with what libpq would add: environment, service file, .pgpass
 *     rediss://…           with REDISCLI_AUTH
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolveConninfo } from '../codec/pg/conninfo/conninfo.js';
import type { TlsFile } from '../codec/pg/conninfo/target.js';
import { parseUrl } from '../codec/redis/client/url.js';
import { parseHostAddress, portRange } from '../gateway/host-address.js';
import type { HostAddress } from '../transport.js';
import type { PostgresTarget, RedisTarget, Target } from './case.js';

export interface TargetSettings {
  /** Default: the host. */
  serverName?: string | undefined;
  /** PEM. */
  ca?: string | undefined;
  /** Where TurboTLS is; default: the same port. */
  turboPort?: number | undefined;
  /** For HOST:PORT: what to send. */
  send?: string | undefined;
  /** Default: process.env. */
  env?: NodeJS.ProcessEnv | undefined;
}

const HTTPS_PORT = 443;
const REDIS_PORT = 6379;

const SCHEMES = 'https://, postgres:// and rediss://';

/** @throws Error that says what is wrong with the text, and repeats no password */
export function parseTarget(text: string, settings: TargetSettings = {}): Target {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && settings.send !== undefined) {
    throw new Error('what to send is said for HOST:PORT alone: the others have a request of their own');
  }
  switch (scheme) {
    case undefined:
      return { group: 'echo', ...placeOf(parseAddress(text), settings), request: settings.send };
    case 'https':
      return httpsTarget(text, settings);
    case 'postgres':
    case 'postgresql':
      return postgresTarget(text, settings);
    case 'rediss':
      return redisTarget(text, settings);
    case 'http':
    case 'redis':
      throw new Error(`${scheme}:// is without TLS, so there is nothing to compare; ${scheme}s:// is with it`);
    default:
      throw new Error(`${scheme}:// is not known here; it may be HOST:PORT, ${SCHEMES}`);
  }
}

/** The text without what must not be shown. */
export function withoutPassword(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@]*?):[^/]*@/i, '$1@')
    .replace(/([?&](?:ssl)?password=)[^&]*/gi, '$1…');
}

function parseAddress(text: string): HostAddress {
  const parsed = parseHostAddress(text, { port: HTTPS_PORT, minPort: 1 });
  if (!('problem' in parsed)) return parsed;
  if (parsed.problem === 'port') throw new Error(`a port is ${portRange(1)}`);
  throw new Error(`it must be HOST:PORT or begin with one of ${SCHEMES}; an IPv6 address is written [::1]:PORT`);
}

function httpsTarget(text: string, settings: TargetSettings): Target {
  if (!URL.canParse(text)) throw new Error('this is no URL');
  const { hostname, port, pathname, search, username } = new URL(text);
  if (username !== '') throw new Error('a login in the address is not sent: leave it out');
  const address = { host: unbracketed(hostname), port: Number(port || HTTPS_PORT) };
  return { group: 'https', ...placeOf(address, settings), path: `${pathname}${search}` };
}

function postgresTarget(text: string, settings: TargetSettings): PostgresTarget {
  const { hosts, user, dbname, tls } = resolveConninfo(text, { env: settings.env });
  const [{ name, address, password }] = hosts as [(typeof hosts)[number]];
  if ('path' in address) throw new Error('a Unix socket has neither TLS nor a round trip: name a host');
  const ca = settings.ca ?? rootCertificate(tls.sslrootcert);
  return {
    group: 'postgres',
    ...placeOf(address, { serverName: name, ...definedOnly({ ...settings, ca }) }),
    user,
    password,
    database: dbname,
  };
}

function rootCertificate(file: TlsFile | 'system' | undefined): string | undefined {
  if (file === undefined || file === 'system') return undefined;
  return file.origin === 'given' || existsSync(file.path) ? readFileSync(file.path, 'utf8') : undefined;
}

function redisTarget(text: string, settings: TargetSettings): RedisTarget {
  const { host = 'localhost', port = REDIS_PORT, username, password } = parseUrl(text);
  const { REDISCLI_AUTH } = settings.env ?? process.env;
  return {
    group: 'redis',
    ...placeOf({ host, port }, settings),
    username,
    password: typeof password === 'string' ? password : REDISCLI_AUTH || undefined,
  };
}

function placeOf(
  address: HostAddress,
  { serverName = address.host, ca, turboPort }: TargetSettings,
): Pick<Target, 'address' | 'turboAddress' | 'serverName' | 'ca'> {
  const turboAddress = turboPort === undefined ? undefined : { ...address, port: turboPort };
  return { address, turboAddress, serverName, ca };
}

function definedOnly<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}

function unbracketed(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
