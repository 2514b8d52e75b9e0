/** Programs and libraries as they are, through proxy and gateway, to servers as they are: each mode, UDP open and blocked. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import pg from 'pg';
import { PgClient, PgMemory } from '../../src/codec/pg/index.js';
import { RedisClient } from '../../src/codec/redis/index.js';
import { turboTransport } from '../../src/experimental.js';
import { endCommands, runCommand } from '../gateway/commands.js';
import { closeGateways } from '../gateway/gateway-rig.js';
import { closeRigs } from '../gateway/proxy-rig.js';
import { requirePart } from '../servers/index.js';
import { until } from '../support/engine-rig.js';
import {
  ALICE,
  type Line,
  type Mode,
  NAMES,
  REDIS_PASSWORD,
  type Servers,
  startLine,
  startServers,
  type Udp,
} from './line.js';
import { type Libpq, startPostgresProgram } from './programs.js';

const LONG = process.env.TURBOTLS_LONG === '1';
const COPY_MEGABYTES = LONG ? 200 : 20;
const PGBENCH_SECONDS = LONG ? 60 : 4;
const REDIS_REQUESTS = LONG ? 100_000 : 2_000;

const MODES: readonly Mode[] = ['passthrough', 'terminate'];
const PATHS: readonly Udp[] = ['open', 'blocked'];
/** By version of libpq; 15 knows SSLRequest alone. */
const NEGOTIATIONS: readonly [Libpq, string][] = [
  [15, ''],
  [17, 'sslnegotiation=direct'],
  [18, 'sslnegotiation=direct'],
];

describe('e2e: programs and libraries as they are', function () {
  this.timeout(LONG ? 300_000 : 60_000);
  const page = randomBytes(3_000_000).toString('hex');
  let servers: Servers;
  let folder: string;

  before(async function () {
    for (const part of ['redis-cli', 'curl'] as const) requirePart(this, part);
    servers = await startServers(this, { page });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-e2e-'));
  });
  after(async () => {
    await servers?.stop();
    if (folder) await rm(folder, { recursive: true });
  });
  afterEach(endCommands);

  for (const mode of MODES) for (const udp of PATHS) testsOf(mode, udp);

  function testsOf(mode: Mode, udp: Udp) {
    const carrier = udp === 'open' ? 'turbo' : 'tcp';

    describe(`${mode}, UDP ${udp}`, () => {
      let line: Line;

      before(async () => {
        line = await startLine(servers, mode, udp);
      });
      afterEach(() => {
        line.gateway.events.length = 0;
        line.proxy.events.length = 0;
        line.originating.events.length = 0;
      });
      after(async () => {
        await closeRigs();
        await closeGateways();
        await line?.remove();
      });

      /** Neither reads anything behind Terminate, or QUIT: where the client's close_notify is there already, it resets. */
      function isFarewell(route: string, error: Error | undefined): boolean {
        const isServer = route === 'postgres' || route === 'redis';
        return mode === 'passthrough' && isServer && (error as NodeJS.ErrnoException)?.code === 'ECONNRESET';
      }

      /** All is over, nothing was refused, and it went the way that it was to go. */
      async function expectEnds(route: string, count: number): Promise<void> {
        await line.gateway.ended(count);
        await until(() => line.gateway.gateway.state.connections === 0);
        for (const { error, reason, ...end } of line.gateway.of('connection-end')) {
          expect(end).to.include({ route, mode, carrier });
          if (!isFarewell(route, error)) expect({ error, reason }).to.satisfy(isOrderly);
        }
        expect(line.gateway.of('refused')).to.deep.equal([]);
      }

      const conninfo = (more = '') =>
        `host=${NAMES.postgres} hostaddr=127.0.0.1 port=${line.proxy.port} dbname=postgres user=${ALICE.name} ` +
        `sslmode=verify-full sslrootcert=${line.ca} ${more}`;

      async function psql(script: string, more = '', libpq: Libpq = 15): Promise<string> {
        const args = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', conninfo(more), '-c', script];
        const { code, stdout, stderr } = await (await startPostgresProgram('psql', args, libpq)).ended;
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
        return stdout;
      }

      for (const [libpq, negotiation] of NEGOTIATIONS) {
        it(`psql with libpq ${libpq}, ${negotiation || 'SSLRequest'}`, async () => {
          const said = await psql('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', negotiation, libpq);
          expect(said).to.equal(mode === 'passthrough' ? 't\n' : 'f\n');
          await expectEnds('postgres', 1);
        });
      }

      it(`psql copies ${COPY_MEGABYTES} MB, both ways`, async () => {
        const [there, back] = [join(folder, 'there'), join(folder, 'back')];
        await writeFile(there, linesOf(COPY_MEGABYTES));
        await servers.postgres.sql(
          `CREATE UNLOGGED TABLE copied (id bigint GENERATED ALWAYS AS IDENTITY, line text);
           GRANT ALL ON copied TO PUBLIC`,
        );
        try {
          await psql(`\\copy copied (line) FROM '${there}'`);
          await psql(`\\copy (SELECT line FROM copied ORDER BY id) TO '${back}'`);
          expect(await hashOf(back)).to.equal(await hashOf(there));
        } finally {
          await servers.postgres.sql('DROP TABLE copied');
        }
        await expectEnds('postgres', 2);
      });

      it('psql cancels a query by Ctrl-C', async () => {
        const { process, ended } = await startPostgresProgram('psql', [
          '-X',
          '-d',
          conninfo(),
          '-c',
          'SELECT pg_sleep(60)',
        ]);
        const sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        for (let tries = 0; tries < 500 && (await servers.postgres.sql(sleeping)).length === 0; tries++);
        process.kill('SIGINT');
        const { code, stderr } = await ended;
        expect({ code, stderr }).to.deep.equal({
          code: 1,
          stderr: 'Cancel request sent\nERROR:  canceling statement due to user request\n',
        });
        await expectEnds('postgres', 1);
        const known = mode === 'terminate';
        expect(
          line.gateway.of('cancel').map((event) => ({ known: event.known, reached: event.reached })),
        ).to.deep.equal([{ known, reached: 1 }]);
      });

      it(`pgbench, a connection for each transaction, ${PGBENCH_SECONDS} s`, async () => {
        const script = join(folder, 'select.sql');
        await writeFile(script, 'SELECT 1;\n');
        const args = ['-n', '-C', '-c', '4', '-T', String(PGBENCH_SECONDS), '-f', script, conninfo()];
        const { code, stdout, stderr } = await (await startPostgresProgram('pgbench', args)).ended;
        // It names its version.
        expect({ code, stderr: stderr.replaceAll(/^pgbench \(.*\n/g, '') }).to.deep.equal({ code: 0, stderr: '' });
        expect(stdout).to.match(/^number of failed transactions: 0 /m);
        const done = Number(/^number of transactions actually processed: (\d+)/m.exec(stdout)?.[1]);
        expect(done).to.be.above(4);
        await expectEnds('postgres', done);
      });

      const redisTls = () => [
        '-h',
        '127.0.0.1',
        '-p',
        String(line.proxy.port),
        '--tls',
        '--cacert',
        line.ca,
        '--sni',
        NAMES.redis,
      ];

      it('redis-cli --tls', async () => {
        const { code, stdout, stderr } = await runCommand('redis-cli', [...redisTls(), 'PING'], {
          REDISCLI_AUTH: REDIS_PASSWORD,
        });
        expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: 'PONG\n', stderr: '' });
        await expectEnds('redis', 1);
      });

      it('redis-cli without TLS, the proxy with it', async () => {
        const args = ['-h', '127.0.0.1', '-p', String(line.originating.port), 'ECHO', 'hello'];
        const { code, stdout, stderr } = await runCommand('redis-cli', args, { REDISCLI_AUTH: REDIS_PASSWORD });
        expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: 'hello\n', stderr: '' });
        await expectEnds('redis', 1);
      });

      it('redis-benchmark --tls', async () => {
        const args = [
          ...redisTls(),
          '-a',
          REDIS_PASSWORD,
          '-n',
          String(REDIS_REQUESTS),
          '-c',
          '20',
          '-t',
          'set,get',
          '--csv',
        ];
        const { code, stdout } = await runCommand('redis-benchmark', args);
        expect(code).to.equal(0);
        expect(stdout)
          .to.match(/^"SET",/m)
          .and.match(/^"GET",/m);
        await expectEnds('redis', 40);
      });

      for (const [option, version] of [
        ['--http1.1', '1.1'],
        ['--http2', '2'],
      ] as const) {
        it(`curl over HTTP/${version}`, async () => {
          const got = join(folder, 'page');
          const { code, stdout, stderr } = await runCommand('curl', [
            ...['--silent', '--show-error', '--fail', option, '--cacert', line.ca],
            ...['--connect-to', `${NAMES.web}:443:127.0.0.1:${line.proxy.port}`],
            ...['--output', got, '--write-out', '%{http_version}'],
            `https://${NAMES.web}/files/page`,
          ]);
          expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: version, stderr: '' });
          expect((await readFile(got, 'latin1')) === page, 'the page').to.equal(true);
          await expectEnds(mode === 'passthrough' ? 'web' : version === '2' ? 'web-h2' : 'web-h1', 1);
        });
      }

      it('the library pg', async () => {
        const pool = new pg.Pool({
          host: '127.0.0.1',
          port: line.proxy.port,
          user: ALICE.name,
          password: ALICE.password,
          database: 'postgres',
          ssl: { ca: line.certificate.ca, servername: NAMES.postgres },
          max: 5,
        });
        const numbers = Array.from({ length: 50 }, (_, i) => i);
        const results = await Promise.all(
          numbers.map((i) => pool.query('SELECT $1::int AS i, repeat($2, 10000)', [i, 'x'])),
        );
        expect(results.map(({ rows: [row] }) => row.i)).to.deep.equal(numbers);
        await pool.end();
        await expectEnds('postgres', 5);
      });

      it('the library ioredis', async () => {
        const redis = new Redis({
          host: '127.0.0.1',
          port: line.proxy.port,
          password: REDIS_PASSWORD,
          tls: { ca: line.certificate.ca, servername: NAMES.redis },
        });
        await redis.set('large', page);
        expect((await redis.get('large')) === page, 'the value').to.equal(true);
        await redis.quit();
        await expectEnds('redis', 1);
      });

      it('PgClient by turboTransport, without a proxy', async () => {
        const { host, port } = line.gateway;
        const transport = turboTransport({ turbo: line.turbo });
        const target = {
          host: NAMES.postgres,
          hostaddr: host,
          port,
          user: ALICE.name,
          password: ALICE.password,
          dbname: 'postgres',
          sslmode: 'verify-full',
        };
        const tls = { ca: line.certificate.ca };
        const client = await PgClient.connect(target, { env: {}, memory: new PgMemory(), transport, tls });
        const { rows } = await client.query('SELECT 1 AS one');
        expect(rows).to.deep.equal([{ one: 1 }]);
        await client.close();
        await expectEnds('postgres', 1);
      });

      it('RedisClient by turboTransport, without a proxy', async () => {
        const { host, port } = line.gateway;
        const tls = { ca: line.certificate.ca, servername: NAMES.redis };
        const transport = turboTransport({ turbo: line.turbo });
        const client = await RedisClient.connect({ host, port, password: REDIS_PASSWORD, tls, transport });
        expect(await client.command('ECHO', 'hello')).to.equal('hello');
        await client.close();
        await expectEnds('redis', 1);
      });
    });
  }
});

function isOrderly({ error, reason }: { error: Error | undefined; reason: string }): boolean {
  return error === undefined && (reason === 'client' || reason === 'backend');
}

/** Text of so many megabytes, of which no two lines are the same. */
function linesOf(megabytes: number): string {
  const line = (i: number) => `${i} ${'x'.repeat(i % 90)} ${(i * 2654435761) >>> 0}`;
  const lines: string[] = [];
  for (let length = 0; length < megabytes * 1_000_000; ) {
    const next = line(lines.length);
    length += lines.push(next) && next.length + 1;
  }
  return `${lines.join('\n')}\n`;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
