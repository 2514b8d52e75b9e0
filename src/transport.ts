/**
 * A transport dials: it turns an address into a connected Duplex. Codecs and clients are given one and know no other
 * way to the network. These two are TCP and TLS as Node has them; `turbotls/experimental` has the third.
 */
import { connect as connectTcp, isIP, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

export interface Address {
  host: string;
  port: number;
}

export interface DialOptions {
  /** Ends the attempt; the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Resolves with a stream that is ready for the first byte; rejects with the connection's error. */
export type Transport<Stream extends Duplex = Duplex> = (address: Address, options?: DialOptions) => Promise<Stream>;

/** TCP, with TCP_NODELAY unless the options say otherwise. */
export function tcpTransport(options: Omit<TcpNetConnectOpts, 'host' | 'port'> = {}): Transport {
  return (address, { signal } = {}) =>
    untilEvent('connect', signal, () => connectTcp({ noDelay: true, ...options, ...address }));
}

/** TLS over TCP; the host is the server name that is sent and verified, unless the options name another. */
export function tlsTransport(options: Omit<ConnectionOptions, 'host' | 'port'> = {}): Transport {
  return (address, { signal } = {}) =>
    untilEvent('secureConnect', signal, () => connectTls(withServerName({ ...options, ...address })));
}

/** SNI for host names; an IP address is no server name (RFC 6066, section 3). */
export function withServerName<T extends ConnectionOptions & Address>(options: T): T {
  return options.servername !== undefined || isIP(options.host) ? options : { ...options, servername: options.host };
}

/** The stream that `dial` makes, once it has emitted `event`. What goes wrong before destroys it. */
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
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onReady = () => settle(() => resolve(stream));
    const onError = (error: Error) => settle(() => reject(error));
    const onAbort = () => {
      settle(() => reject(signal?.reason));
      stream.on('error', () => {});
      stream.destroy();
    };
    stream.once(event, onReady);
    stream.once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
