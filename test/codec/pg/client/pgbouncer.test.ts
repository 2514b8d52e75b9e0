/** PgClient through PgBouncer, which reads packet by packet, offers no channel binding and speaks protocol 3.0 alone. */
import { once } from 'node:events';
import { expect } from 'chai';
import { type Conninfo, PgClient, type PgClientOptions, PgMemory } from '../../../../src/codec/pg/index.js';
import {
  type PgbouncerOptions,
  type PgbouncerServer,
  type PostgresServer,
  requirePart,
  startPgbouncer,
  startPostgres,
} from '../../../servers/index.js';
import { type Certificate, makeCertificate } from '../../../support/certificates.js';
import { rejection } from './support.js';
import { untilRunning } from './until-running.js';

const alice = { name: 'alice', password: 'a password of tests' };
const AUTH_TYPES = ['scram-sha-256', 'md5', 'plain', 'trust'] as const;
const POOL_MODES = ['session', 'transaction'] as const;
const LINKS = {
  plain: { sslmode: 'disable' },
  unverified: { sslmode: 'require' },
  verified: { sslmode: 'verify-full' },
} as const satisfies Record<string, Conninfo>;

/** A PgBouncer for all tests of a `describe`. */
function withBouncer(options: () => PgbouncerOptions, use: (bouncer: PgbouncerServer) => void): void {
  let bouncer: PgbouncerServer | undefined;

  before(async () => {
    // It does not make clients wait for 15 s after an upstream has refused one.
    const settings = { server_login_retry: '0' };
    bouncer = await startPgbouncer({ users: [alice], settings, ...options() });
    use(bouncer);
  });
  after(() => bouncer?.stop());
}

describe('PgClient: PgBouncer', function () {
  this.timeout(60_000);
  let upstream: PostgresServer;
  let tls: Certificate;
  let bouncer: PgbouncerServer;
  const clients = new Set<PgClient>();
  let runs = 0;
  const use = (started: PgbouncerServer) => {
    bouncer = started;
  };

  before(async function () {
    requirePart(this, 'pgbouncer');
    requirePart(this, 'postgresql-17');
    upstream = await startPostgres({ version: 17, users: [alice] });
    await upstream.sql(`CREATE TABLE executed (id serial, run text, n int);
      GRANT ALL ON executed TO alice; GRANT ALL ON executed_id_seq TO alice`);
    tls = await makeCertificate();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await Promise.all([...clients].map((client) => client.closed));
    clients.clear();
  });
  after(() => upstream?.stop());

  function open(more: Conninfo = {}, options: PgClientOptions = {}): PgClient {
    const target = { host: 'localhost', hostaddr: bouncer.host, port: bouncer.port, dbname: 'postgres' };
    const user = { user: alice.name, password: alice.password };
    const client = PgClient.open(
      { ...target, ...user, ...more },
      {
        env: {},
        memory: new PgMemory(),
        allowCleartext: true,
        tls: more.sslmode === 'verify-full' ? { ca: tls.ca } : {},
        ...options,
      },
    );
    clients.add(client);
    return client;
  }

  /** Logs in with four queries made right away: each executed once, in order. */
  async function expectLogin(conninfo: Conninfo, options: PgClientOptions): Promise<PgClient> {
    const run = `run ${runs++}`;
    const client = open(conninfo, options);
    const answers = await Promise.all([
      client.query(`INSERT INTO executed (run, n) VALUES ('${run}', 1)`),
      client.query('INSERT INTO executed (run, n) VALUES ($1, 2)', [run]),
      client.query('INSERT INTO executed (run, n) VALUES ($1, 3)', [run]),
      client.query('SELECT n FROM executed WHERE run = $1 ORDER BY id', [run]),
    ]);
    expect(answers.at(-1)?.rows).to.deep.equal([{ n: 1 }, { n: 2 }, { n: 3 }]);
    return client;
  }

  for (const authType of AUTH_TYPES) {
    describe(`auth_type ${authType}`, () => {
      withBouncer(() => ({ upstream, tls, authType, poolMode: 'session' }), use);

      it('first contact and from habit, with and without guesses: all executed once', async () => {
        for (const conninfo of Object.values(LINKS)) {
          for (const speculate of [true, false]) {
            const memory = new PgMemory();
            await expectLogin(conninfo, { speculate, memory });
            const { timeline } = await expectLogin(conninfo, { speculate, memory });
            expect(timeline.attempts).to.equal(1);
          }
        }
        const [row] = await upstream.sql('SELECT count(*)::int AS rows, max(id) AS executed FROM executed');
        expect(row).to.include({ rows: runs * 3, executed: runs * 3 });
      });

      it('after every other habit', async () => {
        const habits = ['none', 'password', 'md5', 'scram-sha-256', 'scram-sha-256-plus'] as const;
        for (const habit of habits) {
          const memory = new PgMemory();
          // As if this server had asked for it.
          memory.habits.get = () => habit;
          await expectLogin(LINKS.verified, { memory });
        }
      });

      it('refused: the error of the login, for all that was asked', async () => {
        const refusals: [Conninfo, RegExp][] = [
          ...(authType === 'trust' ? [] : [[{ password: 'wrong' }, /authentication failed/] as [Conninfo, RegExp]]),
          [{ user: 'nobody' }, /no such user|authentication failed/],
          [{ dbname: 'none' }, /none/],
        ];
        for (const link of [LINKS.plain, LINKS.verified]) {
          for (const [conninfo, message] of refusals) {
            for (const speculate of [true, false]) {
              const client = open({ ...link, ...conninfo }, { speculate });
              const asked = [
                client.query('INSERT INTO executed (n) VALUES (1)'),
                client.query('INSERT INTO executed (n) VALUES ($1)', [2]),
                client.ready,
              ];
              for (const error of await Promise.all(asked.map(rejection))) {
                expect(error.message).to.match(message);
                expect(error.code).to.match(/^(08P01|28P01|28000|3D000)$/);
              }
            }
          }
        }
        expect(await upstream.sql('SELECT 1 FROM executed WHERE run IS NULL')).to.deep.equal([]);
      });

      it('channel_binding=require is refused', async () => {
        const client = open({ ...LINKS.verified, channel_binding: 'require' });
        expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CHANNEL_BINDING');
      });
    });
  }

  for (const poolMode of POOL_MODES) {
    describe(`pool_mode ${poolMode}`, () => {
      withBouncer(() => ({ upstream, tls, poolMode }), use);

      for (const [link, conninfo] of Object.entries(LINKS)) {
        it(`transactions, statements, rows, COPY; link: ${link}`, async () => {
          const client = open(conninfo);
          const sum = await client.transaction(async (transaction) => {
            await transaction.query('CREATE TEMP TABLE t (n int) ON COMMIT DROP');
            const copy = transaction.copyFrom('COPY t FROM STDIN');
            copy.end('1\n2\n3\n');
            await once(copy, 'finish');
            const statement = transaction.prepare('SELECT sum(n)::int AS sum FROM t WHERE n <> $1');
            const [a, b] = await Promise.all([statement.query([1]), statement.query([2])]);
            await statement.close();
            return [a.rows[0]?.sum, b.rows[0]?.sum];
          });
          expect(sum).to.deep.equal([5, 4]);
          const rows: unknown[] = [];
          for await (const { n } of client.rows('SELECT n FROM generate_series(1, $1::int) n', [1000], {
            fetchRows: 100,
          }))
            rows.push(n);
          expect(rows.length).to.equal(1000);
          const chunks: Buffer[] = [];
          for await (const chunk of client.copyTo('COPY (SELECT 1) TO STDOUT')) chunks.push(chunk as Buffer);
          expect(Buffer.concat(chunks).toString()).to.equal('1\n');
          await client.close();
        });

        it(`cancelling; link: ${link}`, async () => {
          const client = open(conninfo);
          const sleeping = rejection(client.query('SELECT pg_sleep(60)'));
          await client.ready;
          await untilRunning(upstream, 'SELECT pg_sleep(60)');
          await client.cancel();
          expect((await sleeping).code).to.equal('57014');
          expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
        });
      }
    });
  }

  describe('protocol 3.2', () => {
    withBouncer(() => ({ upstream }), use);

    it('is refused, with and without guesses, and 3.0 is what is asked for by default', async () => {
      for (const speculate of [true, false]) {
        const client = open({ ...LINKS.plain, max_protocol_version: '3.2' }, { speculate });
        const error = await rejection(client.query('SELECT 1'));
        expect(error).to.include({ code: '08P01' }).and.have.property('message').that.includes('00030002');
      }
      await expectLogin(LINKS.plain, {});
    });
  });
});
