/** ioredis over TurboTLS: `new Redis('rediss://…', { Connector: TurboConnector })`. */
import { connect as connectTcp, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { type ClientTurboOptions, checkTurboOptions, connect } from '../client/connect.js';
import { TurboError } from '../errors.js';
import { type TlsOptions, withServerName } from '../transport.js';

/**
 * What ioredis takes for its option `Connector`. It declares the instances as a class with private members, which only
 * its own heirs can satisfy.
 */
export interface TurboConnectorClass {
  // biome-ignore lint/suspicious/noExplicitAny: see above
  new (options: any): any;
  /** The same, with a mode, a memory or limits: `Connector: TurboConnector.with({ mode: 'require' })`. */
  with(turbo: ClientTurboOptions): TurboConnectorClass;
}

/** Of the options of ioredis, those that are for a connector. */
interface RedisOptions {
  host?: string | null;
  port?: number | null;
  family?: number | null;
  path?: string | null;
  /** `true` for a URL that begins with rediss:. */
  tls?: TlsOptions | true | null;
  noDelay?: boolean;
  disconnectTimeout?: number;
  sentinels?: readonly unknown[] | null;
}

// Those of ioredis.
const DEFAULT_PORT = 6379;
const DISCONNECT_TIMEOUT_MS = 2_000;

function connectorClass(turbo: ClientTurboOptions): TurboConnectorClass {
  checkTurboOptions(turbo);
  return class TurboConnector {
    /** What ended the last connection, for one that ended before ioredis could listen. */
    firstError: Error | undefined;
    readonly #options: RedisOptions;
    #stream: Socket | undefined;
    #connected = false;

    static with(more: ClientTurboOptions): TurboConnectorClass {
      return connectorClass({ ...turbo, ...more });
    }

    /** @throws TurboError ERR_TURBO_BAD_OPTION; ERR_TURBO_REQUIRED for a Unix socket with mode 'require' */
    constructor(options: RedisOptions) {
      checkOptions(options, turbo);
      // By this ioredis knows to wait for TLS, and its cluster's subscriber, which takes no Connector, to use it.
      if (!options.path) options.tls ??= {};
      this.#options = options;
    }

    /** Whether to stay with a server, after INFO. */
    check(): boolean {
      return true;
    }

    /** The stream, still connecting: ioredis waits for its events. */
    async connect(): Promise<Socket> {
      const { path, tls } = this.#options;
      const stream = path && !tls ? connectTcp({ path }) : connect({ ...connectionOptions(this.#options), turbo });
      this.firstError = undefined;
      this.#connected = false;
      stream.once(tls ? 'secureConnect' : 'connect', () => {
        this.#connected = true;
      });
      stream.once('error', (error) => {
        this.firstError = error;
      });
      this.#stream = stream;
      return stream;
    }

    disconnect(): void {
      const stream = this.#stream;
      if (!stream || stream.closed) return;
      if (!this.#connected) {
        stream.destroy();
        return;
      }
      const timer = setTimeout(() => stream.destroy(), this.#options.disconnectTimeout ?? DISCONNECT_TIMEOUT_MS);
      stream.once('close', () => clearTimeout(timer));
      stream.end();
    }
  };
}

/**
 * For the option `Connector` of ioredis. Host, port and `tls` are those that ioredis is given; TLS is always on, and the
 * certificate is verified unless `tls` says otherwise. A Unix socket stays one.
 */
export const TurboConnector: TurboConnectorClass = connectorClass({});

function checkOptions({ path, sentinels, tls }: RedisOptions, { mode }: ClientTurboOptions): void {
  if (path && mode === 'require') {
    throw new TurboError('ERR_TURBO_REQUIRED', `the path ${path} is a Unix socket, and no TCP connection begins`);
  }
  if (sentinels) {
    throw new TurboError(
      'ERR_TURBO_BAD_OPTION',
      'ioredis asks no sentinels where it has a Connector: give it the host and port of the server, or no Connector',
    );
  }
  if (tls === undefined || tls === null || tls === true || typeof tls === 'object') return;
  throw new TurboError(
    'ERR_TURBO_BAD_OPTION',
    `tls is an object of options of tls.connect, got ${inspect(tls)}: TurboTLS is always TLS, leave it out`,
  );
}

/** As the connector of ioredis puts them together, with the server's name in all cases. */
function connectionOptions({ host, port, family, path, tls, noDelay = true }: RedisOptions) {
  return withServerName({
    host: host ?? 'localhost',
    port: port ?? DEFAULT_PORT,
    noDelay,
    ...(family && { family }),
    ...(path && { path }),
    ...(typeof tls === 'object' && tls),
  });
}
