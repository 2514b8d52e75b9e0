import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type pg from 'pg';
import { type Certificate, makeAuthority, makeCertificate, makeRevocationList } from '../support/certificates.js';
import { type PostgresServer, requirePart, startPostgres } from './index.js';
import { withPg } from './pg-session.js';
import { isRunning } from './running.js';

const PASSWORD = `it's a "\\ secret`;

describe('servers: PostgreSQL', function () {
  this.timeout(60_000);

  for (const version of [15, 17, 18] as const) {
    describe(`${version}`, () => {
      let server: PostgresServer;
      let tls: Certificate;

      before(async function () {
        requirePart(this, `postgresql-${version}`);
        tls = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
        server = await startPostgres({
          version,
          tls,
          settings: { application_name: PASSWORD },
          users: [
            { name: 'alice', password: PASSWORD },
            { name: 'bob', password: PASSWORD, encryption: 'md5' },
            { name: 'carol' },
          ],
        });
      });
      after(() => server?.stop());

      /** Logs in; what the server knows about the session. */
      function logIn(config: pg.ClientConfig): Promise<pg.QueryResultRow> {
        return withPg({ host: server.host, port: server.port, ...config }, async (client) => {
          const { rows } = await client.query(
            `SELECT session_user AS user, ssl, current_setting('server_version') AS version,
               current_setting('application_name') AS application
             FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
          );
          return rows[0];
        });
      }

      async function failure(config: pg.ClientConfig): Promise<unknown> {
        const error = await logIn(config).then(
          () => ({ code: 'no error' }),
          (reason: { code: string }) => reason,
        );
        return error.code;
      }

      it('lets a user in by scram-sha-256 where nothing else is said, with and without TLS', async () => {
        const alice = { user: 'alice', password: PASSWORD };
        const plain = await logIn(alice);
        expect(plain).to.include({ user: 'alice', ssl: false, application: PASSWORD });
        expect(Number.parseInt(plain.version, 10)).to.equal(version);
        expect(await logIn({ ...alice, ssl: { ca: tls.ca } })).to.include({ user: 'alice', ssl: true });
        expect(await logIn({ ...alice, host: server.socketDir })).to.include({ user: 'alice' });
        expect(await failure({ user: 'alice', password: 'wrong' })).to.equal('28P01');
      });

      it('has each method of pg_hba.conf', async () => {
        const alice = { user: 'alice', password: PASSWORD };
        const ssl = { ca: tls.ca };
        const { key, cert } = await makeCertificate({ names: ['carol'], usage: 'client' });
        const methods: [method: string, right: pg.ClientConfig, wrong: pg.ClientConfig][] = [
          ['scram-sha-256', alice, { ...alice, password: 'wrong' }],
          ['md5', { ...alice, user: 'bob' }, { user: 'bob', password: 'wrong' }],
          ['password', alice, { ...alice, password: 'wrong' }],
          ['trust', { user: 'carol' }, { user: 'nobody' }],
          ['cert', { user: 'carol', ssl: { ...ssl, key, cert } }, { user: 'alice', ssl: { ...ssl, key, cert } }],
        ];
        for (const [method, right, wrong] of methods) {
          await server.setHba([`${method === 'cert' ? 'hostssl' : 'host'} all all all ${method}`]);
          expect(await logIn(right), method).to.include({ user: right.user });
          expect(await failure(wrong), `${method}, wrong`).to.match(/^28/);
        }
        await server.setHba(['host all all all reject']);
        expect(await failure(alice)).to.equal('28000');
        expect(await server.sql('SELECT 1 AS one; SELECT 2 AS two')).to.deep.equal([{ two: 2 }]);
      });

      it('refuses a certificate that was revoked', async () => {
        const alice = await makeCertificate({ names: ['alice'], usage: 'client' });
        const other = await makeCertificate({ names: ['carol'], usage: 'client' });
        await server.setHba(['hostssl all all all cert']);
        await server.setTls({ ...tls, crl: await makeRevocationList({ revoked: [alice.cert] }) });
        expect(await logIn({ user: 'carol', ssl: { ...other, ca: tls.ca } })).to.include({ user: 'carol' });
        expect(await failure({ user: 'alice', ssl: { ...alice, ca: tls.ca } })).not.to.equal('no error');
        // The log comes behind the alert.
        for (let tries = 0; tries < 100 && !server.log().includes('certificate verify failed'); tries++)
          await delay(20);
        expect(server.log()).to.contain('certificate verify failed');
      });

      it('changes its certificate, and does without', async () => {
        await server.setHba(['host all all all trust']);
        const authority = await makeAuthority({ name: 'Another Authority', keyType: 'ecdsa-sha384' });
        const another = await makeCertificate({ authority, names: [], commonName: '127.0.0.1', keyType: 'rsa' });
        expect(new X509Certificate(another.cert).subjectAltName).to.equal(undefined);
        await server.setTls(another);
        const checkServerIdentity = () => undefined;
        const alice = { user: 'alice', ssl: { ca: another.ca, checkServerIdentity } };
        expect(await logIn(alice)).to.include({ ssl: true });
        expect(await failure({ ...alice, ssl: { ca: tls.ca, checkServerIdentity } })).to.match(
          /SELF_SIGNED_CERT_IN_CHAIN/,
        );
        await server.setTls(undefined);
        const withoutTls = await logIn(alice).catch((error: Error) => error.message);
        expect(withoutTls).to.equal('The server does not support SSL connections');
      });

      it('says what it does not understand', async () => {
        const wrongHba = await server.setHba(['host all all all handshake']).catch((error: Error) => error.message);
        expect(wrongHba).to.match(/invalid authentication method \\?"handshake/);
        await server.setHba(['host all all all trust']);
        const wrongTls = await server.setTls({ ...tls, key: 'no key' }).catch((error: Error) => error.message);
        expect(wrongTls).to.contain('could not load private key file');
        const wrongUser = await startPostgres({ version, users: [{ name: 'pg_wrong' }] }).catch(
          (error) => error.message,
        );
        expect(wrongUser).to.contain('role name "pg_wrong" is reserved');
        const options = { version, settings: { shared_buffers: 'many' } };
        const start = await startPostgres(options).catch((error: Error) => error.message);
        expect(start).to.contain('invalid value for parameter "shared_buffers": "many"');
      });

      it('keeps port and data over a restart, and leaves nothing behind a stop', async () => {
        await server.set({ ssl: 'off' });
        await server.sql('CREATE TABLE kept AS SELECT 1 AS one');
        const before = server.pid as number;
        await server.restart();
        const { port, pid, dataDir, socketDir } = server;
        expect(isRunning(before)).to.equal(false);
        expect(await logIn({ user: 'alice', port })).to.include({ user: 'alice' });
        expect(await server.sql('SELECT * FROM kept')).to.deep.equal([{ one: 1 }]);
        await server.stop();
        expect(isRunning(pid as number)).to.equal(false);
        expect(existsSync(dataDir) || existsSync(socketDir)).to.equal(false);
        await server.stop();
      });
    });
  }
});
