/** pg over TurboTLS, to a real server. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { expect } from 'chai';
import { drizzle } from 'drizzle-orm/node-postgres';
import knex from 'knex';
import pg from 'pg';
import { DataSource, getMetadataArgsStorage } from 'typeorm';
import type { TurboSocket } from '../../src/experimental.js';
import { type PgStreamConfig, type PgStreamResult, pgStream } from '../../src/experimental.js';
import { rejection } from '../codec/pg/client/support.js';
import { type PostgresServer, requirePart, startPostgres } from '../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.js';
import { CountingNetwork, FlightCounter } from '../support/flights.js';
import { type Front, withFront } from './support.js';

const ALICE = { name: 'alice', password: 'secret' };
const OPERATIONS = 1_000;
const LARGE = 9 * 1024 * 1024;
const POOL = 50;
/** The server shows its authority's certificate too. */
const UNKNOWN_AUTHORITY = 'SELF_SIGNED_CERT_IN_CHAIN';
/** Loopback answers at once. */
const TIMEOUT_MS = 300;

getMetadataArgsStorage(); // a global variable: made before mocha looks for leaks

describe('adapters/pg', function () {
  this.timeout(60_000);
  let server: PostgresServer;
  let tls: Certificate;
  const clients: pg.Client[] = [];
  const pools: pg.Pool[] = [];

  before(async function () {
    requirePart(this, 'postgresql-18');
    tls = await makeCertificate({ names: ['localhost', '127.0.0.1', 'db.test'] });
    server = await startPostgres({ version: 18, tls, users: [ALICE], settings: { max_connections: '80' } });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });
  after(() => server?.stop());

  function urlOf({ host, port }: { host: string; port: number }, query = '?sslmode=verify-full'): string {
    return `postgres://${ALICE.name}:${ALICE.password}@${host}:${port}/postgres${query}`;
  }

  function newClient(config: PgStreamResult): pg.Client {
    const client = new pg.Client(config);
    client.on('error', () => {}); // of a server that stops
    clients.push(client);
    return client;
  }

  function newPool(config: PgStreamResult): pg.Pool {
    const pool = new pg.Pool(config);
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  }

  for (const udp of ['open', 'blocked'] as const) {
    describe(`with UDP ${udp}`, () => {
      let front: Front;

      before(async () => {
        front = await withFront(server, udp);
      });
      after(() => front?.close());
      afterEach(() => front.expectCarrier());

      function config<Config extends object>(more?: Config & PgStreamConfig) {
        return pgStream({ connectionString: urlOf(front), ssl: { ca: tls.ca }, turbo: front.turbo, ...more });
      }

      it('connects, verified, with ALPN and what was begun', async () => {
        const client = newClient(config({ application_name: 'of the config' }));
        const socket = socketOf(client);
        await client.connect();
        expect(socket.turbo?.carrier).to.equal(udp === 'open' ? 'udp' : 'tcp');
        expect(socket.authorized).to.equal(true);
        expect(socket.alpnProtocol).to.equal('postgresql');
        const { rows } = await client.query(`SELECT ssl, current_setting('application_name') AS name
          FROM pg_stat_ssl WHERE pid = pg_backend_pid()`);
        expect(rows).to.deep.equal([{ ssl: true, name: 'of the config' }]);
      });

      it(`answers ${OPERATIONS} queries, one after the other and at once`, async () => {
        const client = newClient(config());
        await client.connect();
        let sum = 0;
        for (let n = 0; n < OPERATIONS / 2; n++) sum += (await client.query('SELECT $1::int AS n', [n])).rows[0].n;
        const pool = newPool(config({ max: 5 }));
        const rest = Array.from({ length: OPERATIONS / 2 }, (_, n) => pool.query('SELECT $1::int AS n', [n]));
        for (const { rows } of await Promise.all(rest)) sum -= rows[0].n;
        expect(sum).to.equal(0);
      });

      it('carries large values both ways', async () => {
        const value = randomBytes(LARGE);
        const { rows } = await newPool(config()).query('SELECT $1::bytea AS value', [value]);
        expect(value.equals(rows[0].value)).to.equal(true);
      });

      it(`fills a pool of ${POOL}`, async () => {
        const pool = newPool(config({ max: POOL }));
        const held = await Promise.all(Array.from({ length: POOL }, () => pool.connect()));
        const pids = await Promise.all(held.map((one) => one.query('SELECT pg_backend_pid() AS pid')));
        for (const one of held) one.release();
        expect(new Set(pids.map(({ rows }) => rows[0].pid)).size).to.equal(POOL);
      });

      it('connects again after the server has restarted', async () => {
        const pool = newPool(config());
        await pool.query('SELECT 1');
        const lost = once(pool, 'error');
        await server.restart();
        await lost;
        expect((await pool.query('SELECT 2 AS n')).rows).to.deep.equal([{ n: 2 }]);
      });

      it('cancels, over a connection of its own', async () => {
        const client = newClient(config());
        await client.connect();
        const query = new pg.Query('SELECT pg_sleep(30)');
        const failed = once(query, 'error');
        client.query(query);
        await untilActive(server, 'SELECT pg_sleep(30)');
        const other = new pg.Client(config()) as pg.Client & { cancel(client: pg.Client, query: pg.Query): void };
        const closed = closeOf(socketOf(other));
        other.cancel(client, query);
        const [error] = await failed;
        expect(error).to.have.property('code', '57014');
        await closed;
        expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
      });

      it('ends a query after query_timeout', async () => {
        const client = newClient(config({ query_timeout: TIMEOUT_MS }));
        await client.connect();
        expect((await rejection(client.query('SELECT pg_sleep(2)'))).message).to.equal('Query read timeout');
      });

      it('binds SCRAM to the channel', async () => {
        const client = newClient(config({ enableChannelBinding: true }));
        const { connection } = client as unknown as { connection: Sasl };
        const mechanisms: string[] = [];
        const send = connection.sendSASLInitialResponseMessage;
        connection.sendSASLInitialResponseMessage = function (mechanism, response) {
          mechanisms.push(mechanism);
          send.call(this, mechanism, response);
        };
        await client.connect();
        expect(mechanisms).to.deep.equal(['SCRAM-SHA-256-PLUS']);
      });

      describe('and a certificate that is not the one', () => {
        const refused = async (more: PgStreamConfig) => rejection(newClient(config(more)).connect());

        it('of an authority that is not trusted', async () => {
          expect(await refused({ ssl: {} })).to.have.property('code', UNKNOWN_AUTHORITY);
          const { cert } = await makeAuthority({ name: 'Another Authority' });
          expect(await refused({ ssl: { ca: cert } })).to.have.property('code', UNKNOWN_AUTHORITY);
        });

        it('of another name', async () => {
          const error = await refused({ ssl: { ca: tls.ca, servername: 'other.test' } });
          expect(error).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
        });

        it("unless pg's own ssl says so", async () => {
          for (const [ssl, isAuthorized] of [
            [{ rejectUnauthorized: false }, false],
            [{ ca: tls.ca, servername: 'other.test', checkServerIdentity: () => undefined }, true],
          ] as const) {
            const client = newClient(config({ ssl, connectionString: urlOf(front, '') }));
            await client.connect();
            expect(socketOf(client).authorized).to.equal(isAuthorized);
          }
          const strict = { ca: tls.ca, servername: 'other.test', rejectUnauthorized: true };
          const error = await refused({ ssl: strict, connectionString: urlOf(front, '?sslmode=require') });
          expect(error).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
        });

        it('unless sslmode asks for less', async () => {
          const ssl = { ca: tls.ca, servername: 'other.test' };
          for (const [sslmode, more] of [
            ['verify-ca', { ssl }],
            ['require', { ssl: {} }],
            ['no-verify', { ssl: undefined }],
          ] as const) {
            const client = newClient(config({ connectionString: urlOf(front, `?sslmode=${sslmode}`), ...more }));
            await client.connect();
            expect(socketOf(client).authorized, sslmode).to.equal(sslmode === 'verify-ca');
          }
        });
      });

      it('serves Drizzle, Knex and TypeORM', async () => {
        const db = drizzle({ connection: config({ max: 2 }) });
        pools.push(db.$client);
        expect((await db.execute('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);

        const builder = knex({ client: 'pg', connection: config(), pool: { min: 0, max: 2 } });
        const rows = await builder.transaction((transaction) => transaction.select(transaction.raw('2 AS n')));
        await builder.destroy();
        expect(rows).to.deep.equal([{ n: 2 }]);

        const source = await new DataSource({ type: 'postgres', extra: config({ max: 2 }) }).initialize();
        const answer = await source.transaction((manager) => manager.query('SELECT 3 AS n'));
        await source.destroy();
        expect(answer).to.deep.equal([{ n: 3 }]);
      });
    });
  }

  describe('a server that says nothing', () => {
    let silent: Server;
    let endpoint: { host: string; port: number };

    before(async () => {
      silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      endpoint = { host: '127.0.0.1', port: (silent.address() as AddressInfo).port };
    });
    after(() => silent?.close());

    it('is given up by a client and by a pool after connectionTimeoutMillis', async () => {
      const config = pgStream({ connectionString: urlOf(endpoint), connectionTimeoutMillis: TIMEOUT_MS });
      const client = newClient(config);
      const closed = closeOf(socketOf(client));
      expect((await rejection(client.connect())).message).to.equal('timeout expired');
      await closed;
      const pool = newPool(config);
      expect((await rejection(pool.connect())).message).to.match(/timeout/);
      expect(pool.totalCount).to.equal(0);
    });
  });

  it('says what TCP says where nobody listens', async () => {
    const config = pgStream(urlOf({ host: '127.0.0.1', port: 1 }));
    expect(await rejection(newClient(config).connect())).to.have.property('code', 'ECONNREFUSED');
    expect(await rejection(newPool(config).query('SELECT 1'))).to.have.property('code', 'ECONNREFUSED');
  });

  it('sends nothing to a server that is not verified', async () => {
    const { key, cert } = await makeCertificate({ names: ['other.test'] });
    let received = 0;
    const impostor = createTlsServer({ key, cert, ALPNProtocols: ['postgresql'] }, (socket) => {
      socket.on('data', ({ length }) => {
        received += length;
      });
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const { port } = impostor.address() as AddressInfo;
    const config = pgStream({ connectionString: urlOf({ host: '127.0.0.1', port }), ssl: { ca: tls.ca } });
    expect(await rejection(newClient(config).connect())).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
    await delay(50);
    impostor.close();
    expect(received).to.equal(0);
  });

  it('needs two round trips fewer than pg alone from connect to the first answer', async () => {
    const front = await withFront(server, 'open');
    try {
      const counter = new FlightCounter();
      const turbo = { ...front.turbo, network: new CountingNetwork(counter) };
      const client = newClient(pgStream({ connectionString: urlOf(front), ssl: { ca: tls.ca }, turbo }));
      await client.connect();
      await client.query('SELECT 1');
      // TCP and TLS, StartupMessage, SASL twice, the query; pg alone has 7: TCP, SSLRequest, TLS, and the same.
      expect(counter.roundTrips).to.equal(5);
    } finally {
      await front.close();
    }
  });

  it('reaches PostgreSQL 17 behind a gateway that makes the SSLRequest', async function () {
    requirePart(this, 'postgresql-17');
    const older = await startPostgres({ version: 17, tls, users: [ALICE] });
    const front = await withFront({ host: older.host, port: older.port, sslRequest: true }, 'open');
    try {
      const pool = newPool(pgStream({ connectionString: urlOf(front), ssl: { ca: tls.ca }, turbo: front.turbo }));
      expect((await pool.query('SHOW server_version')).rows[0].server_version).to.match(/^17\./);
      await pools.pop()?.end();
    } finally {
      await front.close();
      await older.stop();
    }
  });

  describe('the environment', () => {
    const saved = { ...process.env };
    let front: Front;
    let home: string;

    before(async () => {
      front = await withFront(server, 'blocked');
      home = await mkdtemp(join(tmpdir(), 'turbotls-home-'));
      await mkdir(join(home, '.postgresql'));
      await writeFile(join(home, 'ca.pem'), tls.ca);
    });
    beforeEach(() => {
      for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
      process.env.HOME = home;
    });
    afterEach(() => {
      for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
      Object.assign(process.env, saved);
    });
    after(async () => {
      await front?.close();
      await rm(home, { recursive: true, force: true });
    });

    it('gives what the config leaves out, and PGSSLMODE makes pg send no SSLRequest', async () => {
      Object.assign(process.env, {
        ...{ PGHOST: front.host, PGPORT: String(front.port), PGUSER: ALICE.name, PGPASSWORD: ALICE.password },
        ...{ PGDATABASE: 'postgres', PGSSLMODE: 'verify-full', PGSSLROOTCERT: join(home, 'ca.pem') },
        PGSSLNEGOTIATION: 'direct',
      });
      const client = newClient(pgStream({}));
      await client.connect();
      expect(socketOf(client).authorized).to.equal(true);
    });

    it('sslmode=require verifies the chain where there is ~/.postgresql/root.crt, as libpq', async () => {
      const connect = () => newClient(pgStream(urlOf(front, '?sslmode=require'))).connect();
      await connect();
      const { cert } = await makeAuthority({ name: 'Another Authority' });
      await writeFile(join(home, '.postgresql', 'root.crt'), cert);
      expect(await rejection(connect())).to.have.property('code', UNKNOWN_AUTHORITY);
      await writeFile(join(home, '.postgresql', 'root.crt'), tls.ca);
      await connect();
    });

    it('sslrootcert in the connection string is a file, and the server is not told of it', async () => {
      const client = newClient(pgStream(urlOf(front, `?sslmode=verify-full&sslrootcert=${join(home, 'ca.pem')}`)));
      await client.connect();
      expect(socketOf(client).authorized).to.equal(true);
    });
  });
});

interface Sasl {
  sendSASLInitialResponseMessage(mechanism: string, response: string): void;
}

function socketOf(client: pg.Client): TurboSocket {
  return (client as unknown as { connection: { stream: TurboSocket } }).connection.stream;
}

/** Also of one that fails. */
function closeOf(socket: TurboSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', resolve));
}

async function untilActive(server: PostgresServer, query: string): Promise<void> {
  const active = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = '${query}'`;
  for (let tries = 0; tries < 200 && (await server.sql(active)).length === 0; tries++) await delay(20);
}
