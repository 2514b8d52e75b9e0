/**
 * A TurboTLS front that holds no key: what comes over TurboTLS goes on to the backend byte by byte, so that TLS is
 * between client and backend, which must begin TLS at once (PostgreSQL 17 or later, `redis-server --tls-port`), or
 * behind an SSLRequest. A CancelRequest goes on as it is.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { type Network, TurboListener } from '../../src/experimental.js';

export interface TurboFront {
  host: string;
  port: number;
  /** Connections that came over TurboTLS, and over plain TCP. */
  readonly carriers: { turbo: number; tcp: number };
  close(): Promise<void>;
}

/**
 * @param backend `sslRequest`: it wants one before TLS, as PostgreSQL before version 17; `terminate`: it has none,
 * and TLS ends at the front, with this certificate; `network`: the front's own
 */
export async function startTurboFront(backend: {
  host: string;
  port: number;
  sslRequest?: boolean;
  terminate?: { key: string; cert: string };
  network?: Network;
}): Promise<TurboFront> {
  const { sslRequest = false, terminate, network, ...address } = backend;
  // Its clients share this core with it.
  const limits = { handshakeCpuShare: 100 };
  const listener = new TurboListener({ network, limits, protocols: ['tls', 'pg-cancel-request'] });
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  const carriers = { turbo: 0, tcp: 0 };
  const relay = (stream: Duplex, behindRequest = false) => {
    const upstream = connect({ ...address, noDelay: true });
    const join = () => pipeline(stream, upstream, stream, () => {});
    if (behindRequest) void requestTls(upstream).then(join, () => stream.destroy());
    else join();
  };
  // It does not listen: connections are handed to it.
  const terminator = terminate && createTlsServer(terminate, (secured) => relay(secured));
  terminator?.on('tlsClientError', () => {});
  const serving = (async () => {
    for await (const { stream, carrier, protocol } of listener) {
      carriers[carrier]++;
      if (terminator) terminator.emit('connection', stream);
      else relay(stream, sslRequest && protocol === 'tls');
    }
  })();
  return {
    host: '127.0.0.1',
    port,
    carriers,
    close: async () => {
      await listener.close({ deadlineMs: 0 });
      await serving;
    },
  };
}

/** "Message Formats": length 8, code 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

async function requestTls(upstream: Socket): Promise<void> {
  upstream.write(SSL_REQUEST);
  const [answer] = (await once(upstream, 'data')) as [Buffer];
  upstream.pause();
  if (answer.toString('latin1') !== 'S') throw new Error('the backend has no TLS');
}
