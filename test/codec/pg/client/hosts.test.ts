/** Which server it is in the end: several hosts, target_session_attrs, and everything that names a server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Conninfo, PgClient, type PgClientOptions, PgMemory } from '../../../../src/codec/pg/index.js';
import { freePort } from '../../../servers/daemon.js';
import {
  findPart,
  type PgbouncerServer,
  type PostgresServer,
  requirePart,
  startPgbouncer,
  startPostgres,
} from '../../../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../../support/certificates.js';
import { hasIPv6, requireIPv6 } from '../../../support/ipv6.js';
import { LoopbackServer } from './loopback-server.js';
import { encoded, ScriptedServer } from './scripted-server.js';
import { rejection } from './support.js';

interface Address {
  port: number;
}

const PASSWORD = 'a password that nobody must read';

describe('PgClient: hosts', function () {
  this.timeout(60_000);

  let tls: Certificate;
  let primary: PostgresServer;
  let standby: PostgresServer;
  let poolers: Record<'primary' | 'standby', PgbouncerServer> | undefined;
  let dead: Address;
  const clients: PgClient[] = [];
  const listeners: LoopbackServer[] = [];

  before(async function () {
    requirePart(this, 'postgresql-15');
    tls = await makeCertificate({ names: ['db.test'] });
    const users = [
      { name: 'alice', password: PASSWORD },
      { name: 'reader', password: PASSWORD },
    ];
    const hba = [
      'host all all all scram-sha-256',
      `local all "${userInfo().username}" peer`,
      'local all alice scram-sha-256',
    ];
    const settings = { listen_addresses: hasIPv6 ? '127.0.0.1,::1' : '127.0.0.1' };
    primary = await startPostgres({ version: 15, tls, users, hba, settings });
    await primary.sql(`ALTER ROLE reader SET default_transaction_read_only = on;
      CREATE ROLE "${userInfo().username}" LOGIN;
      CREATE SEQUENCE drawn; GRANT ALL ON SEQUENCE drawn TO PUBLIC`);
    standby = await startPostgres({ version: 15, tls, hba, standbyOf: primary });
    if (!findPart('pgbouncer')) return;
    const pooled = { users: [{ name: 'alice', password: PASSWORD }], poolMode: 'session' } as const;
    poolers = {
      primary: await startPgbouncer({ upstream: primary, ...pooled }),
      standby: await startPgbouncer({ upstream: standby, ...pooled }),
    };
  });

  beforeEach(async () => {
    dead = { port: await freePort() };
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) {
      client.destroy();
      await client.closed;
    }
    await Promise.all(listeners.splice(0).map((listener) => listener.stop()));
  });

  after(async () => {
    await Promise.all([poolers?.primary.stop(), poolers?.standby.stop()]);
    await standby?.stop();
    await primary?.stop();
  });

  function open(hosts: Address[], more: Conninfo = {}, options: PgClientOptions = {}): PgClient {
    const host = hosts.map(() => '127.0.0.1').join(',');
    const port = hosts.map((address) => address.port).join(',');
    const target = { host, port, user: 'alice', password: PASSWORD, dbname: 'postgres', sslmode: 'disable' as const };
    return track(PgClient.open({ ...target, ...more }, { env: {}, memory: new PgMemory(), ...options }));
  }

  function track(client: PgClient): PgClient {
    clients.push(client);
    return client;
  }

  /** One that takes connections and says nothing. */
  async function blackHole(): Promise<LoopbackServer> {
    const listener = await LoopbackServer.start(() => {});
    listeners.push(listener);
    return listener;
  }

  /** Where a query that is made right away is executed. */
  async function where(client: PgClient): Promise<'primary' | 'standby' | string> {
    try {
      const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby');
      return rows[0]?.standby ? 'standby' : 'primary';
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  describe('several', () => {
    it('are tried in turn: past a dead port, and past one that does not answer in time', async () => {
      const silent = await blackHole();
      const client = open([dead, silent, primary], { connect_timeout: 1 });
      expect(await where(client)).to.equal('primary');
      expect(client.timeline.attempts).to.equal(3);
      await silent.allClosed();
    });

    it('are tried in any order with load_balance_hosts=random', async () => {
      const seen = new Set<string>();
      for (let i = 0; i < 40 && seen.size < 2; i++) {
        seen.add(await where(open([primary, standby, dead], { load_balance_hosts: 'random' })));
      }
      expect([...seen].sort()).to.deep.equal(['primary', 'standby']);
    });

    it('that all fail: ERR_PG_NO_HOST, with every reason, and no password', async () => {
      const silent = await blackHole();
      const hosts = [dead, silent, standby];
      const error = await rejection(open(hosts, { connect_timeout: 1, target_session_attrs: 'primary' }).ready);
      expect(error.code).to.equal('ERR_PG_NO_HOST');
      const { errors } = error.cause as AggregateError;
      expect(errors.map(({ code }) => code)).to.deep.equal([
        'ECONNREFUSED',
        'ERR_PG_CONNECT_TIMEOUT',
        'ERR_PG_SESSION_ATTRS',
      ]);
      for (const { port } of hosts) expect(error.message).to.include(`127.0.0.1:${port}`);
      for (const text of [error, error.cause, ...errors].map(String)) expect(text).to.not.include(PASSWORD);
    });

    it('are not tried behind one that refuses the login', async () => {
      const never = await blackHole();
      const client = open([primary, never], { password: 'wrong' });
      expect((await rejection(client.ready)).code).to.equal('28P01');
      expect(await where(client)).to.equal('28P01');
      expect(never.connections).to.equal(0);
    });

    it('are not tried behind one whose certificate fails', async () => {
      const never = await blackHole();
      const strangers = await makeAuthority({ name: 'strangers' });
      for (const [host, ca] of [
        ['db.test,db.test', strangers.cert],
        ['other.test,db.test', tls.ca],
      ] as const) {
        const more: Conninfo = { host, hostaddr: '127.0.0.1,127.0.0.1', sslmode: 'verify-full' };
        const error = await rejection(open([primary, never], more, { tls: { ca } }).ready);
        expect(error.code, host).to.match(/CERT|ALTNAME|SIGNATURE/);
      }
      expect(never.connections).to.equal(0);
    });

    it('starting, are passed over', async () => {
      const fields = { S: 'FATAL', V: 'FATAL', C: '57P03', M: 'the database system is starting up' };
      const starting = await ScriptedServer.start(async (peer) => {
        await peer.receive();
        peer.sendBytes(encoded({ name: 'ErrorResponse', fields }));
        peer.end();
      });
      expect(await where(open([starting, primary]))).to.equal('primary');
      await starting.stop();
    });
  });

  describe('target_session_attrs', () => {
    const WANTED: [NonNullable<Conninfo['target_session_attrs']>, string, string][] = [
      ['any', 'primary', 'standby'],
      ['read-write', 'primary', 'primary'],
      ['read-only', 'standby', 'standby'],
      ['primary', 'primary', 'primary'],
      ['standby', 'standby', 'standby'],
      ['prefer-standby', 'standby', 'standby'],
    ];

    for (const [wanted, primaryFirst, standbyFirst] of WANTED) {
      it(`${wanted}: queries that were made early run on the right server only`, async () => {
        const more: Conninfo = { target_session_attrs: wanted };
        expect(await where(open([primary, standby], more))).to.equal(primaryFirst);
        expect(await where(open([standby, dead, primary], more))).to.equal(standbyFirst);
      });

      it(`${wanted}: also through PgBouncer, which does not tell`, async function () {
        requirePart(this, 'pgbouncer');
        if (!poolers) throw new Error('they are started where PgBouncer is there');
        const more: Conninfo = { target_session_attrs: wanted };
        expect(await where(open([poolers.primary, poolers.standby], more))).to.equal(primaryFirst);
        expect(await where(open([poolers.standby, poolers.primary], more))).to.equal(standbyFirst);
      });
    }

    it('of a single server that is of another kind: ERR_PG_SESSION_ATTRS, and no query was sent', async () => {
      expect(await where(open([standby], { target_session_attrs: 'read-write' }))).to.equal('ERR_PG_SESSION_ATTRS');
      expect(await where(open([primary], { target_session_attrs: 'standby' }))).to.equal('ERR_PG_SESSION_ATTRS');
      expect(await where(open([primary], { target_session_attrs: 'prefer-standby' }))).to.equal('primary');
    });

    it('count a primary whose sessions are read-only by default as read-only', async () => {
      const reader: Conninfo = { user: 'reader' };
      expect(await where(open([primary], { ...reader, target_session_attrs: 'read-only' }))).to.equal('primary');
      expect(await where(open([primary], { ...reader, target_session_attrs: 'primary' }))).to.equal('primary');
      const refused = open([primary], { ...reader, target_session_attrs: 'read-write' });
      expect(await where(refused)).to.equal('ERR_PG_SESSION_ATTRS');
    });

    it('have early queries executed exactly once', async () => {
      const before = (await primary.sql("SELECT nextval('drawn')::int AS n"))[0]?.n as number;
      const client = open([standby, dead, primary], { target_session_attrs: 'read-write' });
      const draws = Array.from({ length: 5 }, (_, i) =>
        client.query("SELECT nextval('drawn')::int AS n", i % 2 ? [] : undefined),
      );
      const drawn = (await Promise.all(draws)).map(({ rows }) => rows[0]?.n);
      expect(drawn).to.deep.equal([1, 2, 3, 4, 5].map((n) => before + n));
      expect(standby.log()).to.not.include('read-only transaction');
    });
  });

  describe('named by', () => {
    const user = async (client: PgClient) => (await client.query('SELECT current_user AS u')).rows[0]?.u;
    let home: string;

    before(async () => {
      home = await mkdtemp(join(tmpdir(), 'turbotls-home-'));
      const file = (name: string, text: string) => writeFile(join(home, name), text, { mode: 0o600 });
      await file(
        '.pgpass',
        `127.0.0.1:${primary.port}:*:alice:${PASSWORD}\n${primary.socketDir}:*:*:alice:${PASSWORD}\n`,
      );
      await file('other.pgpass', `*:*:*:*:${PASSWORD.replaceAll(':', '\\:')}\n`);
      await file(
        '.pg_service.conf',
        `[of-tests]\nhost=127.0.0.1\nport=${primary.port}\nuser=alice\ndbname=postgres\nsslmode=disable\n`,
      );
    });
    after(() => rm(home, { recursive: true, force: true }));

    function openIn(env: NodeJS.ProcessEnv, target?: string | Conninfo): PgClient {
      return track(PgClient.open(target, { env: { HOME: home, ...env }, memory: new PgMemory() }));
    }

    it('a Unix socket, for who is trusted, for whom the system knows, and for who has a password', async () => {
      const { socketDir, port } = primary;
      const target = { host: socketDir, port, dbname: 'postgres' };
      expect(await user(openIn({}, { ...target, user: 'postgres' }))).to.equal('postgres');
      expect(await user(openIn({}, target))).to.equal(userInfo().username);
      expect(await user(openIn({}, { ...target, user: 'alice' }))).to.equal('alice');
      const url = `postgres://alice@${encodeURIComponent(socketDir)}:${port}/postgres`;
      expect(await user(openIn({ PGPASSWORD: PASSWORD }, url))).to.equal('alice');
    });

    it('the environment, with the password from a file', async () => {
      const env = {
        PGHOST: '127.0.0.1',
        PGPORT: String(primary.port),
        PGUSER: 'alice',
        PGDATABASE: 'postgres',
        PGAPPNAME: 'from the environment',
        PGOPTIONS: '-c statement_timeout=4321',
      };
      for (const more of [{}, { PGPASSFILE: join(home, 'other.pgpass') }, { PGPASSWORD: PASSWORD }]) {
        const client = openIn({ ...env, ...more });
        const { rows } = await client.query(
          "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout",
        );
        expect(rows).to.deep.equal([{ name: 'from the environment', timeout: '4321ms' }]);
      }
      const missing = openIn({ ...env, PGPASSFILE: join(home, 'missing') });
      expect((await rejection(missing.ready)).code).to.equal('ERR_PG_PASSWORD_REQUIRED');
    });

    it('a service', async () => {
      expect(await user(openIn({}, 'service=of-tests'))).to.equal('alice');
      expect(await user(openIn({ PGSERVICE: 'of-tests' }))).to.equal('alice');
      expect(
        await user(
          openIn(
            { HOME: '/nowhere', PGSERVICEFILE: join(home, '.pg_service.conf'), PGPASSWORD: PASSWORD },
            'postgres://?service=of-tests',
          ),
        ),
      ).to.equal('alice');
    });

    it('an address and a name, the certificate being for the name', async () => {
      const target = { host: 'db.test', hostaddr: '127.0.0.1', sslmode: 'verify-full' as const };
      const client = open([primary], target, { tls: { ca: tls.ca } });
      const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      expect(rows).to.deep.equal([{ ssl: true }]);
      const wrong = open([primary], { ...target, host: 'other.test' }, { tls: { ca: tls.ca } });
      expect((await rejection(wrong.ready)).code).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
    });

    it('an IPv6 address', async function () {
      requireIPv6(this);
      const url = `postgres://alice@[::1]:${primary.port}/postgres?sslmode=disable`;
      const client = openIn({ PGPASSWORD: PASSWORD }, url);
      const { rows } = await client.query('SELECT host(inet_server_addr()) AS address');
      expect(rows).to.deep.equal([{ address: '::1' }]);
      expect(
        await user(
          openIn({ PGPASSWORD: PASSWORD }, { host: '::1', port: primary.port, user: 'alice', dbname: 'postgres' }),
        ),
      ).to.equal('alice');
    });
  });
});
