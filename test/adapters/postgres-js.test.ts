/** postgres.js over TurboTLS, to a real server. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import postgres from 'postgres';
import { type ClientTurboOptions, postgresSocket } from '../../src/experimental.js';
import { rejection } from '../codec/pg/client/support.js';
import { type PostgresServer, requirePart, startPostgres } from '../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.js';
import { CountingNetwork, FlightCounter } from '../support/flights.js';
import { type Front, withFront } from './support.js';

const ALICE = { name: 'alice', password: 'secret' };
const OPERATIONS = 1_000;
const LARGE = 9 * 1024 * 1024;
const POOL = 50;

describe('adapters/postgres-js', function () {
  this.timeout(60_000);
  let server: PostgresServer;
  let tls: Certificate;
  const open: postgres.Sql[] = [];

  before(async function () {
    requirePart(this, 'postgresql-18');
    tls = await makeCertificate({ names: ['localhost', '127.0.0.1', 'db.test'] });
    server = await startPostgres({ version: 18, tls, users: [ALICE], settings: { max_connections: '80' } });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((sql) => sql.end({ timeout: 1 })));
  });
  after(() => server?.stop());

  function urlOf({ host, port }: { host: string; port: number }, query = '?sslmode=verify-full'): string {
    return `postgres://${ALICE.name}:${ALICE.password}@${host}:${port}/postgres${query}`;
  }

  type More = postgres.Options<Record<never, never>> & { turbo?: ClientTurboOptions };

  function sqlAt(url: string, more?: More): postgres.Sql {
    const sql = postgres(...postgresSocket(url, { ssl: { ca: tls.ca }, ...more }));
    open.push(sql);
    return sql;
  }

  for (const udp of ['open', 'blocked'] as const) {
    describe(`with UDP ${udp}`, () => {
      let front: Front;

      before(async () => {
        front = await withFront(server, udp);
      });
      after(() => front?.close());
      afterEach(() => front.expectCarrier());

      function connect(more?: More): postgres.Sql {
        return sqlAt(urlOf(front), { turbo: front.turbo, ...more });
      }

      it('connects, verified, and the server is not told of what is TLS', async () => {
        const sql = sqlAt(urlOf(front, '?sslmode=verify-full&sslcertmode=disable&application_name=of%20the%20URL'), {
          turbo: front.turbo,
        });
        expect([
          ...(await sql`SELECT ssl, current_setting('application_name') AS name
            FROM pg_stat_ssl WHERE pid = pg_backend_pid()`),
        ]).to.deep.equal([{ ssl: true, name: 'of the URL' }]);
      });

      it('connects with options alone', async () => {
        const { host, port, turbo } = front;
        const { name: user, password } = ALICE;
        const sql = postgres(
          ...postgresSocket({ host, port, user, password, database: 'postgres', ssl: { ca: tls.ca }, turbo }),
        );
        open.push(sql);
        expect([...(await sql`SELECT 1 AS n`)]).to.deep.equal([{ n: 1 }]);
      });

      it(`answers ${OPERATIONS} queries, one after the other and at once`, async () => {
        const sql = connect({ max: 5 });
        let sum = 0;
        for (let n = 0; n < OPERATIONS / 2; n++) sum += (await sql`SELECT ${n}::int AS n`)[0]?.n;
        const rest = Array.from({ length: OPERATIONS / 2 }, (_, n) => sql`SELECT ${n}::int AS n`);
        for (const [row] of await Promise.all(rest)) sum -= row?.n;
        expect(sum).to.equal(0);
      });

      it('carries large values both ways, and is handed nothing while it writes', async () => {
        const value = randomBytes(LARGE);
        let writing = false;
        let within = 0;
        const [url, options] = postgresSocket(urlOf(front), { ssl: { ca: tls.ca }, turbo: front.turbo, max: 1 });
        const watched = (...args: Parameters<NonNullable<typeof options.socket>>) => {
          const socket = options.socket?.(...args) as Socket;
          const write = socket.write;
          socket.write = (...what: unknown[]) => {
            writing = true;
            const result = write.apply(socket, what as Parameters<Socket['write']>);
            writing = false;
            return result;
          };
          socket.prependListener('data', () => {
            if (writing) within++;
          });
          return socket;
        };
        const sql = postgres(url, { ...options, socket: watched } as typeof options);
        open.push(sql);
        const [row] = await sql`SELECT ${value}::bytea AS value`;
        expect(value.equals(row?.value)).to.equal(true);
        expect(within).to.equal(0);
      });

      it(`fills a pool of ${POOL}`, async () => {
        const sql = connect({ max: POOL, fetch_types: false });
        const rows = await Promise.all(
          Array.from({ length: POOL }, () => sql`SELECT pg_backend_pid() AS pid, pg_sleep(0.5)`),
        );
        expect(new Set(rows.map(([row]) => row?.pid)).size).to.equal(POOL);
      });

      it('connects again after the server has restarted', async () => {
        const sql = connect({ max: 1, backoff: () => 0.01 });
        await sql`SELECT 1`;
        await server.restart();
        await delay(50);
        expect([...(await sql`SELECT 2 AS n`)]).to.deep.equal([{ n: 2 }]);
      });

      it('cancels, over a connection of its own', async () => {
        const sql = connect({ max: 1 });
        const query = sql`SELECT pg_sleep(30)`;
        const failed = rejection(query.execute());
        const active = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(30)'";
        for (let tries = 0; tries < 200 && (await server.sql(active)).length === 0; tries++) await delay(20);
        query.cancel();
        expect(await failed).to.have.property('code', '57014');
        expect([...(await sql`SELECT 1 AS n`)]).to.deep.equal([{ n: 1 }]);
      });

      it('notifies', async () => {
        const sql = connect();
        const heard = new Promise((resolve) => void sql.listen('news', resolve, () => void sql.notify('news', 'said')));
        expect(await heard).to.equal('said');
      });

      it('refuses a certificate of another authority or name, unless sslmode asks for less', async () => {
        const { cert } = await makeAuthority({ name: 'Another Authority' });
        const unknown = connect({ ssl: { ca: cert } });
        expect(await rejection(unknown`SELECT 1`)).to.have.property('code', 'SELF_SIGNED_CERT_IN_CHAIN');
        const misnamed = connect({ ssl: { ca: tls.ca, servername: 'other.test' } });
        expect(await rejection(misnamed`SELECT 1`)).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
        const encrypted = sqlAt(urlOf(front, '?sslmode=require'), { ssl: undefined, turbo: front.turbo });
        expect([...(await encrypted`SELECT 1 AS n`)]).to.deep.equal([{ n: 1 }]);
      });
    });
  }

  it('ends an attempt after connect_timeout, and closes', async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const sql = sqlAt(urlOf({ host: '127.0.0.1', port }), { connect_timeout: 0.3 });
    expect(await rejection(sql`SELECT 1`)).to.have.property('code', 'CONNECT_TIMEOUT');
    await sql.end();
    silent.close();
    await once(silent, 'close');
  });

  it('says what TCP says where nobody listens, each time', async () => {
    const sql = sqlAt(urlOf({ host: '127.0.0.1', port: 1 }), { max: 1, backoff: () => 0.01 });
    for (let tries = 0; tries < 3; tries++)
      expect(await rejection(sql`SELECT 1`)).to.have.property('code', 'ECONNREFUSED');
  });

  it('says what the system says at once', async () => {
    // Broadcast: refused before anything is sent.
    const sql = sqlAt(urlOf({ host: '255.255.255.255', port: 1 }), { max: 1, backoff: () => 0.01 });
    for (let tries = 0; tries < 2; tries++) {
      expect(await rejection(sql`SELECT 1`)).to.have.property('syscall', 'connect');
    }
  });

  it('goes on to the next of several hosts, and stays with it', async () => {
    const front = await withFront(server, 'open');
    try {
      const url = `postgres://${ALICE.name}:${ALICE.password}@127.0.0.1:1,127.0.0.1:${front.port}/postgres`;
      const sql = sqlAt(url, { turbo: front.turbo, max: 3, backoff: () => 0.01 });
      const rows = await Promise.all([sql`SELECT 1 AS n`, sql`SELECT 2 AS n`, sql`SELECT 3 AS n`]);
      expect(rows.map(([row]) => row?.n)).to.deep.equal([1, 2, 3]);
      front.expectCarrier();
    } finally {
      await Promise.all(open.splice(0).map((sql) => sql.end()));
      await front.close();
    }
  });

  it('uses a Unix socket without TLS', async () => {
    const { socketDir: host, port, superuser } = server;
    const sql = postgres(...postgresSocket({ host, port, ...superuser, database: 'postgres' }));
    open.push(sql);
    const [row] = await sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
    expect(row?.ssl).to.equal(false);
  });

  it('hands out sockets of node:net, and does not dial for one that is destroyed', async () => {
    let connections = 0;
    const listener = createServer(() => connections++).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const [, { socket }] = postgresSocket(urlOf({ host: '127.0.0.1', port }));
    const one = socket?.({ host: ['127.0.0.1'], port: [port] });
    expect(one).to.be.instanceOf(Socket);
    one?.destroy();
    await delay(50);
    listener.close();
    expect(connections).to.equal(0);
  });

  it('needs three round trips fewer than the driver alone from the first query to its answer', async () => {
    const front = await withFront(server, 'open');
    try {
      const counter = new FlightCounter();
      const turbo = { ...front.turbo, network: new CountingNetwork(counter) };
      const sql = sqlAt(urlOf(front), { turbo, fetch_types: false, max: 1 });
      await sql`SELECT 1`;
      expect(counter.roundTrips).to.equal(5);
    } finally {
      await Promise.all(open.splice(0).map((sql) => sql.end()));
      await front.close();
    }
  });
});
