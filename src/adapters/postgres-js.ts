/**
 * postgres.js over TurboTLS:
 *
 *     const sql = postgres(...postgresSocket('postgres://me@db.example/app', { max: 20 }));
 */
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type ClientTurboOptions, checkTurboOptions, connectLater } from '../client/connect.js';
import { TurboError } from '../errors.js';
import { type PostgresSsl, postgresTls, takeTlsParameters } from './postgres-tls.js';

type DriverSsl = 'require' | 'allow' | 'prefer' | 'verify-full' | boolean | object | undefined;

/** What is looked at of the options of postgres.js. */
export interface PostgresSocketOptions {
  ssl?: DriverSsl;
  /** How to connect; mode 'off' gives the arguments back for the driver's own TLS. */
  turbo?: ClientTurboOptions | undefined;
}

/** What postgres.js is given beside the rest of its options. */
export interface PostgresSocketResult {
  ssl?: DriverSsl;
  sslnegotiation?: null;
  /** Called by the driver, with its own options, for each connection. */
  socket?: (options: DriverOptions) => Socket;
}

/** Of the options as the driver has resolved them. */
interface DriverOptions {
  host: readonly string[];
  port: readonly number[];
  path?: string | false | undefined;
}

type Options<Given> = Omit<Given, keyof PostgresSocketResult | 'turbo'> & PostgresSocketResult;

/**
 * The arguments for `postgres`, from those that it would be given. TLS is always on; sslmode and its kin (URL, PGSSLMODE)
 * mean what they mean to libpq, and the default is verify-full. Files are read here, once.
 *
 * @throws TurboError ERR_TURBO_BAD_OPTION
 */
export function postgresSocket<Given extends object = object>(
  url: string,
  options?: Given & PostgresSocketOptions,
): [url: string, options: Options<Given>];
export function postgresSocket<Given extends object = object>(
  options: Given & PostgresSocketOptions,
): [options: Options<Given>];
export function postgresSocket(...given: unknown[]): unknown[] {
  const [first, second] = given as [string | PostgresSocketOptions, PostgresSocketOptions | undefined];
  const url = typeof first === 'string' ? first : undefined;
  const { turbo = {}, ...options } = (typeof first === 'string' ? second : first) ?? {};
  checkTurboOptions(turbo);
  if (turbo.mode === 'off') return url === undefined ? [options] : [url, options];
  const { rest, parameters } = takeTlsParameters(url ?? '');
  const tls = postgresTls(options.ssl as PostgresSsl, parameters);
  const added: PostgresSocketResult = {
    socket: socketFactory(tls, turbo),
    // Given, so that neither the URL nor PGSSL nor PGSSLNEGOTIATION counts.
    ssl: false,
    sslnegotiation: null,
  };
  return url === undefined ? [{ ...options, ...added }] : [rest, { ...options, ...added }];
}

function socketFactory(tls: (host: string) => ConnectionOptions, turbo: ClientTurboOptions) {
  /** Which of several hosts is next: the one after a host that failed, or that the driver did not want to stay with. */
  let next = 0;
  return ({ host: hosts, port: ports, path }: DriverOptions): Socket => {
    if (path) return unixSocket(path, turbo);
    const index = next % hosts.length;
    const host = hosts[index] ?? 'localhost';
    const port = ports[index] ?? 5432;
    const socket = connectLater({ noDelay: true, ...tls(host), host, port, turbo });
    socket.once('close', () => {
      if (!socket.writableFinished && next % hosts.length === index) next = index + 1;
    });
    return connectSoon(socket, () => socket.connect(port, host));
  };
}

/** There is no TLS on one, and no TCP connection to begin. */
function unixSocket(path: string, { mode }: ClientTurboOptions): Socket {
  if (mode === 'require') throw new TurboError('ERR_TURBO_REQUIRED', `${path} is a Unix socket`);
  const socket = new Socket();
  return connectSoon(socket, () => socket.connect(path));
}

/**
 * The driver listens only after a turn of promises: an error before that would be nobody's. It writes at once, and what it
 * writes goes with the end of TLS.
 */
function connectSoon(socket: Socket, connect: () => void): Socket {
  setImmediate(() => {
    if (!socket.destroyed) connect();
  });
  return socket;
}
