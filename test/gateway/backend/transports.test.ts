import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { PgClient } from '../../../src/codec/pg/index.js';
import type { BackendConnection } from '../../../src/gateway/backend/index.js';
import { secureTransport } from '../../../src/transport.js';
import { readProxyHeader } from '../../../src/wire/proxy-protocol.js';
import { type PostgresServer, requirePart, startPostgres } from '../../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../support/certificates.js';
import { CLIENT, echo, listen, NO_TLS, never, ping, Rig, rejection, until } from './rig.js';

const SSL_REQUEST = '0000000804d2162f';

/** The first bytes of a connection, at least so many; fewer where it ends before, and then it ends too. */
async function bytesOf(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    if (Buffer.concat(chunks).length >= length) return Buffer.concat(chunks);
  }
  socket.end();
  return Buffer.concat(chunks);
}

describe('gateway backend: transports', () => {
  const rig = Rig.use();

  describe('plain', () => {
    it('is TCP, ready for the first byte', async () => {
      const server = await rig.serve();
      const connection = await rig.dial(rig.pool([server]));
      expect(connection.target).to.deep.equal(server.address);
      expect(connection.connectMs).to.be.above(0);
      expect(await ping(connection)).to.equal('ping');
    });

    it('ends each direction by itself', async () => {
      const server = await rig.serve((socket) => {
        socket.resume().once('end', () => setTimeout(() => socket.end('late'), 20));
      });
      const { stream } = await rig.dial(rig.pool([server]));
      stream.end('all');
      const [answer] = await once(stream, 'data');
      expect(String(answer)).to.equal('late');

      const heard: string[] = [];
      const first = await rig.serve((socket) => {
        socket.end('bye');
        socket.on('data', (chunk) => heard.push(String(chunk)));
      });
      const other = await rig.dial(rig.pool([first]));
      await once(other.stream.resume(), 'end');
      await delay(5);
      other.stream.end('wait');
      await until(() => heard.length === 1, 'it is heard');
      expect(heard).to.deep.equal(['wait']);
    });

    it('throws no error of a connection at the process, whenever it comes', async () => {
      const server = await rig.serve();
      const connection = await rig.dial(rig.pool([server]));
      for (const socket of server.sockets) socket.resetAndDestroy();
      await new Promise((resolve) => connection.stream.once('close', resolve));
      expect(connection.stream.errored).to.have.property('code', 'ECONNRESET');
    });
  });

  describe('postgres', () => {
    /** A backend that answers SSLRequest so. */
    function answering(answer: (socket: Socket) => void) {
      return rig.serve(async (socket) => {
        const bytes = await bytesOf(socket, 8);
        expect(bytes.toString('hex')).to.equal(SSL_REQUEST);
        answer(socket);
        listen(socket);
      });
    }

    it('asks for TLS, and is ready behind S', async () => {
      const server = await answering((socket) => {
        socket.write('S');
        echo(socket);
      });
      expect(await ping(await rig.dial(rig.pool([server], { transport: 'postgres' })))).to.equal('ping');
    });

    it('loses nothing of what comes behind S later', async () => {
      const server = await answering((socket) => {
        socket.write('S');
        setTimeout(() => socket.write('hello'), 30);
      });
      const { stream } = await rig.dial(rig.pool([server], { transport: 'postgres' }));
      const [first] = await once(stream, 'data');
      expect(String(first)).to.equal('hello');
    });

    const refusals: [string, string, (socket: Socket) => void][] = [
      ['N', 'ERR_PG_TLS_REFUSED', (socket) => socket.write('N')],
      ['bytes injected behind S', 'ERR_PG_TLS_INJECTION', (socket) => socket.write('SE')],
      ['bytes behind N', 'ERR_PG_TLS_INJECTION', (socket) => socket.write('NN')],
      ['an error message', 'ERR_PG_NEGOTIATION', (socket) => socket.write('E\0\0\0\x04')],
      ['another byte', 'ERR_PG_NEGOTIATION', (socket) => socket.write('H')],
      ['an end', 'ERR_PG_CONNECTION_LOST', (socket) => socket.end()],
      ['a reset', 'ERR_PG_CONNECTION_LOST', (socket) => socket.resetAndDestroy()],
    ];
    for (const [name, code, answer] of refusals) {
      it(`fails at ${name}, and leaves no connection`, async () => {
        const server = await answering(answer);
        const pool = rig.pool([server], { transport: 'postgres' });
        const error = await rejection(pool.dial(CLIENT, never()));
        expect(error.code).to.equal('ERR_GATEWAY_BACKEND');
        expect(error.cause).to.have.property('code', code);
        await until(() => server.sockets.size === 0, 'the connection is closed');
        expect(pool.targets[0]).to.include({ connections: 0, healthy: false });
      });
    }

    it('fails when nothing comes, and leaves no connection', async () => {
      const server = await answering(() => {});
      const pool = rig.pool([server], { transport: 'postgres', connectTimeoutMs: 60 });
      const error = await rejection(pool.dial(CLIENT, never()));
      expect(error.cause).to.include({ code: 'ERR_GATEWAY_BACKEND_TIMEOUT', retryable: true });
      await until(() => server.sockets.size === 0, 'the connection is closed');
    });
  });

  describe('tls', () => {
    let tls: Certificate;

    before(async () => {
      tls = await makeCertificate({ names: ['localhost', 'db.internal', '127.0.0.1'] });
    });

    /** What the backend saw of the TLS. */
    interface Seen {
      servername: string | false | null;
      alpn: string | false | null;
      authorized: boolean;
    }

    async function tlsServer(options: { alpn?: string[]; certificate?: Certificate; requestCert?: boolean } = {}) {
      const { alpn, certificate = tls, requestCert = false } = options;
      const seen: Seen[] = [];
      const server = await rig.serveTls(
        {
          key: certificate.key,
          cert: certificate.cert,
          ca: certificate.ca,
          requestCert,
          rejectUnauthorized: false,
          ...(alpn && { ALPNProtocols: alpn }),
        },
        (socket) => {
          const { authorized, alpnProtocol } = socket;
          seen.push({
            servername: (socket as { servername?: string }).servername ?? null,
            alpn: alpnProtocol,
            authorized,
          });
          socket.pipe(socket);
        },
      );
      return { server, seen };
    }

    function caFile(): string {
      return rig.files({ ca: tls.ca }).ca;
    }

    it('verifies the certificate and the name of the target', async () => {
      const { server, seen } = await tlsServer();
      const target = { ...server.address, host: 'localhost' };
      const connection = await rig.dial(rig.pool([target], { transport: 'tls', tls: { ...NO_TLS, ca: caFile() } }));
      expect(await ping(connection)).to.equal('ping');
      expect((connection.stream as TLSSocket).authorized).to.equal(true);
      expect(seen).to.deep.equal([{ servername: 'localhost', alpn: false, authorized: false }]);
    });

    it('verifies an address, and sends no name for it', async () => {
      const { server, seen } = await tlsServer();
      await rig.dial(rig.pool([server], { transport: 'tls', tls: { ...NO_TLS, ca: caFile() } }));
      await until(() => seen.length === 1, 'it is seen');
      expect(seen[0]?.servername).to.be.oneOf([false, null]);
    });

    it('sends and verifies the name that it is told', async () => {
      const { server, seen } = await tlsServer();
      const settings = { ...NO_TLS, ca: caFile(), serverName: 'db.internal' };
      await rig.dial(rig.pool([server], { transport: 'tls', tls: settings }));
      await until(() => seen.length === 1, 'it is seen');
      expect(seen[0]?.servername).to.equal('db.internal');
    });

    const refusals: [string, Partial<typeof NO_TLS>, string][] = [
      ['an authority that is not trusted', { ca: undefined }, 'SELF_SIGNED_CERT_IN_CHAIN'],
      ['another name', { serverName: 'other.internal' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      ['another address', { serverName: '127.0.0.2' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ];
    for (const [name, change, code] of refusals) {
      it(`refuses ${name}, unless it is not to verify`, async () => {
        const { server } = await tlsServer();
        const settings = { ...NO_TLS, ca: caFile(), ...change };
        const pool = rig.pool([server], { transport: 'tls', tls: settings });
        const error = await rejection(pool.dial(CLIENT, never()));
        expect(error.cause).to.have.property('code', code);
        await until(() => server.sockets.size === 0, 'the connection is closed');
        const lax = rig.pool([server], { transport: 'tls', tls: { ...settings, verify: false } });
        expect(await ping(await rig.dial(lax))).to.equal('ping');
      });
    }

    it('refuses TLS 1.1', async () => {
      const server = await rig.serveTls({
        key: tls.key,
        cert: tls.cert,
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'ALL:@SECLEVEL=0',
      });
      const pool = rig.pool([server], { transport: 'tls', tls: { ...NO_TLS, verify: false } });
      expect((await rejection(pool.dial(CLIENT, never()))).cause?.code).to.match(/^ERR_SSL_/);
    });

    it('offers what the client has agreed to, or what it is told', async () => {
      const { server, seen } = await tlsServer({ alpn: ['h2', 'http/1.1'] });
      const settings = { ...NO_TLS, ca: caFile() };
      const pool = rig.pool([server], { transport: 'tls', tls: settings });
      await rig.dial(pool, { alpn: 'http/1.1' });
      await rig.dial(pool, { alpn: undefined });
      const told = rig.pool([server], { transport: 'tls', tls: { ...settings, alpn: ['h2'] } });
      await rig.dial(told, { alpn: 'http/1.1' });
      await until(() => seen.length === 3, 'they are seen');
      expect(seen.map(({ alpn }) => alpn)).to.deep.equal(['http/1.1', false, 'h2']);
      const unknown = await rejection(pool.dial({ ...CLIENT, alpn: 'unknown' }, never()));
      expect(unknown.cause?.code).to.match(/^ERR_SSL_/);
    });

    it('shows a certificate of its own', async () => {
      const { server, seen } = await tlsServer({ requestCert: true });
      const own = await makeCertificate({ names: ['gateway'], usage: 'client' });
      const files = rig.files({ ca: tls.ca, cert: own.cert, key: own.key });
      await rig.dial(rig.pool([server], { transport: 'tls', tls: { ...NO_TLS, ...files } }));
      await until(() => seen.length === 1, 'it is seen');
      expect(seen[0]?.authorized).to.equal(true);
    });

    it('fails at once where a file is missing or is none', () => {
      const { bad } = rig.files({ bad: 'no certificate' });
      const make = (change: object) => () =>
        rig.pool([{ host: 'localhost', port: 1 }], { transport: 'tls', tls: { ...NO_TLS, ...change } });
      expect(make({ ca: `${bad}.not` }))
        .to.throw()
        .with.property('code', 'ENOENT');
      expect(make({ cert: bad }))
        .to.throw()
        .with.property('code', 'ERR_OSSL_PEM_NO_START_LINE');
    });

    it('ends within its time where TLS is not answered, and leaves no connection', async () => {
      const server = await rig.serve(listen);
      const pool = rig.pool([server], { transport: 'tls', tls: NO_TLS, connectTimeoutMs: 60 });
      expect((await rejection(pool.dial(CLIENT, never()))).cause).to.have.property(
        'code',
        'ERR_GATEWAY_BACKEND_TIMEOUT',
      );
      await until(() => server.sockets.size === 0, 'the connection is closed');
    });

    it('is given up at every step, and leaves no connection', async () => {
      const { server } = await tlsServer();
      const stages = await rig.serve(async (socket) => {
        if ((await bytesOf(socket, 8)).length < 8) return;
        socket.write('S');
        listen(socket);
      });
      const cases = [
        rig.pool([server], { transport: 'tls', tls: { ...NO_TLS, ca: caFile() } }),
        rig.pool([stages], { transport: 'postgres-tls', tls: { ...NO_TLS, ca: caFile() } }),
      ];
      for (const pool of cases) {
        for (const delayMs of [0, 0, 1, 2, 3, 5, 8, 13, 20]) {
          const giveUp = new AbortController();
          const reason = new Error('the client has left');
          setTimeout(() => giveUp.abort(reason), delayMs);
          const outcome = await pool.dial(CLIENT, giveUp.signal).catch((error) => error);
          if (outcome instanceof Error) expect(outcome).to.equal(reason);
          else {
            outcome.stream.destroy();
            outcome.release();
          }
        }
        expect(pool.targets[0]).to.include({ connections: 0, healthy: true, lastError: undefined });
      }
      await until(() => server.sockets.size + stages.sockets.size === 0, 'the connections are closed');
      const over = AbortSignal.abort(new Error('over'));
      expect(await rejection((cases[0] as (typeof cases)[0]).dial(CLIENT, over))).to.have.property('message', 'over');
    });
  });

  describe('PROXY header', () => {
    it('comes first, in front of everything else', async () => {
      const tls = await makeCertificate();
      const heads: Buffer[] = [];
      const server = await rig.serve(async (socket) => {
        const head = await bytesOf(socket, 16 + 8);
        heads.push(head);
        socket.write('S');
      });
      const settings = { proxyProtocol: true, connectTimeoutMs: 100 };
      const client = {
        alpn: 'h2',
        tls: { verified: true, version: 'TLSv1.3', commonName: 'alice', cipher: 'TLS_AES_128_GCM_SHA256' },
      };
      await rig.dial(rig.pool([server], { ...settings, transport: 'postgres' }), client);
      const files = rig.files({ ca: tls.ca });
      const secure = rig.pool([server], { ...settings, transport: 'postgres-tls', tls: { ...NO_TLS, ca: files.ca } });
      await rejection(secure.dial({ ...CLIENT, ...client }, never()));
      expect(heads).to.have.length(2);
      for (const head of heads) {
        const read = readProxyHeader(head);
        if (typeof read === 'string') return expect.fail(read);
        expect(read.header).to.deep.equal({
          command: 'proxy',
          version: 2,
          source: { address: CLIENT.address, port: CLIENT.port },
          destination: { address: CLIENT.localAddress, port: CLIENT.localPort },
          authority: CLIENT.serverName,
          ...client,
        });
        expect(head.toString('hex', read.length)).to.equal(SSL_REQUEST);
      }
    });

    it('blames no backend for a client without an address', async () => {
      const server = await rig.serve();
      const pool = rig.pool([server], { proxyProtocol: true });
      const error = await rejection(pool.dial({ ...CLIENT, address: 'nowhere' }, never()));
      expect(error.code).to.equal('ERR_TURBO_BAD_OPTION');
      expect(pool.targets[0]).to.include({ healthy: true, connections: 0 });
    });
  });

  describe('real PostgreSQL', function () {
    this.timeout(60_000);

    for (const version of [15, 17, 18] as const) {
      describe(String(version), () => {
        let server: PostgresServer;
        let tls: Certificate;

        before(async function () {
          requirePart(this, `postgresql-${version}`);
          tls = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
          const hba = ['hostssl all all all trust', 'hostnossl all all all reject'];
          server = await startPostgres({ version, tls, hba, users: [{ name: 'alice' }] });
        });
        after(() => server?.stop());

        /** Logs in over the connection's TLS, and asks what the server sees. */
        async function ask(stream: BackendConnection['stream']): Promise<unknown> {
          const transport = secureTransport(async () => stream);
          const client = PgClient.open({ host: server.host, user: 'alice', dbname: 'postgres' }, { transport });
          const { rows } = await client.query('SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
          await client.close();
          return rows[0];
        }

        it('postgres: the client does the TLS behind it', async () => {
          const { stream } = await rig.dial(rig.pool([server], { transport: 'postgres' }));
          const secure = connectTls({
            socket: stream,
            ca: tls.ca,
            servername: 'localhost',
            ALPNProtocols: ['postgresql'],
          });
          await once(secure, 'secureConnect');
          expect(await ask(secure)).to.deep.include({ ssl: true });
        });

        it('postgres-tls: the gateway does, and verifies', async () => {
          const settings = { ...NO_TLS, ca: rig.files({ ca: tls.ca }).ca };
          const { stream } = await rig.dial(rig.pool([server], { transport: 'postgres-tls', tls: settings }));
          // PostgreSQL 17 and later agree to ALPN behind an SSLRequest too.
          expect((stream as TLSSocket).alpnProtocol).to.equal(version >= 17 ? 'postgresql' : false);
          expect(await ask(stream)).to.deep.include({ ssl: true });
          const other = (await makeAuthority({ name: 'Other' })).cert;
          const wrong = { ...NO_TLS, ca: rig.files({ other }).other };
          const pool = rig.pool([server], { transport: 'postgres-tls', tls: wrong });
          expect((await rejection(pool.dial(CLIENT, never()))).cause?.code).to.equal('SELF_SIGNED_CERT_IN_CHAIN');
        });

        if (version >= 17) {
          it('tls: from the first byte, with ALPN', async () => {
            const settings = { ...NO_TLS, ca: rig.files({ ca: tls.ca }).ca, alpn: ['postgresql'] };
            const { stream } = await rig.dial(rig.pool([server], { transport: 'tls', tls: settings }));
            expect(await ask(stream)).to.deep.include({ ssl: true });
          });
        }

        it('without TLS: refuses', async () => {
          await server.setTls(undefined);
          const error = await rejection(rig.pool([server], { transport: 'postgres' }).dial(CLIENT, never()));
          expect(error.cause).to.have.property('code', 'ERR_PG_TLS_REFUSED');
          await server.setTls(tls);
        });
      });
    }
  });
});
