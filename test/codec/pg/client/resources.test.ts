/** What connections leave behind, however they end: nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { type Conninfo, PgClient, type PgClientOptions, PgMemory } from '../../../../src/codec/pg/index.js';
import { freePort } from '../../../servers/daemon.js';
import { type PostgresServer, requirePart, startPostgres } from '../../../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../../support/certificates.js';
import { LoopbackServer } from './loopback-server.js';
import { rejection } from './support.js';

const COUNT = 500;
const AT_A_TIME = 20;

describe('PgClient: resources', function () {
  this.timeout(60_000);

  let tls: Certificate;
  let server: PostgresServer;
  const memory = new PgMemory();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);

  before(async function () {
    requirePart(this, 'postgresql-18');
    tls = await makeCertificate();
    server = await startPostgres({ version: 18, tls, settings: { max_connections: '100' } });
    process.on('warning', onWarning);
  });
  after(async () => {
    process.off('warning', onWarning);
    await server?.stop();
  });

  function open(more: Conninfo = {}, options: PgClientOptions = {}): PgClient {
    const { host, port, superuser } = server;
    const target = { host, port, ...superuser, dbname: 'postgres', application_name: 'resources' };
    return PgClient.open({ ...target, sslmode: 'disable', ...more }, { env: {}, memory, ...options });
  }

  async function backends(): Promise<number> {
    const [row] = await server.sql(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'resources'",
    );
    return row?.n as number;
  }

  /** Runs it COUNT times, some at a time, and shows that all is as it was. */
  async function expectNothingLeft(run: (nth: number) => Promise<unknown>): Promise<void> {
    await run(0); // what is loaded and remembered once
    await delay(20);
    const before = tally(process.getActiveResourcesInfo());
    for (let nth = 0; nth < COUNT; nth += AT_A_TIME) {
      await Promise.all(Array.from({ length: AT_A_TIME }, (_, i) => run(nth + i)));
    }
    let left = await backends();
    for (let tries = 0; left > 0 && tries < 200; tries++) {
      await delay(10);
      left = await backends();
    }
    expect(left, 'connections that the server has').to.equal(0);
    await delay(20);
    expect(tally(process.getActiveResourcesInfo())).to.deep.equal(before);
    expect(warnings).to.deep.equal([]);
  }

  it('of connections that are closed', () =>
    expectNothingLeft(async (nth) => {
      const client = open();
      await client.query('SELECT 1', nth % 2 ? [] : undefined);
      await client.close();
    }));

  it('of connections with one signal for all, that are destroyed', async () => {
    const { signal } = new AbortController();
    await expectNothingLeft(async () => {
      const client = open({}, { signal });
      await client.query('SELECT 1', [], { signal });
      client.destroy();
      await client.closed;
    });
  });

  it('of connections that are refused', async () => {
    const port = await freePort();
    await expectNothingLeft(async () => {
      expect((await rejection(open({ port }).ready)).code).to.equal('ECONNREFUSED');
    });
  });

  it('of logins that are refused', () =>
    expectNothingLeft(async () => {
      const client = open({ password: 'wrong', connect_timeout: 20 });
      const errors = await Promise.all([client.ready, client.query('SELECT 1')].map(rejection));
      for (const { code } of errors) expect(code).to.equal('28P01');
    }));

  it('of TLS that fails', async () => {
    const { cert } = await makeAuthority({ name: 'strangers' });
    await expectNothingLeft(async (nth) => {
      const sslnegotiation = nth % 2 ? 'direct' : 'postgres';
      const client = open({ host: 'localhost', sslmode: 'verify-full', sslnegotiation }, { tls: { ca: cert } });
      expect((await rejection(client.ready)).code).to.match(/CERT|ISSUER|SIGNATURE/);
    });
  });

  for (const sslmode of ['disable', 'verify-full'] as const) {
    it(`of connections that are given up at any moment, sslmode=${sslmode}`, () =>
      expectNothingLeft(async () => {
        const controller = new AbortController();
        const reason = new Error('given up');
        const client = open({ host: 'localhost', sslmode }, { signal: controller.signal, tls: { ca: tls.ca } });
        const query = client.query('SELECT pg_sleep(0.1)').catch((error: Error) => error);
        await delay(Math.random() * 30);
        controller.abort(reason);
        expect(await query).to.equal(reason);
        expect(await client.closed).to.equal(reason);
      }));
  }

  it('of queries that are cancelled at any moment', async () => {
    const clients = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = open();
        await client.ready;
        return client;
      }),
    );
    const before = tally(process.getActiveResourcesInfo());
    const { signal } = new AbortController();
    for (let round = 0; round < 25; round++) {
      await Promise.all(
        clients.map(async (client) => {
          const timeoutMs = 1 + Math.floor(Math.random() * 20);
          await client.query('SELECT pg_sleep(0.01)', [], { timeoutMs }).catch(() => {});
          await client.query('SELECT 1', [], { signal });
        }),
      );
    }
    expect(tally(process.getActiveResourcesInfo())).to.deep.equal(before);
    for (const client of clients) await client.close();
    expect(await backends()).to.equal(0);
    expect(warnings).to.deep.equal([]);
  });

  it('of a server that says nothing', async () => {
    const silent = await LoopbackServer.start(() => {});
    const client = open({ port: silent.port });
    await delay(20);
    expect(silent.connections).to.equal(1);
    client.destroy();
    await client.closed;
    expect((await rejection(client.ready)).code).to.equal('ERR_PG_CLOSED');
    await silent.allClosed();
    await silent.stop();
  });

  it('of one in `await using`', async () => {
    let client: PgClient;
    {
      await using used = open();
      client = used;
      await used.query('SELECT 1');
    }
    expect(await client.closed).to.equal(undefined);
    expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CLOSED');
  });
});

/** Of what keeps the process alive, how many of each kind. */
function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
