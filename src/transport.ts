/**
 * A transport dials: it turns an address into a connected Duplex. Codecs and clients are given one and know no other
 * way to the network. These two are TCP and TLS as Node has them; `turbotls/experimental` has the third.
 */
import { connect as connectTcp, isIP, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { onAbort } from './abort.js';

export interface HostAddress {
  host: string;
  port: number;
}

/** Of a Unix socket. */
export interface PathAddress {
  path: string;
}

export type Address = HostAddress | PathAddress;

/** What TLS is told by who knows the server: name, verification, ALPN, credentials. As tls.connect has them. */
export type TlsOptions = ConnectionOptions;

export interface DialOptions {
  /** Ends the attempt; the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** For a secure transport, over its own options. */
  tls?: TlsOptions | undefined;
}

export interface Transport<Stream extends Duplex = Duplex> {
  /** Resolves with a stream that is ready for the first byte; rejects with the connection's error. */
  (address: Address, options?: DialOptions): Promise<Stream>;
  /** Whether what it dials is TLS already, made with `DialOptions.tls`. Nobody adds TLS of their own to that. */
  readonly secure?: boolean;
}

/** TCP or a Unix socket; TCP_NODELAY unless the options say otherwise. */
export function tcpTransport(options: Omit<TcpNetConnectOpts, 'host' | 'port'> = {}): Transport {
  return (address, { signal } = {}) =>
    untilEvent('connect', signal, () => connectTcp({ noDelay: true, ...options, ...address }));
}

/** TLS over TCP; the host is the server name that is sent and verified, unless the options name another. */
export function tlsTransport(options: Omit<ConnectionOptions, 'host' | 'port'> = {}): Transport<TLSSocket> {
  return secureTransport((address, { signal, tls } = {}) =>
    untilEvent('secureConnect', signal, () =>
      connectTls(withServerName({ noDelay: true, ...options, ...tls, ...address })),
    ),
  );
}

/** Marks a transport as one whose streams are TLS already. */
export function secureTransport<Stream extends Duplex>(
  dial: (address: Address, options?: DialOptions) => Promise<Stream>,
): Transport<Stream> {
  return Object.assign(dial, { secure: true });
}

/** TLS on a stream that is connected already (PostgreSQL's SSLRequest, STARTTLS). Owns the stream from here on. */
export function startTls(stream: Duplex, tls: TlsOptions, signal?: AbortSignal): Promise<TLSSocket> {
  return untilEvent('secureConnect', signal, () => connectTls({ ...tls, socket: stream }));
}

/** SNI for host names; an IP address is no server name (RFC 6066, section 3). */
export function withServerName<T extends ConnectionOptions>(options: T): T {
  const { host, servername } = options;
  return servername !== undefined || !host || isIP(host) ? options : { ...options, servername: host };
}

/**
 * The stream that `dial` makes, once it has emitted `event`. What goes wrong before destroys it. What goes wrong between
 * the event and the caller's own listener is not thrown at the process: the stream is destroyed when the caller gets it.
 */
export function untilEvent<Stream extends Duplex>(
  event: string,
  signal: AbortSignal | undefined,
  dial: () => Stream,
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stream = dial();
    const settle = (act: () => void) => {
      stream.off(event, onReady);
      stream.off('error', onError);
      stopListening?.();
      act();
    };
    const onReady = () => {
      settle(() => resolve(stream));
      stream.on('error', ignore);
      setImmediate(() => stream.off('error', ignore));
    };
    const onError = (error: Error) => settle(() => reject(error));
    const abort = () => {
      settle(() => reject(signal?.reason));
      stream.on('error', ignore);
      stream.destroy();
    };
    stream.once(event, onReady);
    stream.once('error', onError);
    const stopListening = signal && onAbort(signal, abort);
  });
}

function ignore(): void {}
