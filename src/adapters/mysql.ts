/** mysql2 over TurboTLS: `mysql.createPool(mysqlStream('mysql://…'))`. */
import { inspect } from 'node:util';
import { type ClientTurboOptions, checkTurboOptions, connect, type TurboSocket } from '../client/connect.js';
import { TurboError } from '../errors.js';
import { type TlsOptions, withServerName } from '../transport.js';

/** Of the options of mysql2, those that are looked at; all others stay as they are. */
export interface MysqlOptions {
  uri?: string | undefined;
  host?: string | undefined;
  /**
   * For TLS, as tls.connect has it. `verifyIdentity: false` leaves out the server's name, which is checked otherwise.
   * A named profile belongs to mysql2 and cannot be used.
   */
  ssl?: string | (TlsOptions & { verifyIdentity?: boolean | undefined }) | undefined;
  socketPath?: string | undefined;
  turbo?: ClientTurboOptions | undefined;
}

/** What mysql2 hands to its option `stream`: its configuration, put together from all sources. */
export interface MysqlConnection {
  config: {
    host?: string | undefined;
    port?: number | undefined;
    localAddress?: string | undefined;
    socketPath?: string | undefined;
    enableKeepAlive?: boolean | undefined;
    keepAliveInitialDelay?: number | undefined;
    ssl?: unknown;
  };
}

export type MysqlStream = (connection: MysqlConnection) => TurboSocket;

/**
 * The options of mysql2, or its URL, with TurboTLS as the stream: for createConnection, createPool and PoolCluster.add of
 * `mysql2` and `mysql2/promise`.
 *
 * MySQL's own TLS begins in mid-stream, after the server's greeting. Here it is there from the first byte, and ends at a
 * gateway (route `terminate`) before the server; what is given as `ssl` is for it, and mysql2 makes no TLS of its own.
 * A Unix socket stays one.
 *
 * @throws TurboError ERR_TURBO_BAD_OPTION; ERR_TURBO_REQUIRED for a Unix socket with mode 'require'
 */
export function mysqlStream(uri: string): { uri: string; stream?: MysqlStream };
export function mysqlStream<Options extends MysqlOptions>(
  options: Options,
): Omit<Options, 'turbo'> & { stream?: MysqlStream };
export function mysqlStream(given: string | MysqlOptions): MysqlOptions & { stream?: MysqlStream } {
  const { turbo = {}, ...own } = typeof given === 'string' ? { uri: given } : given;
  checkTurboOptions(turbo);
  if (turbo.mode === 'off') return own;
  const { ssl, ...options } = own;
  if (options.socketPath) {
    if (turbo.mode !== 'require') return own;
    const detail = `the socketPath ${options.socketPath} is a Unix socket, and no TCP connection begins`;
    throw new TurboError('ERR_TURBO_REQUIRED', detail);
  }
  const ofUri = options.uri === undefined ? undefined : withoutSsl(options.uri);
  const tls = tlsOptions(ssl ?? ofUri?.ssl);
  const stream: MysqlStream = ({ config }) => {
    if (config.ssl) throw misuse('mysql2 was given ssl beside what mysqlStream returned: give it to mysqlStream');
    if (config.socketPath)
      throw misuse('socketPath is in the URL: give it to mysqlStream as an option, to be a Unix socket');
    return connect(withServerName({ ...connectionOptions(config), ...tls, turbo }));
  };
  return { ...options, ...(ofUri && { uri: ofUri.uri }), stream };
}

function connectionOptions(config: MysqlConnection['config']) {
  const { host, port, localAddress, enableKeepAlive, keepAliveInitialDelay } = config;
  return { host, port, localAddress, noDelay: true, keepAlive: enableKeepAlive, keepAliveInitialDelay };
}

/** mysql2 would take `ssl` from the URL for its own, as JSON. */
function withoutSsl(uri: string): { uri: string; ssl: unknown } {
  // Not repeated: there is a password in it.
  if (!URL.canParse(uri)) throw misuse('uri is no URL; in a password, percent-encode / ? # @ : and %');
  const url = new URL(uri);
  const text = url.searchParams.get('ssl');
  if (text === null) return { uri, ssl: undefined };
  url.searchParams.delete('ssl');
  return { uri: url.href, ssl: parsed(text) };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

function tlsOptions(ssl: unknown): TlsOptions {
  if (ssl === undefined || ssl === null || ssl === true) return {};
  if (typeof ssl === 'string') {
    throw misuse(`the profile ${inspect(ssl)} is known to mysql2 alone: give its certificates as ssl: { ca }`);
  }
  if (typeof ssl !== 'object') {
    throw misuse(
      `ssl is an object of options of tls.connect, got ${inspect(ssl)}: TurboTLS is always TLS, leave it out`,
    );
  }
  const { verifyIdentity, ...tls } = ssl as TlsOptions & { verifyIdentity?: boolean };
  return verifyIdentity === false ? { ...tls, checkServerIdentity: () => undefined } : tls;
}

function misuse(detail: string): TurboError {
  return new TurboError('ERR_TURBO_BAD_OPTION', detail);
}
