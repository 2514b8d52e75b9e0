/**
 * For undici's Client, Pool and Agent, and so for `fetch`: what is given as their option `connect`.
 *
 *     const dispatcher = new Agent({ connect: undiciConnector({ ca }) });
 *     await fetch('https://api.example.com/', { dispatcher });
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TurboConnectionOptions } from '../client/connect.js';
import { TurboError } from '../errors.js';
import { SessionCache } from './session-cache.js';

/** As undici's own object `connect`: TLS's options for every https: origin, those of TCP for http: too. */
export interface UndiciConnectorOptions
  extends Omit<TurboConnectionOptions, 'host' | 'port' | 'path' | 'socket' | 'timeout'> {
  /**
   * For a connection to be made, TLS included, in ms; null or 0: no limit. Default 10,000. (undici's own `connectTimeout`
   * is for its own connector.)
   */
  timeout?: number | null;
  /** Whether HTTP/2 is offered. Default: what the Client, Pool or Agent says. */
  allowH2?: boolean;
  /** TLS sessions that are kept to be taken up again. Default 100. */
  maxCachedSessions?: number | null;
}

/** What undici says of the connection that it wants. */
export interface UndiciOrigin {
  protocol: string;
  /** Name or address. */
  hostname: string;
  /** With the port, where it is not the protocol's own. */
  host?: string;
  port?: string;
  servername?: string | null;
  localAddress?: string | null;
  allowH2?: boolean;
  socketPath?: string | null;
}

export type UndiciCallback = (
  ...args: [error: null, socket: Socket | TLSSocket] | [error: Error, socket: null]
) => void;

export type UndiciConnector = (origin: UndiciOrigin, callback: UndiciCallback) => void;

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_DELAY_MS = 60_000;
const PORTS = { 'https:': 443, 'http:': 80 } as const;

/**
 * Connects https: origins over TurboTLS, http: origins over TCP as ever.
 *
 * @throws TurboError ERR_TURBO_BAD_OPTION; what goes wrong with a connection goes to its callback
 */
export function undiciConnector(options: UndiciConnectorOptions = {}): UndiciConnector {
  const { timeout: timeoutMs = CONNECT_TIMEOUT_MS, allowH2, maxCachedSessions, ...tlsOptions } = options;
  const sessions = new SessionCache(maxCachedSessions);
  const shared = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS, ...tlsOptions };

  function dialTcp(origin: UndiciOrigin): Socket {
    if (shared.turbo?.mode === 'require') {
      throw new TurboError('ERR_TURBO_REQUIRED', `there is no TLS to ${urlOf(origin)}; ask for https:`);
    }
    return connectTcp({ ...shared, ...addressOf(origin) });
  }

  function dialTurbo(origin: UndiciOrigin): TLSSocket {
    const { hostname } = origin;
    const servername = origin.servername || shared.servername || (isIP(hostname) ? '' : hostname);
    return sessions.connect(`${servername || hostname}:${origin.port}`, {
      ...shared,
      ...addressOf(origin),
      servername,
      ALPNProtocols: (allowH2 ?? origin.allowH2) ? ['h2', 'http/1.1'] : ['http/1.1'],
    });
  }

  return (origin, callback) => {
    const secure = origin.protocol === 'https:';
    let socket: Socket;
    try {
      socket = secure ? dialTurbo(origin) : dialTcp(origin);
    } catch (error) {
      process.nextTick(callback, error as Error, null); // undici is still in the call that asked
      return;
    }
    const timer = timeoutMs ? setTimeout(() => socket.destroy(timedOut(origin, timeoutMs)), timeoutMs) : undefined;
    let settled = false;
    const settle: UndiciCallback = (...outcome) => {
      clearTimeout(timer);
      if (settled) return;
      settled = true;
      callback(...outcome);
    };
    socket.once(secure ? 'secureConnect' : 'connect', () => settle(null, socket));
    // For good, as undici's own: after an upgrade nobody else may listen.
    socket.on('error', (error) => settle(error, null));
  };
}

/** As net.connect wants it. */
function addressOf({ protocol, hostname, port, localAddress, socketPath }: UndiciOrigin) {
  const ports: Record<string, number> = PORTS;
  return {
    host: hostname,
    port: Number(port || ports[protocol]),
    ...(localAddress && { localAddress }),
    ...(socketPath && { path: socketPath }),
  };
}

/** With undici's own code for it: what is written for undici goes on working. */
function timedOut(origin: UndiciOrigin, timeoutMs: number): Error {
  const error = new Error(`Connect Timeout Error (attempted address: ${urlOf(origin)}, timeout: ${timeoutMs}ms)`);
  return Object.assign(error, { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' });
}

function urlOf({ protocol, host, hostname }: UndiciOrigin): string {
  return `${protocol}//${host ?? hostname}`;
}
