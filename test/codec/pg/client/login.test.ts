/** Logging in to real servers: by every method, with right and wrong guesses, refused for every reason, and spied on. */
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type Conninfo,
  PgClient,
  type PgClientOptions,
  PgMemory,
  PgServerError,
} from '../../../../src/codec/pg/index.js';
import { type PostgresServer, type PostgresVersion, requirePart, startPostgres } from '../../../servers/index.js';
import { type Certificate, makeCertificate } from '../../../support/certificates.js';
import { LoopbackServer } from './loopback-server.js';
import { Spy } from './spy.js';
import { rejection } from './support.js';
import { untilRunning } from './until-running.js';

const PASSWORD = 'a password of tests';
const VERSIONS = [15, 17, 18] as const satisfies PostgresVersion[];

/** How pg_hba.conf has alice log in. */
const METHODS = {
  trust: ['host all alice all trust'],
  'scram-sha-256': ['host all alice all scram-sha-256'],
  password: ['host all alice all password'],
  md5: ['host all alice all md5'],
  cert: ['hostssl all alice all cert', 'hostnossl all alice all trust'],
  'clientcert=verify-full': [
    'hostssl all alice all scram-sha-256 clientcert=verify-full',
    'hostnossl all alice all trust',
  ],
} as const;
type Method = keyof typeof METHODS;

/** Every method after every other one, and none after itself: 0 1 0 2 … 1 2 1 3 … 0. */
function everyChange(methods: readonly Method[]): Method[] {
  const pairs = methods.flatMap((from, index) => methods.slice(index + 1).flatMap((to) => [from, to]));
  return [...pairs, methods[0] as Method];
}

for (const version of VERSIONS) {
  describe(`PgClient: logging in to PostgreSQL ${version}`, function () {
    this.timeout(60_000);
    let server: PostgresServer;
    let tls: Certificate;
    let alice: Certificate;
    const clients = new Set<PgClient>();

    before(async function () {
      requirePart(this, `postgresql-${version}`);
      tls = await makeCertificate();
      alice = await makeCertificate({ names: ['alice'], usage: 'client' });
      server = await startPostgres({ version, tls, users: [{ name: 'alice', password: PASSWORD }] });
      await server.sql(`CREATE TABLE executed (id serial, run text, n int);
        GRANT ALL ON executed TO alice; GRANT ALL ON executed_id_seq TO alice`);
    });
    afterEach(async () => {
      for (const client of clients) client.destroy();
      await Promise.all([...clients].map((client) => client.closed));
      clients.clear();
    });
    after(() => server?.stop());

    function open(more: Conninfo = {}, options: PgClientOptions = {}): PgClient {
      const { host: hostaddr, port } = server;
      const target = { host: 'localhost', hostaddr, port, user: 'alice', password: PASSWORD, dbname: 'postgres' };
      const client = PgClient.open(
        { ...target, ...more },
        { env: {}, memory: new PgMemory(), allowCleartext: true, ...options },
      );
      clients.add(client);
      return client;
    }

    const plain: Conninfo = { sslmode: 'disable' };
    const verified: Conninfo = {
      sslmode: 'verify-full',
      sslnegotiation: version === 15 ? 'postgres' : 'direct',
    };
    const withCertificate = () => ({ ca: tls.ca, cert: alice.cert, key: alice.key });
    let runs = 0;

    /** Logs in with three queries made right away: all executed once, in order, whatever was guessed. */
    async function expectLogin(says: string, conninfo: Conninfo, options: PgClientOptions): Promise<PgClient> {
      const run = `run ${runs++}`;
      const client = open(conninfo, { tls: withCertificate(), ...options });
      try {
        const answers = await Promise.all([
          client.query(`INSERT INTO executed (run, n) VALUES ('${run}', 1)`),
          client.query('INSERT INTO executed (run, n) VALUES ($1, 2)', [run]),
          client.query('INSERT INTO executed (run, n) VALUES ($1, 3)', [run]),
          client.query('SELECT n FROM executed WHERE run = $1 ORDER BY id', [run]),
        ]);
        expect(answers.at(-1)?.rows, says).to.deep.equal([{ n: 1 }, { n: 2 }, { n: 3 }]);
      } catch (error) {
        throw new Error(`${says}: ${error}`, { cause: error });
      }
      client.destroy();
      return client;
    }

    async function setMethod(method: Method): Promise<void> {
      const encryption = method === 'md5' ? 'md5' : 'scram-sha-256';
      await server.sql(`SET password_encryption = '${encryption}'; ALTER ROLE alice PASSWORD '${PASSWORD}'`);
      await server.setHba(METHODS[method]);
    }

    it('by every method after every other one, from habit', async () => {
      const links = { plain, verified, unverified: { sslmode: 'require' } } as const;
      const memories = { plain: new PgMemory(), verified: new PgMemory(), unverified: new PgMemory() };
      let before: Method | undefined;
      for (const method of everyChange(Object.keys(METHODS) as Method[])) {
        await setMethod(method);
        const logins = Object.entries(links).map(([link, conninfo]) => {
          const memory = memories[link as keyof typeof links];
          const tlsOptions = link === 'unverified' ? { cert: alice.cert, key: alice.key } : withCertificate();
          return expectLogin(`${link}, ${method} after ${before}`, conninfo, { memory, tls: tlsOptions });
        });
        await Promise.all(logins);
        before = method;
      }
      const [row] = await server.sql('SELECT count(*)::int AS rows, max(id) AS executed FROM executed');
      expect(row).to.include({ rows: runs * 3, executed: runs * 3 });
    });

    for (const method of Object.keys(METHODS) as Method[]) {
      it(`by ${method}: first contact, with and without guesses, with and without password and channel binding`, async () => {
        await setMethod(method);
        const needsPassword = !['trust', 'cert'].includes(method);
        const isScram = ['scram-sha-256', 'clientcert=verify-full'].includes(method);
        for (const speculate of [true, false]) {
          for (const conninfo of [plain, verified, { sslmode: 'prefer' }] as const) {
            const memory = new PgMemory();
            for (const nth of ['first', 'second']) {
              const says = `${nth}, ${conninfo.sslmode}, speculate ${speculate}`;
              await expectLogin(says, conninfo, { speculate, memory });
              if (!needsPassword)
                await expectLogin(`${says}, no password`, { ...conninfo, password: '' }, { speculate });
            }
          }
          await expectLogin('channel_binding=disable', { ...verified, channel_binding: 'disable' }, { speculate });
          const required = { ...verified, channel_binding: 'require' } as const;
          if (isScram) {
            await expectLogin('channel_binding=require', required, { speculate });
            continue;
          }
          const client = open(required, { tls: withCertificate(), speculate });
          expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CHANNEL_BINDING');
        }
        for (const [conninfo, code] of [
          [{ ...plain, channel_binding: 'require' }, 'ERR_PG_CHANNEL_BINDING'],
          [{ ...verified, require_auth: 'gss,sspi' }, 'ERR_PG_AUTH_UNSUPPORTED'],
        ] as [Conninfo, string][]) {
          expect((await rejection(open(conninfo, { tls: withCertificate() }).query('SELECT 1'))).code).to.equal(code);
        }
        const asked = needsPassword ? (isScram ? 'scram-sha-256' : method) : 'none';
        for (const name of ['none', 'password', 'md5', 'scram-sha-256']) {
          const allowed = name === asked;
          for (const [conninfo, lets] of [
            [{ ...verified, require_auth: name }, allowed],
            [{ ...verified, require_auth: `!${name}` }, !allowed],
          ] as [Conninfo, boolean][]) {
            if (lets) await expectLogin(`require_auth=${conninfo.require_auth}`, conninfo, {});
            else {
              const error = await rejection(open(conninfo, { tls: withCertificate() }).query('SELECT 1'));
              expect(error.code, `${conninfo.require_auth}`).to.equal('ERR_PG_AUTH_UNSUPPORTED');
            }
          }
        }
      });
    }

    it('with protocol 3.2, which PostgreSQL 18 speaks and older ones negotiate down from', async () => {
      await setMethod('scram-sha-256');
      for (const speculate of [true, false]) {
        for (const conninfo of [plain, verified]) {
          for (const max_protocol_version of ['3.2', 'latest'] as const) {
            const client = open({ ...conninfo, max_protocol_version }, { speculate, tls: { ca: tls.ca } });
            const sleeping = rejection(client.query('SELECT pg_sleep(60)'));
            await client.ready;
            await untilRunning(server, 'SELECT pg_sleep(60)');
            await client.cancel(); // with a key of 32 bytes in 3.2
            expect((await sleeping).code).to.equal('57014');
            expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
          }
          const strict = { ...conninfo, min_protocol_version: '3.2', max_protocol_version: '3.2' } as const;
          const asked = open(strict, { speculate, tls: { ca: tls.ca } }).query('SELECT 1 AS n');
          if (version === 18) expect((await asked).rows).to.deep.equal([{ n: 1 }]);
          else expect((await rejection(asked)).code).to.equal('ERR_PG_PROTOCOL');
        }
      }
    });

    it('over the Unix socket: peer, trust, scram-sha-256', async () => {
      await setMethod('scram-sha-256');
      await writeFile(join(server.dataDir, 'pg_ident.conf'), `tests ${userInfo().username} alice\n`);
      const local: Conninfo = { host: server.socketDir, hostaddr: undefined };
      const memory = new PgMemory();
      for (const line of ['peer map=tests', 'trust', 'scram-sha-256', 'peer map=tests', 'password']) {
        await server.setHba([`local all alice ${line}`]);
        for (const sslmode of ['prefer', 'verify-full'] as const) {
          await expectLogin(line, { ...local, sslmode }, { memory, allowCleartext: false });
        }
      }
    });

    describe('refused', () => {
      const HBA = ['hostssl all alice all reject', 'host rejected all all reject', 'host all all all scram-sha-256'];
      const refusals: [string, Conninfo, string][] = [
        ['a wrong password', { password: 'wrong' }, '28P01'],
        ['an unknown user', { user: 'nobody' }, '28P01'],
        ['an unknown database', { user: 'bob', dbname: 'none' }, '3D000'],
        ['no more connections', { user: 'limited' }, '53300'],
        ['reject', { dbname: 'rejected' }, '28000'],
      ];

      before(async () => {
        await setMethod('scram-sha-256');
        await server.sql(`CREATE ROLE bob LOGIN PASSWORD '${PASSWORD}';
          CREATE ROLE limited LOGIN CONNECTION LIMIT 0 PASSWORD '${PASSWORD}'`);
        await server.setHba(HBA.slice(1));
      });

      for (const [says, conninfo, code] of refusals) {
        it(`${says}: ${code}, for all that was asked, none of which was executed`, async () => {
          const [before] = await server.sql('SELECT last_value AS n FROM executed_id_seq');
          for (const speculate of [true, false]) {
            for (const link of [plain, verified, { sslmode: 'prefer' }, { sslmode: 'allow' }] as const) {
              const client = open({ ...link, ...conninfo }, { tls: { ca: tls.ca }, speculate });
              const asked = [
                client.query('INSERT INTO executed (n) VALUES (1)'),
                client.query('INSERT INTO executed (n) VALUES ($1)', [2]),
                client.transaction((transaction) => transaction.query('INSERT INTO executed (n) VALUES (3)')),
                client.ready,
              ];
              for (const error of await Promise.all(asked.map(rejection))) {
                expect(error).to.be.instanceOf(PgServerError).with.property('code', code);
              }
              expect(await client.closed).to.have.property('code', code);
            }
          }
          const [after] = await server.sql('SELECT last_value AS n FROM executed_id_seq');
          expect(after).to.deep.equal(before);
        });
      }

      it('over TLS only: sslmode=prefer goes on without', async () => {
        await server.setHba(HBA);
        try {
          const ok = await expectLogin('prefer', { sslmode: 'prefer' }, { tls: {} });
          expect(ok.timeline.attempts).to.equal(2);
          const twice = await rejection(open({ sslmode: 'prefer', password: 'wrong' }).query('SELECT 1'));
          expect(twice).to.have.property('code', '28P01');
          expect(twice.cause).to.have.property('code', '28000');
        } finally {
          await server.setHba(HBA.slice(1));
        }
      });

      it('by the login, though megabytes were sent behind it', async () => {
        const megabytes = 'x'.repeat(16 << 20);
        for (const link of [plain, verified]) {
          const client = open({ ...link, password: 'wrong' }, { tls: { ca: tls.ca } });
          const asked = [client.query('SELECT length($1)', [megabytes]), client.query(`SELECT '${megabytes}'`)];
          for (const { code } of await Promise.all(asked.map(rejection))) expect(code).to.equal('28P01');
        }
      });
    });

    it('megabytes that were sent behind a wrong guess are sent again', async () => {
      await setMethod('trust');
      const memory = new PgMemory();
      await expectLogin('trust', verified, { memory });
      await expectLogin('trust', verified, { memory });
      await setMethod('scram-sha-256');
      const client = open(verified, { memory, tls: { ca: tls.ca } });
      const values = ['x'.repeat(16 << 20)];
      const answers = [1, 2].map(() => client.query('SELECT length($1::text) AS n', values));
      for (const { rows } of await Promise.all(answers)) expect(rows).to.deep.equal([{ n: 16 << 20 }]);
      expect(client.timeline.attempts).to.equal(2);
    });

    describe('a password function', () => {
      before(() => setMethod('password'));

      it('is asked once, whatever was guessed', async () => {
        for (const options of [{}, { speculate: false }]) {
          for (const conninfo of [plain, verified, { sslmode: 'prefer' }] as const) {
            let calls = 0;
            const password = async () => {
              calls++;
              await new Promise(setImmediate);
              return PASSWORD;
            };
            await expectLogin('password function', conninfo, { password, ...options });
            expect(calls).to.equal(1);
          }
        }
      });

      it('fails the login with its own error', async () => {
        const error = new Error('no token');
        for (const password of [
          () => Promise.reject(error),
          () => {
            throw error;
          },
        ]) {
          for (const conninfo of [plain, verified]) {
            const client = open(conninfo, { password, tls: { ca: tls.ca } });
            const asked = [client.query('SELECT 1'), client.ready];
            for (const reason of await Promise.all(asked.map(rejection))) expect(reason).to.equal(error);
          }
        }
      });

      it('that gives none is an error, and so is none at all', async () => {
        for (const password of [() => '', () => undefined as unknown as string, '']) {
          const client = open({ ...verified, password: undefined }, { password, tls: { ca: tls.ca } });
          expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_PASSWORD_REQUIRED');
        }
      });
    });

    it('a password in clear is not sent without TLS unless asked for', async () => {
      await setMethod('password');
      const client = open(plain, { allowCleartext: false });
      expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CLEARTEXT_REFUSED');
    });

    describe('with somebody in the middle who has a trusted certificate', () => {
      let spies: Spy[] = [];
      let other: Certificate;

      before(async () => {
        other = await makeCertificate({ names: ['localhost', 'somebody.else'] });
        await setMethod('scram-sha-256');
      });
      afterEach(async () => {
        await Promise.all(spies.map((spy) => spy.stop()));
        spies = [];
      });

      /** What comes of a query through the spy: its rows, or the code; and whether the spy has seen the query. */
      async function through(conninfo: Conninfo, spyOptions: { hidesPlus?: boolean; holdsProof?: boolean } = {}) {
        const spy = await Spy.start({ upstream: server, certificate: other, authority: tls.ca, ...spyOptions });
        spies.push(spy);
        const tlsOptions = conninfo.sslmode === 'require' ? {} : { ca: tls.ca };
        const client = open({ ...verified, port: spy.port, ...conninfo }, { tls: tlsOptions });
        const outcome = await client.query("SELECT 'a secret' AS s").then(
          ({ rows }) => rows,
          (error: PgServerError) => error.code,
        );
        client.destroy();
        await client.closed;
        return { outcome, seen: spy.sawFromClients('a secret') };
      }

      const rows = [{ s: 'a secret' }];
      const refused = '28000'; // SCRAM channel binding check failed
      const table: [string, Conninfo, Parameters<typeof through>[1], unknown, boolean][] = [
        ['disable: not noticed', { channel_binding: 'disable' }, {}, rows, true],
        ['require: noticed, before a query is sent', { channel_binding: 'require' }, {}, refused, false],
        ['disable, unverified: not noticed', { channel_binding: 'disable', sslmode: 'require' }, {}, rows, true],
        ['prefer, unverified: noticed, before a query is sent', { sslmode: 'require' }, {}, refused, false],
        [
          'prefer, -PLUS hidden, unverified: the server notices',
          { sslmode: 'require' },
          { hidesPlus: true },
          refused,
          false,
        ],
        [
          'require, -PLUS hidden: refused',
          { channel_binding: 'require' },
          { hidesPlus: true },
          'ERR_PG_CHANNEL_BINDING',
          false,
        ],
      ];
      for (const [says, conninfo, spyOptions, outcome, seen] of table) {
        it(`channel_binding=${says}`, async () => {
          expect(await through(conninfo, spyOptions)).to.deep.equal({ outcome, seen });
        });
      }

      it('without the proof nobody gets a query, but for the server whose certificate was verified', async () => {
        const conninfo = { channel_binding: 'disable', connect_timeout: 1 } as const;
        const outcome = 'ERR_PG_CONNECT_TIMEOUT';
        const [unverified, isVerified] = await Promise.all([
          through({ ...conninfo, sslmode: 'require' }, { holdsProof: true }),
          through(conninfo, { holdsProof: true }),
        ]);
        expect(unverified).to.deep.equal({ outcome, seen: false });
        expect(isVerified).to.deep.equal({ outcome, seen: true });
      });

      it('channel_binding=prefer: noticed', async () => {
        expect(await through({})).to.have.property('outcome', refused);
        expect(await through({}, { hidesPlus: true })).to.have.property('outcome', refused);
      });
    });

    // The last, since it ends the server.
    describe('a server', () => {
      it('that shuts down: 57P03, and the next host is asked', async () => {
        await setMethod('trust');
        const [{ pid } = {}] = await server.sql('SELECT 1 AS pid');
        expect(pid).to.equal(1);
        const guest = open(plain);
        await guest.ready;
        process.kill(server.pid as number, 'SIGTERM'); // waits for the guest to go
        const nobody = await LoopbackServer.start((socket) => socket.destroy());
        try {
          let error = await rejection(open(plain).query('SELECT 1'));
          for (const deadline = Date.now() + 5000; error.code !== '57P03' && Date.now() < deadline; ) {
            error = await rejection(open(plain).query('SELECT 1'));
          }
          expect(error).to.be.instanceOf(PgServerError).with.property('code', '57P03');
          const two = {
            host: 'localhost,localhost',
            hostaddr: '127.0.0.1,127.0.0.1',
            port: `${server.port},${nobody.port}`,
          };
          expect((await rejection(open({ ...plain, ...two }).query('SELECT 1'))).code).to.equal('ERR_PG_NO_HOST');
          expect(nobody.connections).to.be.greaterThan(0);
        } finally {
          await nobody.stop();
        }
      });
    });
  });
}
