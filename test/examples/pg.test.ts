/** The PostgreSQL example, run as a program. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { withPostgres } from '../codec/pg/client/support.js';
import { makeCertificate } from '../support/certificates.js';
import { endPrograms, run, start } from './programs.js';

const certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });

describe('examples: pg', function () {
  this.timeout(60_000);
  const timeline =
    /ms {2}connected\n[\s\S]*ms {2}secured\n.*ms {2}authenticated\n.*ms {2}ready\n.*ms {2}first result\n/;
  const suite = withPostgres({ version: 18, tls: certificate });
  let folder: string;
  let reach: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turbotls-examples-'));
    await writeFile(join(folder, 'ca.pem'), certificate.ca);
    const { host, port, superuser } = suite.server;
    const url = `postgres://${superuser.user}:${superuser.password}@${host}:${port}/postgres`;
    reach = ['--ca', join(folder, 'ca.pem'), '--url', `${url}?sslmode=verify-full`];
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(endPrograms);

  it('starts a server, asks it over turbo, and tells where the time went', async () => {
    const { code, stdout, stderr } = await run('pg/pg', ['SELECT 6 * 7 AS answer']);
    expect(stdout).to.match(/answer[\s\S]*42[\s\S]*\nSELECT 1\n$/);
    expect(stderr).to.match(timeline);
    expect(stderr).not.to.include('connections were made');
    expect(code).to.equal(0);
  });

  for (const transport of ['tcp', 'tls', 'turbo']) {
    it(`asks a server over ${transport}`, async () => {
      const { code, stdout, stderr } = await run('pg/pg', [...reach, '--transport', transport, 'SELECT 1 AS n']);
      expect(stdout).to.match(/\nSELECT 1\n$/);
      expect(stderr).to.match(timeline);
      expect(code).to.equal(0);
    });
  }

  it('says what the server says, and what cannot be reached', async () => {
    const wrong = await run('pg/pg', [...reach, '--transport', 'tcp', 'nonsense']);
    expect(wrong).to.deep.equal({ code: 1, stdout: '', stderr: 'pg.js: syntax error at or near "nonsense"\n' });
    const url = 'postgres://me:secret@127.0.0.1:1/app?sslmode=verify-full';
    const nowhere = await run('pg/pg', ['--transport', 'tcp', '--url', url]);
    expect(nowhere).to.deep.equal({ code: 1, stdout: '', stderr: 'pg.js: connect ECONNREFUSED 127.0.0.1:1\n' });
    const bad = await run('pg/pg', ['--url', 'postgres://me:secret@127.0.0.1/app?sslmod=require']);
    expect(bad.stderr).to.include('sslmode').and.not.to.include('secret');
    const unknown = await run('pg/pg', ['--transport', 'pigeon']);
    expect(unknown.stderr).to.equal("pg.js: --transport is tcp, tls or turbo, got 'pigeon'\n");
  });

  it('ends with Ctrl-C', async () => {
    const program = start('pg/pg', [...reach, '--transport', 'tcp', 'SELECT pg_sleep(60)']);
    const running = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'";
    for (let tries = 0; tries < 200 && (await suite.server.sql(running)).length === 0; tries++) await delay(100);
    program.process.kill('SIGINT');
    expect((await program.ended).code).to.equal(1);
  });
});
