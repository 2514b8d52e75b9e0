/**
 * A TurboTLS front that holds no key: what comes over TurboTLS goes on to the backend byte by byte, so that TLS is
 * between client and backend, which must begin TLS at once (PostgreSQL 17 or later, `redis-server --tls-port`).
 */
import { connect } from 'node:net';
import { pipeline } from 'node:stream';
import { TurboListener } from '../../src/experimental.js';

export interface TurboFront {
  host: string;
  port: number;
  /** Connections that came over TurboTLS, and over plain TCP. */
  readonly carriers: { turbo: number; tcp: number };
  close(): Promise<void>;
}

export async function startTurboFront(backend: { host: string; port: number }): Promise<TurboFront> {
  const listener = new TurboListener();
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  const carriers = { turbo: 0, tcp: 0 };
  const serving = (async () => {
    for await (const { stream, carrier } of listener) {
      carriers[carrier]++;
      const upstream = connect({ ...backend, noDelay: true });
      pipeline(stream, upstream, stream, () => {});
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
