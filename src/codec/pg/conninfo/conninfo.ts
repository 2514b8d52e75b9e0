/**
 * From a connection string, an object or nothing to a PgTarget, as libpq does it: what is given, then the service file,
 * then environment variables, then defaults ("Database Connection Control Functions"). Reads files, synchronously.
 */
import { TIMER_MAX_MS } from '../../../limit-units.js';
import { PgError } from '../errors.js';
import { type Server, serversFrom } from './hosts.js';
import { parseKeywordValue } from './keyword-value.js';
import { type Conninfo, parameters } from './parameters.js';
import { findPassword, readPassFile } from './pass-file.js';
import { requireAuthFrom } from './require-auth.js';
import { readService } from './service-file.js';
import { Settings, unknownKeyword } from './settings.js';
import { type ConninfoSources, type Surroundings, surroundingsFrom } from './surroundings.js';
import {
  CHANNEL_BINDINGS,
  LOAD_BALANCE_HOSTS,
  type PgHost,
  type PgTarget,
  PROTOCOL_VERSIONS,
  type ProtocolVersion,
  SSL_MODES,
  SSL_NEGOTIATIONS,
  type SslMode,
  TARGET_SESSION_ATTRS,
} from './target.js';
import { tlsSettingsFrom } from './tls-settings.js';
import { isUri, parseUri } from './uri.js';
import { badValue, flag, integer, oneOf } from './values.js';

export { hostsInOrder } from './hosts.js';
export type { Conninfo } from './parameters.js';
export type { ConninfoSources } from './surroundings.js';
export type * from './target.js';

const SECOND = 1000;

/** @throws PgError ERR_PG_BAD_OPTION, which names the parameter and holds no password */
export function resolveConninfo(input: string | Conninfo | undefined, sources: ConninfoSources = {}): PgTarget {
  const surroundings = surroundingsFrom(sources);
  return targetFrom(gather(input, surroundings), surroundings);
}

function gather(input: string | Conninfo | undefined, surroundings: Surroundings): Settings {
  const settings = parseInput(input);
  const service = settings.text('service') ?? surroundings.env.PGSERVICE;
  if (service) settings.fillFrom(readService(service, surroundings));
  settings.fillFrom(fromEnvironment(surroundings.env));
  return settings;
}

function parseInput(input: string | Conninfo | undefined): Settings {
  if (typeof input !== 'string') return fromObject(input ?? {});
  return isUri(input) ? parseUri(input) : parseKeywordValue(input);
}

function fromObject(conninfo: Conninfo): Settings {
  const settings = new Settings();
  for (const [keyword, value] of Object.entries(conninfo)) {
    if (value === undefined || value === null || value === '') continue;
    if (!parameters.has(keyword)) throw unknownKeyword(keyword, 'the options');
    settings.set(keyword, textOf(keyword, value), 'the options');
  }
  return settings;
}

function textOf(keyword: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  throw new PgError('ERR_PG_BAD_OPTION', `${keyword} must be a string, a number or a boolean, not ${typeof value}`);
}

function fromEnvironment(env: NodeJS.ProcessEnv): Settings {
  const settings = new Settings();
  for (const [keyword, { env: name }] of parameters) {
    const value = name === undefined ? undefined : env[name];
    if (name !== undefined && value !== undefined) settings.set(keyword, value, name);
  }
  // Deprecated, and PGSSLMODE goes before it.
  if (env.PGREQUIRESSL?.startsWith('1') && !settings.has('sslmode')) settings.set('sslmode', 'require', 'PGREQUIRESSL');
  return settings;
}

function targetFrom(settings: Settings, surroundings: Surroundings): PgTarget {
  const user = settings.text('user') ?? surroundings.userName();
  const dbname = settings.text('dbname') ?? user;
  const applicationName = settings.text('application_name') ?? settings.text('fallback_application_name');
  const servers = serversFrom(settings, surroundings.socketDirectory);
  checkGss(settings);
  return {
    hosts: withPasswords(servers, { user, dbname }, settings, surroundings),
    user,
    dbname,
    sslmode: sslModeFrom(settings),
    sslnegotiation: oneOf(settings, 'sslnegotiation', SSL_NEGOTIATIONS),
    channelBinding: oneOf(settings, 'channel_binding', CHANNEL_BINDINGS) ?? 'prefer',
    requireAuth: requireAuthFrom(settings),
    targetSessionAttrs: oneOf(settings, 'target_session_attrs', TARGET_SESSION_ATTRS) ?? 'any',
    loadBalanceHosts: oneOf(settings, 'load_balance_hosts', LOAD_BALANCE_HOSTS) ?? 'disable',
    connectTimeoutMs: Math.min(positive(integer(settings, 'connect_timeout')) * SECOND, TIMER_MAX_MS),
    applicationName,
    startup: startupFrom({ user, dbname, applicationName }, settings, surroundings.env),
    tls: tlsSettingsFrom(settings, surroundings),
    keepalives: keepalivesFrom(settings),
    ...protocolVersionsFrom(settings),
  };
}

/** The password that is given, or each host's own from the password file. */
function withPasswords(
  servers: Server[],
  login: { user: string; dbname: string },
  settings: Settings,
  surroundings: Surroundings,
): PgHost[] {
  const given = settings.text('password');
  if (given !== undefined) return servers.map((server) => ({ ...server, password: given }));
  const lines = readPassFile(settings.text('passfile') ?? surroundings.passFile, surroundings.warn);
  return servers.map((server) => {
    const host = server.name === surroundings.socketDirectory ? 'localhost' : server.name;
    return { ...server, password: findPassword(lines, { ...login, host, port: server.port }) };
  });
}

/** sslrootcert=system is worth nothing without the name: such certificates are easy to get. */
function sslModeFrom(settings: Settings): SslMode | undefined {
  const sslmode = oneOf(settings, 'sslmode', SSL_MODES);
  if (settings.text('sslrootcert') !== 'system') return sslmode;
  if (sslmode === undefined || sslmode === 'verify-full') return 'verify-full';
  throw badValue(settings, 'sslmode', 'verify-full with sslrootcert=system');
}

/** The parameters of StartupMessage, in libpq's order. */
function startupFrom(
  { user, dbname, applicationName }: { user: string; dbname: string; applicationName: string | undefined },
  settings: Settings,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  checkEncoding(settings);
  const startup: [string, string | undefined][] = [
    ['user', user],
    ['database', dbname],
    ['replication', settings.text('replication')],
    ['options', settings.text('options')],
    ['application_name', applicationName],
    // Always, since the server's default is the database's encoding.
    ['client_encoding', 'UTF8'],
    ['timezone', sessionVariable(env.PGTZ)],
    ['geqo', sessionVariable(env.PGGEQO)],
  ];
  return Object.fromEntries(startup.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** libpq's PGTZ and its kin: `default` leaves it to the server. PGDATESTYLE is not taken: dates are read as ISO. */
function sessionVariable(value: string | undefined): string | undefined {
  return value === undefined || value.toLowerCase() === 'default' ? undefined : value;
}

function checkEncoding(settings: Settings): void {
  const encoding = settings.text('client_encoding');
  if (encoding === undefined || /^(auto|utf-?8|unicode)$/i.test(encoding)) return;
  throw badValue(settings, 'client_encoding', 'UTF8, the only encoding of JavaScript strings that is spoken here,');
}

function checkGss(settings: Settings): void {
  const mode = oneOf(settings, 'gssencmode', ['disable', 'prefer', 'require']);
  if (mode === 'require') throw badValue(settings, 'gssencmode', 'disable or prefer: there is no GSSAPI here');
}

function keepalivesFrom(settings: Settings): PgTarget['keepalives'] {
  const idle = positive(integer(settings, 'keepalives_idle'));
  return { enabled: flag(settings, 'keepalives') ?? true, idleMs: idle === 0 ? undefined : idle * SECOND };
}

/** 3.0 is asked for unless something says otherwise: older servers and poolers do not answer to a newer one. */
function protocolVersionsFrom(settings: Settings): Pick<PgTarget, 'minProtocolVersion' | 'maxProtocolVersion'> {
  const min = oneOf(settings, 'min_protocol_version', PROTOCOL_VERSIONS) ?? '3.0';
  const max = oneOf(settings, 'max_protocol_version', PROTOCOL_VERSIONS) ?? (min === '3.0' ? '3.0' : 'latest');
  if (versionRank(min) > versionRank(max)) {
    throw badValue(settings, 'min_protocol_version', `at most max_protocol_version, ${max}`);
  }
  return { minProtocolVersion: min, maxProtocolVersion: max };
}

/** `latest` is 3.2. */
function versionRank(version: ProtocolVersion): number {
  return version === '3.0' ? 0 : 2;
}

function positive(value: number | undefined): number {
  return Math.max(value ?? 0, 0);
}
