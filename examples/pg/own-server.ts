/** A PostgreSQL of the npm package, with a TurboTLS port before it, for who has none at hand. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { pipeline } from 'node:stream';
import { TurboListener } from 'turbotls/experimental';
import type { Conninfo } from 'turbotls/pg';
import { startPostgres } from '../../test/servers/index.js';
import { makeCertificate } from '../../test/support/certificates.js';

export interface OwnServer {
  /** What a client connects with: TLS is between it and PostgreSQL. */
  target: Conninfo;
  ca: string;
  stop(): Promise<void>;
}

/** @param turbo whether clients come over TurboTLS, or straight to PostgreSQL */
export async function startOwnServer(turbo: boolean): Promise<OwnServer> {
  const password = randomBytes(16).toString('hex');
  const tls = await makeCertificate({ names: ['localhost'] });
  const server = await startPostgres({ version: 18, tls, users: [{ name: 'example', password }] });
  const front = turbo ? await startFront(server) : undefined;
  return {
    target: {
      host: 'localhost',
      hostaddr: server.host,
      port: front?.port ?? server.port,
      user: 'example',
      password,
      dbname: 'postgres',
      sslmode: 'verify-full',
    },
    ca: tls.ca,
    stop: async () => {
      await front?.close();
      await server.stop();
    },
  };
}

/** What arrives by TurboTLS goes to PostgreSQL over TCP, byte by byte. The front holds no key. */
async function startFront(backend: { host: string; port: number }) {
  const listener = new TurboListener();
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  const serving = (async () => {
    for await (const { stream } of listener) {
      pipeline(stream, connect({ ...backend, noDelay: true }), stream, () => {});
    }
  })();
  return {
    port,
    close: async () => {
      await listener.close({ deadlineMs: 0 });
      await serving;
    },
  };
}
