/** What a client is told, and what it makes of that. */
import { TIMER_MAX_MS } from '../../../limit-units.js';
import { type Address, type TlsOptions, type Transport, tcpTransport, tlsTransport } from '../../../transport.js';
import { RedisError } from '../errors.js';
import { type RedisLimits, redisLimitsWith } from '../limits.js';
import { parseUrl } from './url.js';

/** Called for each connection: a token may be short-lived. */
export type Password = string | (() => string | Promise<string>);

/**
 * Whether commands go out together with the login, before the server has answered it.
 *
 * - `guarded` (default): where the server itself refuses them if the login fails. A failed login of the user `default`
 *   leaves a connection on which nothing can be run. That of another user leaves the rights of `default`, so that a
 *   SUBSCRIBE goes ahead of the commands: over RESP2, which the connection is in until HELLO succeeds, nothing can be
 *   run after it, and over RESP3 it changes nothing. (It protects nothing where `default` has no password, may write
 *   and may not subscribe. A user who may not subscribe leaves a line in ACL LOG.) With a database other than 0
 *   commands wait for the answer to SELECT: where it fails they would run in database 0.
 * - `always`: behind SELECT too. For servers that are known to have the database.
 * - `never`: commands wait until the login is answered. One round trip more.
 */
export type Speculation = 'guarded' | 'always' | 'never';

export interface RedisClientOptions {
  /** Default localhost. */
  host?: string | undefined;
  /** Default 6379. */
  port?: number | undefined;
  /** Of a Unix socket, in place of host and port. */
  path?: string | undefined;
  /** Default: `default`. */
  username?: string | undefined;
  password?: Password | undefined;
  /** Default 0. */
  db?: number | undefined;
  /** For CLIENT LIST. ASCII without spaces. */
  clientName?: string | undefined;
  /** 2 for servers that cannot bear to be asked for 3; else what is not spoken there is found out. Default 3. */
  protocol?: 2 | 3 | undefined;
  /**
   * TLS; with options of node:tls, such as ca, cert, key, servername. The server is verified, and by name, unless they
   * say `rejectUnauthorized: false`. Default: none, and for rediss:// TLS.
   */
  tls?: boolean | TlsOptions | undefined;
  /** How the server is reached. Default: TCP, or TLS over TCP. One that is `secure` is for TLS only. */
  transport?: Transport | undefined;
  /** Default `guarded`. */
  speculate?: Speculation | undefined;
  /** From dialling to the end of the login, ms. Default 10,000. */
  connectTimeoutMs?: number | undefined;
  /** For each command, from the call to its reply, ms. Default: none, as there are commands that block. */
  commandTimeoutMs?: number | undefined;
  /** Attempts in a row at the first connection, before the client closes with the error. Default 1. */
  connectAttempts?: number | undefined;
  /** Attempts in a row to connect again, before the client closes with the error. Default Infinity. */
  reconnectAttempts?: number | undefined;
  limits?: Partial<RedisLimits> | undefined;
}

export interface Credentials {
  username: string;
  password: Password;
}

/** Options as they are used: complete, and in agreement with each other. */
export interface RedisConfig {
  readonly address: Address;
  readonly credentials: Credentials | undefined;
  readonly db: number;
  readonly clientName: string | undefined;
  readonly protocol: 2 | 3;
  /** Undefined: plaintext. */
  readonly tls: TlsOptions | undefined;
  readonly transport: Transport;
  readonly speculate: Speculation;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number | undefined;
  readonly connectAttempts: number;
  readonly reconnectAttempts: number;
  readonly limits: Readonly<RedisLimits>;
}

export const DEFAULT_USER = 'default';
const DEFAULT_PORT = 6379;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const PORT_MAX = 65_535;

/**
 * @param target a URL (see `parseUrl`), or options alone
 * @param extra for a URL: over what it says
 * @throws RedisError ERR_REDIS_BAD_OPTION, without password
 */
export function redisConfig(target: string | RedisClientOptions, extra: RedisClientOptions = {}): RedisConfig {
  const base = typeof target === 'string' ? parseUrl(target) : target;
  if (base.tls && extra.tls === false) throw bad('rediss:// is TLS, and tls is false');
  if (typeof target === 'string' && !base.tls && extra.tls) throw bad('for TLS the address begins with rediss://');
  const options = { ...base, ...withoutUndefined(extra) };
  const tls = tlsOf(options);
  const { db = 0, protocol = 3, speculate = 'guarded', commandTimeoutMs } = options;
  if (!Number.isSafeInteger(db) || db < 0) throw bad('db is a whole number from 0');
  if (protocol !== 2 && protocol !== 3) throw bad('protocol is 2 or 3');
  if (!['guarded', 'always', 'never'].includes(speculate)) throw bad("speculate is 'guarded', 'always' or 'never'");
  return {
    address: addressOf(options),
    credentials: credentialsOf(options),
    db,
    clientName: clientNameOf(options),
    protocol,
    tls,
    transport: transportOf(options, tls),
    speculate,
    connectTimeoutMs: milliseconds('connectTimeoutMs', options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS),
    commandTimeoutMs: commandTimeoutMs === undefined ? undefined : milliseconds('commandTimeoutMs', commandTimeoutMs),
    connectAttempts: attempts('connectAttempts', options.connectAttempts ?? 1),
    reconnectAttempts: attempts('reconnectAttempts', options.reconnectAttempts ?? Number.POSITIVE_INFINITY),
    limits: redisLimitsWith(options.limits),
  };
}

/** @throws RedisError ERR_REDIS_BAD_OPTION for what no timer can wait */
export function milliseconds(name: string, value: number): number {
  if (value > 0 && value <= TIMER_MAX_MS) return value;
  throw bad(`${name} is above 0 and at most ${TIMER_MAX_MS} ms`);
}

function addressOf({ host, port = DEFAULT_PORT, path }: RedisClientOptions): Address {
  if (path !== undefined) {
    if (host !== undefined) throw bad('a Unix socket has no host');
    return { path };
  }
  if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) throw bad(`port is a whole number from 1 to ${PORT_MAX}`);
  return { host: host ?? 'localhost', port };
}

function credentialsOf({ username, password }: RedisClientOptions): Credentials | undefined {
  if (password === undefined) {
    if (username !== undefined) throw bad('a user without a password');
    return undefined;
  }
  if (typeof password !== 'string' && typeof password !== 'function') throw bad('password is text or a function');
  return { username: username ?? DEFAULT_USER, password };
}

/** As the server has it (validateClientName): a name that it refuses would undo a login that succeeded. */
function clientNameOf({ clientName }: RedisClientOptions): string | undefined {
  if (clientName === undefined || /^[!-~]+$/.test(clientName)) return clientName;
  throw bad('clientName is printable ASCII without spaces');
}

function tlsOf({ tls, path }: RedisClientOptions): TlsOptions | undefined {
  if (!tls) return undefined;
  const options: TlsOptions = { rejectUnauthorized: true, ...(tls === true ? {} : withoutUndefined(tls)) };
  if (path !== undefined && !options.servername) throw bad('TLS over a Unix socket needs tls.servername');
  return options;
}

function transportOf({ transport }: RedisClientOptions, tls: TlsOptions | undefined): Transport {
  if (!transport) return tls ? tlsTransport() : tcpTransport();
  if (transport.secure && !tls) throw bad('the transport is TLS: the address begins with rediss://, or tls is set');
  return transport;
}

function attempts(name: string, value: number): number {
  if (value >= 1 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)) return value;
  throw bad(`${name} is a whole number from 1, or Infinity`);
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function bad(detail: string): RedisError {
  return new RedisError('ERR_REDIS_BAD_OPTION', detail);
}
