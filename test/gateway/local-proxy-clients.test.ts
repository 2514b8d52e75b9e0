/** Programs and libraries as they are, through a LocalProxy, to servers as they are behind a TurboTLS front. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import pg from 'pg';
import { attach } from '../../src/experimental.js';
import type { OriginateMode, ProxyPlan } from '../../src/gateway/local-proxy.js';
import type { RemoteOptions } from '../../src/gateway/proxy/remote.js';
import {
  type PostgresServer,
  type PostgresVersion,
  type RedisServer,
  requirePart,
  startPostgres,
  startRedis,
} from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { CountingNetwork, FlightCounter } from '../support/flights.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { startSlowLink } from '../support/slow-link.js';
import { startTurboFront, type TurboFront } from '../support/turbo-front.js';
import { type CommandEnd, endCommands, runCommand, startCommand } from './commands.js';
import { closeRigs, type ProxyRig, startProxy } from './proxy-rig.js';

const ALICE = { name: 'alice', password: 'secret' };
/** Its own protocol, for GUIs and drivers that know no TLS. */
const PGPASSWORD = ALICE.password;

/** Both ways of the network. */
const PATHS: [string, 'turbo' | 'tcp', () => Omit<RemoteOptions, 'firstContact'>][] = [
  ['UDP is open', 'turbo', () => ({})],
  ['UDP is blocked', 'tcp', () => ({ network: new LossyNetwork({ loss: 1, seed: 1 }), limits: {} })],
];

describe('gateway: local proxy, with real clients', function () {
  this.timeout(90_000);
  let certificate: Certificate;
  let folder: string;
  let ca: string;
  const fronts = new Set<TurboFront>();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-clients-'));
    ca = join(folder, 'ca.pem');
    await writeFile(ca, certificate.ca);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    await endCommands();
    await closeRigs();
    await Promise.all([...fronts].map((front) => front.close()));
    fronts.clear();
  });

  /** A proxy in front of a front. */
  async function proxyTo(
    backend: Parameters<typeof startTurboFront>[0],
    plan: Partial<ProxyPlan> = {},
    options: Omit<RemoteOptions, 'firstContact'> = {},
  ): Promise<ProxyRig> {
    const front = await startTurboFront(backend);
    fronts.add(front);
    return startProxy({ to: { host: front.host, port: front.port }, ...plan }, options);
  }

  for (const version of [17, 18] as const) postgresTests(version);

  function postgresTests(version: PostgresVersion) {
    describe(`PostgreSQL ${version}`, () => {
      let server: PostgresServer;

      before(async function () {
        requirePart(this, `postgresql-${version}`);
        requirePart(this, 'psql');
        server = await startPostgres({ version, tls: certificate, users: [ALICE] });
      });
      after(() => server?.stop());

      function conninfo({ port }: { port: number }, more: string): string {
        return `host=localhost hostaddr=127.0.0.1 port=${port} dbname=postgres user=alice ${more}`;
      }

      function psql(target: string, ...args: string[]): Promise<CommandEnd> {
        return runCommand('psql', ['-X', '-A', '-t', '-d', target, ...args], { PGPASSWORD });
      }

      const verified = () => `sslmode=verify-full sslrootcert=${ca}`;
      const behindSslRequest = () => ({ host: server.host, port: server.port, sslRequest: true });
      const originate = (): OriginateMode => ({
        kind: 'originate',
        serverName: 'localhost',
        ca: certificate.ca,
        verify: true,
        postgres: true,
      });

      for (const [path, carrier, network] of PATHS) {
        it(`psql with sslmode=verify-full, where ${path}`, async () => {
          const proxy = await proxyTo(behindSslRequest(), {}, network());
          const { code, stdout, stderr } = await psql(
            conninfo(proxy, verified()),
            '-c',
            'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
          );
          expect({ code, stderr, stdout }).to.deep.equal({ code: 0, stderr: '', stdout: 't|TLSv1.3\n' });
          const [end] = await proxy.ends(1);
          expect(end).to.include({ carrier, protocol: 'postgresql', serverName: 'localhost' });
        });

        it(`psql without TLS, the proxy with it, where ${path}`, async () => {
          const proxy = await proxyTo({ host: server.host, port: server.port }, { mode: originate() }, network());
          for (const sslmode of ['disable', 'prefer']) {
            const { code, stdout, stderr } = await psql(
              conninfo(proxy, `sslmode=${sslmode}`),
              '-c',
              'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
            );
            expect({ code, stderr, stdout }, sslmode).to.deep.equal({ code: 0, stderr: '', stdout: 't\n' });
          }
          const [end] = await proxy.ends(2);
          expect(end).to.deep.include({ carrier, protocol: 'postgresql', serverName: 'localhost' });
          expect(end?.alpn).to.deep.equal(['postgresql']);
        });
      }

      it('psql by a Unix socket, the proxy with TLS', async () => {
        const path = join(folder, `.s.PGSQL.${version}32`);
        await proxyTo({ host: server.host, port: server.port }, { mode: originate(), listen: [{ path }] });
        const target = `host=${folder} port=${version}32 dbname=postgres user=alice`;
        const { code, stdout, stderr } = await psql(target, '-c', 'SELECT 1');
        expect({ code, stderr, stdout }).to.deep.equal({ code: 0, stderr: '', stdout: '1\n' });
      });

      it('psql without TLS is told what to do', async () => {
        const path = join(folder, `.s.PGSQL.${version}33`);
        const proxy = await proxyTo(behindSslRequest(), { listen: [{ host: '127.0.0.1', port: 0 }, { path }] });
        const plain = await psql(conninfo(proxy, 'sslmode=disable'), '-c', 'SELECT 1');
        expect(plain.code).to.equal(2);
        expect(plain.stderr).to.match(
          /FATAL: {2}.*TLS is mandatory: connect with sslmode=require or above, or start the/,
        );
        const local = await psql(`host=${folder} port=${version}33 dbname=postgres user=alice`, '-c', 'SELECT 1');
        expect(local.stderr).to.match(
          /FATAL: .*libpq uses no TLS over a Unix socket; start the proxy with --tls --pos/,
        );
        expect((await proxy.refusals(2)).map(({ reason }) => reason)).to.deep.equal(['tls-required', 'tls-required']);
      });

      it('psql cancels a query with Ctrl-C', async () => {
        for (const mode of [{ kind: 'transparent' } as const, originate()]) {
          const transparent = mode.kind === 'transparent';
          const backend = transparent ? behindSslRequest() : { host: server.host, port: server.port };
          const proxy = await proxyTo(backend, { mode });
          const target = conninfo(proxy, transparent ? verified() : 'sslmode=disable');
          const query = startCommand('psql', ['-X', '-d', target, '-c', 'SELECT pg_sleep(60)'], { PGPASSWORD });
          await untilSleeping(server);
          query.process.kill('SIGINT');
          const { code, stderr } = await query.ended;
          expect({ code, stderr }, mode.kind).to.deep.equal({
            code: 1,
            stderr: 'Cancel request sent\nERROR:  canceling statement due to user request\n',
          });
          await proxy.ends(2);
        }
      });

      it('psql: connecting, SSLRequest and TLS take one round trip', async () => {
        await server.setHba(['host all all all trust']);
        const front = await startTurboFront(behindSslRequest());
        fronts.add(front);
        // What psql does by itself is quick beside it: bytes that wait for nothing leave before others arrive.
        const link = await startSlowLink(front, 100);
        const counter = new FlightCounter();
        const network = new CountingNetwork(counter);
        const proxy = await startProxy({ to: { host: link.host, port: link.port } }, { network });
        try {
          const { code, stderr } = await psql(conninfo(proxy, verified()), '-c', 'SELECT 1');
          expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
          expect((await proxy.ends(1))[0]).to.include({ carrier: 'turbo' });
          // StartupMessage, the query and the end take one each. PostgreSQL 17 asks for a curve that psql did not offer.
          const helloRetries = version === 17 ? 1 : 0;
          expect(counter.roundTrips).to.equal(1 + helloRetries + 3);
        } finally {
          await proxy.proxy.close();
          await link.close();
          await server.setHba(['host all all all scram-sha-256']);
        }
      });

      it('the library pg, by pools', async () => {
        const proxy = await proxyTo(behindSslRequest());
        const pool = new pg.Pool({
          host: '127.0.0.1',
          port: proxy.port,
          user: 'alice',
          password: ALICE.password,
          database: 'postgres',
          ssl: { ca: certificate.ca, servername: 'localhost' },
          max: 10,
        });
        const rows = await Promise.all(
          Array.from({ length: 50 }, (_, i) => pool.query('SELECT $1::int AS i, repeat($2, 10000) AS text', [i, 'x'])),
        );
        expect(rows.map(({ rows: [row] }) => row.i)).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
        await pool.end();
        for (const { carrier, error } of await proxy.ends(10)) {
          expect({ carrier, error }).to.deep.equal({ carrier: 'turbo', error: undefined });
        }
      });
    });
  }

  describe('Redis', () => {
    let server: RedisServer;
    let tlsAddress: { host: string; port: number };

    before(async function () {
      requirePart(this, 'redis-server');
      requirePart(this, 'redis-cli');
      server = await startRedis({ password: 'secret', tls: certificate });
      tlsAddress = { host: server.host, port: server.tlsPort };
    });
    after(() => server?.stop());

    const cli = (args: string[]) => runCommand('redis-cli', args, { REDISCLI_AUTH: 'secret' });

    for (const [path, carrier, network] of PATHS) {
      it(`redis-cli without TLS, the proxy with it, where ${path}`, async () => {
        const mode: OriginateMode = { kind: 'originate', serverName: 'localhost', ca: certificate.ca, verify: true };
        const proxy = await proxyTo(tlsAddress, { mode }, network());
        const { code, stdout } = await cli(['-p', String(proxy.port), 'SET', 'key', 'value']);
        expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'OK\n' });
        expect((await proxy.ends(1))[0]).to.include({ carrier });
      });

      it(`redis-cli --tls, where ${path}`, async () => {
        const proxy = await proxyTo(tlsAddress, {}, network());
        const { code, stdout, stderr } = await cli(['-p', String(proxy.port), '--tls', '--cacert', ca, 'PING']);
        expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: 'PONG\n', stderr: '' });
        expect((await proxy.ends(1))[0]).to.include({ carrier });
      });
    }

    it('the library ioredis', async () => {
      const proxy = await proxyTo(tlsAddress);
      const redis = new Redis({
        host: '127.0.0.1',
        port: proxy.port,
        password: 'secret',
        tls: { ca: certificate.ca, servername: 'localhost' },
      });
      await redis.set('large', 'x'.repeat(1 << 20));
      expect((await redis.get('large'))?.length).to.equal(1 << 20);
      await redis.quit();
      expect((await proxy.ends(1))[0]).to.include({ carrier: 'turbo', serverName: 'localhost' });
    });
  });

  describe('HTTPS', () => {
    before(function () {
      requirePart(this, 'curl');
    });

    for (const [path, carrier, network] of PATHS) {
      it(`curl, where ${path}`, async () => {
        const server = createHttpsServer({ ...certificate }, (request, response) => {
          response.end(`${request.method} ${request.url} ${request.headers.host}`);
        });
        attach(server);
        await new Promise<void>((resolve) => {
          server.listen({ host: '127.0.0.1', port: 0 }, resolve);
        });
        const { port } = server.address() as { port: number };
        try {
          const proxy = await startProxy({ to: { host: '127.0.0.1', port } }, network());
          const { code, stdout, stderr } = await runCommand('curl', [
            '--silent',
            '--show-error',
            '--cacert',
            ca,
            '--connect-to',
            `localhost:443:127.0.0.1:${proxy.port}`,
            'https://localhost/hello',
          ]);
          expect({ code, stderr, stdout }).to.deep.equal({ code: 0, stderr: '', stdout: 'GET /hello localhost' });
          expect((await proxy.ends(1))[0]).to.include({ carrier, serverName: 'localhost' });
        } finally {
          server.closeAllConnections();
          await new Promise((resolve) => server.close(resolve));
        }
      });
    }
  });
});

async function untilSleeping(server: PostgresServer): Promise<void> {
  const sleeping = () => server.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
  for (let tries = 0; tries < 500 && (await sleeping()).length === 0; tries++) await delay(10);
}
