/** mysql2 as it is, over TurboTLS, against MariaDB: TLS ends before it. */
import { randomBytes } from 'node:crypto';
import type { TcpNetConnectOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import mysqlCallbacks, { type PoolConnection } from 'mysql2';
import mysql, { type Pool, type RowDataPacket } from 'mysql2/promise';
import {
  type MysqlOptions,
  mysqlStream,
  type Network,
  nodeNetwork,
  PathMemory,
  type TurboSocket,
} from '../../src/experimental.js';
import { closeGateways, filesOf, startGateway, terminate } from '../gateway/gateway-rig.js';
import { closeRigs, startTls } from '../gateway/proxy-rig.js';
import { MariadbServer, requirePart } from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { CountingNetwork, FlightCounter } from '../support/flights.js';
import { type Front, withFront } from './support.js';

const OPERATIONS = 1_000;
const CONNECTIONS = 50;
const LARGE_BYTES = 9 << 20;

type Ended = { end(): Promise<unknown> };

describe('adapters/mysql', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let server: MariadbServer;
  const open = new Set<Ended>();

  before(async function () {
    requirePart(this, 'mariadbd');
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    server = await MariadbServer.start();
  });
  after(() => server?.stop());
  afterEach(async () => {
    await Promise.all([...open].map((client) => client.end()));
    open.clear();
    await closeGateways();
    await closeRigs();
  });

  function kept<T extends Ended>(client: T): T {
    open.add(client);
    return client;
  }

  const backend = () => ({ host: server.host, port: server.port, terminate: certificate });

  function account(front: { port: number }) {
    const { name: user, password } = server.user;
    return { host: 'localhost', port: front.port, user, password, ssl: { ca: certificate.ca } };
  }

  for (const udp of ['open', 'blocked'] as const) {
    describe(`with UDP ${udp}`, () => {
      let front: Front;

      before(async () => {
        front = await withFront(backend(), udp);
      });
      after(() => front?.close());
      afterEach(() => front.expectCarrier());

      const options = () => ({ ...account(front), turbo: front.turbo });

      it('1,000 operations at a time, and one after the other', async () => {
        const connection = kept(await mysql.createConnection(mysqlStream(options())));
        const answers = await Promise.all(
          Array.from({ length: OPERATIONS }, (_, at) => connection.query<RowDataPacket[]>('SELECT ? AS n', [at])),
        );
        expect(answers.map(([[row]]) => row?.n)).to.deep.equal(Array.from({ length: OPERATIONS }, (_, at) => at));
        for (let at = 0; at < OPERATIONS / 10; at++) {
          const [[row]] = await connection.execute<RowDataPacket[]>('SELECT ? + 1 AS n', [at]);
          expect(row?.n).to.equal(at + 1);
        }
      });

      it('large values both ways', async () => {
        const connection = kept(await mysql.createConnection(mysqlStream(options())));
        const value = randomBytes(LARGE_BYTES);
        const [[row]] = await connection.execute<RowDataPacket[]>('SELECT ? AS value', [value]);
        expect(value.equals(row?.value)).to.equal(true);
      });

      it('a pool of 50', async () => {
        const pool = kept(mysql.createPool(mysqlStream({ ...options(), connectionLimit: CONNECTIONS })));
        const carriers = new Set<string | undefined>();
        pool.on('connection', (connection) => carriers.add(socketOf(connection).turbo?.carrier));
        const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.getConnection()));
        const ids = await Promise.all(
          connections.map((connection) => connection.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id')),
        );
        expect(new Set(ids.map(([[row]]) => row?.id))).to.have.lengthOf(CONNECTIONS);
        for (const connection of connections) connection.release();
        expect(carriers).to.deep.equal(new Set([udp === 'open' ? 'udp' : 'tcp']));
      });

      it('by callbacks, and through PoolCluster', async () => {
        const cluster = mysqlCallbacks.createPoolCluster();
        cluster.add('one', mysqlStream(options()));
        const answer = await new Promise((resolve, reject) => {
          cluster.of('*').query('SELECT 1 AS one', (error: Error | null, rows: unknown) => {
            if (error) reject(error);
            else resolve(rows);
          });
        });
        expect(answer).to.deep.equal([{ one: 1 }]);
        await new Promise<void>((resolve) => cluster.end(() => resolve()));
      });

      it('a query that takes too long, and one that is killed by another', async () => {
        const pool = kept(mysql.createPool(mysqlStream(options())));
        const late = await failure(pool.query({ sql: 'SELECT SLEEP(5)', timeout: 100 }));
        expect(late).to.have.property('code', 'PROTOCOL_SEQUENCE_TIMEOUT');
        const connection = await pool.getConnection();
        const killed = failure(connection.query('SELECT SLEEP(5)'));
        while (!(await sleeps(pool, connection.threadId))) await delay(10);
        await pool.query('KILL QUERY ?', [connection.threadId]);
        expect(await killed).to.have.property('code', 'ER_QUERY_INTERRUPTED');
        connection.release();
      });

      it('a certificate that is not trusted, and one of another name', async () => {
        const untrusted = await failure(mysql.createConnection(mysqlStream({ ...options(), ssl: {} })));
        expect(untrusted).to.have.property('code', 'SELF_SIGNED_CERT_IN_CHAIN');
        const ssl = { ca: certificate.ca, servername: 'other.test' };
        const other = await failure(mysql.createConnection(mysqlStream({ ...options(), ssl })));
        expect(other).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
        for (const unchecked of [{ ...ssl, verifyIdentity: false }, { rejectUnauthorized: false }]) {
          kept(await mysql.createConnection(mysqlStream({ ...options(), ssl: unchecked })));
        }
      });
    });

    // Without looking at the carrier: while the server is away nothing answers.
    it(`connects again when the server was away, with UDP ${udp}`, async () => {
      const front = await withFront(backend(), udp);
      try {
        const pool = kept(mysql.createPool(mysqlStream({ ...account(front), turbo: front.turbo })));
        await pool.query('SELECT 1');
        await server.restart();
        const [rows] = await pool.query('SELECT 2 AS two');
        expect(rows).to.deep.equal([{ two: 2 }]);
      } finally {
        await Promise.all([...open].map((client) => client.end()));
        open.clear();
        await front.close();
      }
    });
  }

  it('through a gateway, by URL; what the URL says of ssl is for TurboTLS', async () => {
    const { name, password } = server.user;
    const route = terminate('mysql', [server], { mode: { certificates: [filesOf(certificate)] } });
    const gateway = await startGateway([route]);
    const turbo = { memory: new PathMemory(), limits: { graceMinMs: 1_000 } };
    const uri = `mysql://${name}:${password}@localhost:${gateway.port}/information_schema`;
    const ssl = { ca: certificate.ca };
    const withSsl = `${uri}?ssl=${encodeURIComponent(JSON.stringify(ssl))}&dateStrings=true`;
    const ways = [
      mysqlStream({ uri, ssl, turbo }),
      mysqlStream({ uri: withSsl, turbo }),
      mysqlStream({ uri: `${uri}?ssl=true`, ssl, turbo }),
      mysqlStream(withSsl),
    ];
    for (const options of ways) {
      const connection = await mysql.createConnection(options);
      const [rows] = await connection.query('SELECT DATABASE() AS name');
      expect(rows).to.deep.equal([{ name: 'information_schema' }]);
      await connection.end();
    }
    const ends = await gateway.ended(ways.length);
    // The last was given no patience with a busy machine.
    const carriers = ends.slice(0, -1).map(({ carrier }) => carrier);
    expect(carriers).to.deep.equal(['turbo', 'turbo', 'turbo']);
  });

  it('four round trips to the first answer', async () => {
    const front = await withFront(backend(), 'open');
    const counter = new FlightCounter();
    const network = new CountingNetwork(counter);
    try {
      const turbo = { ...front.turbo, network };
      const connection = await mysql.createConnection(mysqlStream({ ...account(front), host: '127.0.0.1', turbo }));
      await connection.query('SELECT 1');
      expect(counter.roundTrips).to.equal(4);
      await connection.end();
    } finally {
      await front.close();
    }
  });

  it('connectTimeout, where nobody greets; keepalive reaches TCP, and the name TLS', async () => {
    const names: unknown[] = [];
    const { port } = await startTls({ ...certificate }, (socket) => {
      names.push(Reflect.get(socket, 'servername'));
      socket.resume();
    });
    const dialled: TcpNetConnectOpts[] = [];
    const connectTcp: Network['connectTcp'] = (options) => {
      dialled.push(options);
      return nodeNetwork.connectTcp(options);
    };
    const turbo = { memory: new PathMemory(), network: { ...nodeNetwork, connectTcp } };
    const options = { ...account({ port }), connectTimeout: 200, keepAliveInitialDelay: 12_000, turbo };
    const error = await failure(mysql.createConnection(mysqlStream(options)));
    expect(error).to.have.property('code', 'ETIMEDOUT');
    expect(names).to.deep.equal(['localhost']);
    expect(dialled).to.have.lengthOf(1);
    expect(dialled[0]).to.include({ keepAlive: true, keepAliveInitialDelay: 12_000, noDelay: true });
  });

  it('leaves a Unix socket as it is, and everything with mode off', () => {
    const local = { socketPath: '/run/mysqld.sock', ssl: { ca: 'authority' } };
    expect(mysqlStream({ ...local, turbo: { mode: 'prefer' } })).to.deep.equal(local);
    expect(() => mysqlStream({ ...local, turbo: { mode: 'require' } }))
      .to.throw(/is a Unix socket, and no TCP connection begins/)
      .with.property('code', 'ERR_TURBO_REQUIRED');
    const remote = { uri: 'mysql://db.test/app?ssl=true', ssl: { ca: 'authority' } };
    expect(mysqlStream({ ...remote, turbo: { mode: 'off' } })).to.deep.equal(remote);
  });

  it('refuses what contradicts it', () => {
    const wrong: [unknown, RegExp][] = [
      [{ ssl: false }, /got false: TurboTLS is always TLS, leave it out/],
      [
        { ssl: 'Amazon RDS' },
        /the profile 'Amazon RDS' is known to mysql2 alone: give its certificates as ssl: { ca }/,
      ],
      ['mysql://db.test/app?ssl=false', /got false/],
      ['mysql://me:se/cret@db.test/app', /^(?!.*cret).*uri is no URL/],
      [{ turbo: { mode: 'always' } }, /turbo.mode is 'prefer', 'require' or 'off'/],
    ];
    for (const [options, message] of wrong) {
      expect(() => mysqlStream(options as MysqlOptions))
        .to.throw(message)
        .with.property('code', 'ERR_TURBO_BAD_OPTION');
    }
    const late: [object, RegExp][] = [
      [{ ...mysqlStream({}), ssl: {} }, /mysql2 was given ssl beside what mysqlStream returned/],
      [mysqlStream('mysql://db.test/?socketPath=/run/mysqld.sock'), /socketPath is in the URL/],
    ];
    for (const [options, message] of late) {
      expect(() => mysqlCallbacks.createConnection(options))
        .to.throw(message)
        .with.property('code', 'ERR_TURBO_BAD_OPTION');
    }
  });
});

async function sleeps(pool: Pool, threadId: number): Promise<boolean> {
  const ofThread = "SELECT 1 FROM information_schema.processlist WHERE id = ? AND state = 'User sleep'";
  const [rows] = await pool.query<RowDataPacket[]>(ofThread, [threadId]);
  return rows.length > 0;
}

function socketOf(connection: unknown): TurboSocket {
  return (connection as PoolConnection & { stream: TurboSocket }).stream;
}

function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it was expected to fail'),
    (error) => error,
  );
}
