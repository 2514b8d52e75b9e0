import { existsSync } from 'node:fs';
import { expect } from 'chai';
import type pg from 'pg';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { type PgbouncerServer, type PostgresServer, requirePart, startPgbouncer, startPostgres } from './index.js';
import { withPg } from './pg-session.js';
import { isRunning } from './running.js';

const alice = { name: 'alice', password: `it's a "secret"` };

describe('servers: PgBouncer', function () {
  this.timeout(60_000);
  let upstream: PostgresServer;
  let tls: Certificate;
  let started: PgbouncerServer | undefined;

  before(async function () {
    requirePart(this, 'pgbouncer');
    requirePart(this, 'postgresql-17');
    upstream = await startPostgres({ version: 17, users: [alice] });
    tls = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
  });
  after(() => upstream?.stop());
  afterEach(() => started?.stop());

  async function start(options: Omit<Parameters<typeof startPgbouncer>[0], 'upstream'>): Promise<PgbouncerServer> {
    started = await startPgbouncer({ upstream, users: [alice], ...options });
    return started;
  }

  /** Who the upstream says the session is; or the message of the error. */
  function logIn({ host, port }: PgbouncerServer, config: pg.ClientConfig): Promise<string> {
    const session = withPg({ host, port, ...config }, async (client) => {
      const { rows } = await client.query<{ user: string; port: number }>(
        `SELECT session_user AS user, current_setting('port')::int AS port`,
      );
      expect(rows[0]?.port).to.equal(upstream.port);
      return rows[0]?.user ?? '';
    });
    return session.catch((error: Error) => error.message);
  }

  const { name: user, password } = alice;
  const wrong = { user, password: 'wrong' };
  for (const [authType, right, refused] of [
    ['scram-sha-256', { user, password }, wrong],
    ['md5', { user, password }, wrong],
    ['plain', { user, password }, wrong],
    ['trust', { user }, { user: 'carol' }],
    ['any', { user: 'carol' }, undefined],
  ] as const) {
    it(`lets users in by ${authType}, with and without TLS`, async () => {
      const server = await start({ authType, tls });
      expect(await logIn(server, right)).to.equal('alice');
      expect(await logIn(server, { ...right, ssl: { ca: tls.ca } })).to.equal('alice');
      if (refused) expect(await logIn(server, refused)).to.match(/failed|no such user/);
    });
  }

  it('lets users in by certificate', async () => {
    const server = await start({ authType: 'cert', tls });
    const { key, cert } = await makeCertificate({ names: ['alice'], usage: 'client' });
    const ssl = { ca: tls.ca, key, cert };
    expect(await logIn(server, { user, ssl })).to.equal('alice');
    expect(await logIn(server, { user: 'carol', ssl })).to.match(/certificate authentication failed/);
  });

  it('says what it does not understand', async () => {
    const error = await start({ settings: { pool_mode: 'puddle' } }).catch(({ message }: Error) => message);
    expect(error).to.contain('puddle');
  });

  it('keeps its port over a restart, and leaves nothing behind a stop', async () => {
    const server = await start({ poolMode: 'session' });
    const before = server.pid as number;
    await server.restart();
    const { pid, socketDir } = server;
    expect(isRunning(before)).to.equal(false);
    expect(await logIn(server, { user, password })).to.equal('alice');
    await server.stop();
    expect(isRunning(pid as number)).to.equal(false);
    expect(existsSync(socketDir)).to.equal(false);
    await server.stop();
  });
});
