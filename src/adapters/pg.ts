/**
 * pg over TurboTLS, and what is built on pg (Drizzle, Knex, TypeORM): they need only their config.
 *
 *     const pool = new Pool(pgStream({ connectionString: 'postgres://me@db.example/app', max: 20 }));
 */
import type { ConnectionOptions } from 'node:tls';
import { inspect } from 'node:util';
import { type ClientTurboOptions, checkTurboOptions, connectLater, type TurboSocket } from '../client/connect.js';
import { TurboError } from '../errors.js';
import { postgresTls, takeTlsParameters } from './postgres-tls.js';

/** What is looked at of a config of pg's Client or Pool. */
export interface PgStreamConfig {
  connectionString?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  ssl?: boolean | ConnectionOptions | undefined;
  /** How to connect; mode 'off' gives the config back for pg's own TLS. */
  turbo?: ClientTurboOptions | undefined;
}

/** What pg is given in place of it. */
export interface PgStreamResult {
  connectionString?: string | undefined;
  ssl?: boolean | ConnectionOptions | undefined;
  sslnegotiation?: 'postgres' | 'direct' | undefined;
  /** Called by pg for each client. */
  stream?: () => TurboSocket;
}

interface Endpoint {
  host: string;
  port: number;
}

/**
 * A config for pg's Client or Pool, from one. TLS is always on; sslmode and its kin (connection string, PGSSLMODE) mean
 * what they mean to libpq, and the default is verify-full. Files and environment are read here, once. A Unix socket stays one.
 *
 * @throws TurboError ERR_TURBO_BAD_OPTION; ERR_TURBO_REQUIRED for a Unix socket with mode 'require'
 */
export function pgStream(connectionString: string): PgStreamResult;
export function pgStream<Config extends object = object>(
  config: Config & PgStreamConfig,
): Omit<Config, keyof PgStreamResult | 'turbo'> & PgStreamResult;
export function pgStream(given: string | (Record<string, unknown> & PgStreamConfig)): PgStreamResult {
  const { turbo = {}, ...config } = typeof given === 'string' ? { connectionString: given } : given;
  checkTurboOptions(turbo);
  if (turbo.mode === 'off') return config;
  const { connectionString, ssl } = config;
  if (connectionString !== undefined && typeof connectionString !== 'string') {
    throw new TurboError('ERR_TURBO_BAD_OPTION', `connectionString is a string, got ${typeof connectionString}`);
  }
  const endpoint = endpointOf(config);
  if (endpoint.host.startsWith('/')) {
    if (turbo.mode !== 'require') return config;
    throw new TurboError(
      'ERR_TURBO_REQUIRED',
      `the host ${endpoint.host} is a Unix socket, and no TCP connection begins`,
    );
  }
  const { rest, parameters } = takeTlsParameters(connectionString ?? '');
  const tls = postgresTls(ssl, parameters)(endpoint.host);
  return {
    ...config,
    ...(connectionString !== undefined && { connectionString: rest }),
    stream: () => onlyTo(endpoint, connectLater({ noDelay: true, ...tls, ...endpoint, turbo })),
    // Given, so that neither PGSSLMODE nor PGSSLNEGOTIATION counts.
    ssl: false,
    sslnegotiation: 'postgres',
  };
}

/** As pg finds them: the connection string before host and port, and what is in neither from the environment. */
function endpointOf({ connectionString, ...config }: PgStreamConfig): Endpoint {
  const { host, port } = { ...config, ...(connectionString && hostOf(connectionString)) };
  const { PGHOST, PGPORT } = process.env;
  const number = Number.parseInt(String(port || PGPORT || 5432), 10);
  if (number > 0 && number <= 65_535) return { host: host || PGHOST || 'localhost', port: number };
  throw new TurboError('ERR_TURBO_BAD_OPTION', `port is a number from 1 to 65535, got ${inspect(port ?? PGPORT)}`);
}

/** As pg-connection-string reads them. */
function hostOf(connectionString: string): { host?: string; port?: string } {
  if (connectionString.startsWith('/')) return { host: connectionString.split(' ')[0] ?? '' };
  const { url, hasHost } = parseUrl(connectionString);
  const named = url.searchParams.get('host');
  if (url.protocol === 'socket:') return { host: decodeURI(url.pathname) };
  const hostname = hasHost ? decodeURIComponent(url.hostname.replace(/^\[(.+)\]$/, '$1')) : '';
  return { host: named || hostname, port: url.searchParams.get('port') || url.port };
}

function parseUrl(text: string): { url: URL; hasHost: boolean } {
  const encoded = / |%[^a-f0-9]|%[a-f0-9][^a-f0-9]/i.test(text) ? encodeURI(text).replace(/%25(\d\d)/g, '%$1') : text;
  const base = 'postgres://base';
  if (URL.canParse(encoded, base)) return { url: new URL(encoded, base), hasHost: true };
  const withHost = encoded.replace('@/', '@unnamed/');
  if (URL.canParse(withHost, base)) return { url: new URL(withHost, base), hasHost: false };
  // Not repeated: there is a password in it.
  throw new TurboError(
    'ERR_TURBO_BAD_OPTION',
    'connectionString is no URL; in a password, percent-encode / ? # @ : and %',
  );
}

/** The server's name is known to TLS by now: a config that was changed on the way to pg must not lead elsewhere. */
function onlyTo({ host, port }: Endpoint, socket: TurboSocket): TurboSocket {
  const dial = socket.connect as (...args: unknown[]) => TurboSocket;
  const connect = (askedPort: unknown, askedHost: unknown, ...rest: unknown[]) => {
    if (askedPort === port && askedHost === host) return dial.call(socket, port, host, ...rest);
    const asked = `${askedHost === undefined ? '' : `${askedHost}:`}${askedPort}`;
    const detail = `pg connects to ${asked}, and pgStream was told ${host}:${port}: give pgStream the whole config`;
    return socket.destroy(new TurboError('ERR_TURBO_BAD_OPTION', detail));
  };
  return Object.assign(socket, { connect });
}
