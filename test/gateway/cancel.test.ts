/** CancelRequest through the gateway: in the clear and within TLS, with keys that it knows and that it does not. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { expect } from 'chai';
import pg from 'pg';
import { type Conninfo, FrontendEncoder, PgClient, PgMemory } from '../../src/codec/pg/index.js';
import { PathMemory, turboTransport } from '../../src/experimental.js';
import { CANCELS_AT_ONCE } from '../../src/gateway/bounds.js';
import { CancelKeys, Canceller } from '../../src/gateway/cancel.js';
import type { RoutePlan } from '../../src/gateway/plan.js';
import { type PostgresServer, type PostgresVersion, requirePart, startPostgres } from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';
import { closeBackends, type EchoBackend, startEcho } from './echo-backend.js';
import { closeGateways, filesOf, type GatewayRig, passthrough, startGateway, terminate } from './gateway-rig.js';

const PASSWORD = 'a password of tests';
const CANCELED = '57014';
const CLIENT = {
  address: '192.0.2.1',
  port: 1,
  localAddress: '192.0.2.2',
  localPort: 2,
  serverName: undefined,
  alpn: undefined,
  tls: undefined,
};

interface CancelKey {
  processId: number;
  secretKey: Buffer;
}

function cancelRequest(key: CancelKey): Buffer {
  return new FrontendEncoder().write({ name: 'CancelRequest', ...key }).take();
}

/** Sends it in the clear, as libpq's PQcancel does, and waits for the end, as that does. */
async function cancelInTheClear(rig: GatewayRig, bytes: Buffer): Promise<void> {
  const socket = connectTcp({ host: rig.host, port: rig.port }, () => socket.write(bytes));
  socket.on('error', () => {}).resume();
  await new Promise((resolve) => socket.once('close', resolve));
}

describe('gateway: CancelRequest', function () {
  this.timeout(60_000);
  let certificate: Certificate;
  const clients = new Set<() => unknown>();

  before(async () => {
    certificate = await makeCertificate();
  });
  afterEach(async () => {
    for (const end of clients) await end();
    clients.clear();
    await closeGateways();
    await closeBackends();
  });

  for (const version of [15, 17, 18] as const satisfies PostgresVersion[]) {
    describe(`PostgreSQL ${version}`, () => {
      let server: PostgresServer;
      let bystander: EchoBackend;
      before(async function () {
        requirePart(this, `postgresql-${version}`);
        server = await startPostgres({ version, tls: certificate, users: [{ name: 'alice', password: PASSWORD }] });
      });
      beforeEach(async () => {
        // Ends what it is sent, as a PostgreSQL that does not know the key.
        bystander = await startEcho({ serve: (socket) => socket.resume().once('data', () => socket.end()) });
      });
      after(() => server?.stop());

      const others = () =>
        passthrough('other', [bystander], { match: { serverNames: ['other.test'], protocols: ['postgresql'] } });
      const through = () => passthrough('pg', [server], { backend: { transport: 'postgres' } });
      const ends = () =>
        terminate('pg', [server], { mode: { certificates: [filesOf(certificate)], alpn: ['postgresql'] } });

      function pgClient(rig: GatewayRig, conninfo: Conninfo, turbo: boolean): PgClient {
        const target = { host: 'localhost', hostaddr: rig.host, port: rig.port, user: 'alice', password: PASSWORD };
        const client = PgClient.open(
          { ...target, dbname: 'postgres', sslmode: 'verify-full', channel_binding: 'disable', ...conninfo },
          {
            env: {},
            memory: new PgMemory(),
            tls: { ca: certificate.ca },
            transport: turbo
              ? turboTransport({ turbo: { memory: new PathMemory(), limits: { graceMinMs: 1000 } } })
              : undefined,
          },
        );
        clients.add(() => client.destroy());
        return client;
      }

      /** One of pg, which tells its key; protocol 3.0. */
      async function nodePg(rig: GatewayRig): Promise<{ client: pg.Client; key: CancelKey }> {
        const client = new pg.Client({
          host: rig.host,
          port: rig.port,
          user: 'alice',
          password: PASSWORD,
          database: 'postgres',
          ssl: { ca: certificate.ca, servername: 'localhost' },
        });
        client.on('error', () => {});
        await client.connect();
        clients.add(() => client.end());
        const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
        const bytes = Buffer.alloc(4);
        bytes.writeInt32BE(secretKey);
        return { client, key: { processId: processID, secretKey: bytes } };
      }

      async function running(text: string): Promise<void> {
        for (;;) {
          const rows = await server.sql(`SELECT 1 FROM pg_stat_activity WHERE query = '${text}' AND state = 'active'`);
          if (rows.length > 0) return;
        }
      }

      const plans: [string, () => RoutePlan, boolean][] = [
        ['passthrough', through, false],
        ['terminate', ends, true],
      ];
      for (const [mode, plan, known] of plans) {
        it(`in the clear, ${mode}: ${known ? 'reaches its backend alone' : 'every PostgreSQL backend is asked'}`, async () => {
          const rig = await startGateway([plan(), others()]);
          const { client, key } = await nodePg(rig);
          const query = `SELECT pg_sleep(60), '${mode}'`;
          const result = client.query(query).catch((error) => error);
          await running(query.replaceAll("'", "''"));
          await cancelInTheClear(rig, cancelRequest(key));
          expect(await result).to.have.property('code', CANCELED);
          const [event] = rig.of('cancel');
          expect(event).to.include({ encrypted: false, known, reached: known ? 1 : 2 });
          expect(event?.client?.address).to.equal('127.0.0.1');
          expect(bystander.seen).to.equal(known ? 0 : 1);
          expect((await client.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }]);
        });

        it(`${mode}, to another gateway of the same plan, as two workers are: every PostgreSQL backend is asked`, async () => {
          const routes = [plan(), others()];
          const [one, two] = [await startGateway(routes), await startGateway(routes)];
          const { client, key } = await nodePg(one);
          const query = `SELECT pg_sleep(60), 'elsewhere ${mode}'`;
          const result = client.query(query).catch((error) => error);
          await running(query.replaceAll("'", "''"));
          await cancelInTheClear(two, cancelRequest(key));
          expect(await result).to.have.property('code', CANCELED);
          expect(two.of('cancel')[0]).to.include({ encrypted: false, known: false, reached: 2 });
          expect(bystander.seen).to.equal(1);
          expect((await client.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }]);
        });

        for (const [how, conninfo, turbo] of [
          ['SSLRequest', { sslnegotiation: 'postgres' }, false],
          ['direct TLS', { sslnegotiation: 'direct' }, false],
          ['turbo', {}, true],
        ] as const) {
          if (version === 15 && mode === 'passthrough' && how === 'direct TLS') continue;
          it(`within TLS, ${mode}, ${how}`, async () => {
            const rig = await startGateway([plan(), others()]);
            const client = pgClient(rig, conninfo, turbo);
            await client.ready;
            const query = `SELECT pg_sleep(60), '${how}'`;
            const abort = new AbortController();
            const result = client.query(query, undefined, { signal: abort.signal }).catch((error) => error);
            await running(query.replaceAll("'", "''"));
            abort.abort();
            await result;
            expect((await client.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }]);
            const { rows } = await client.query(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = $1`, [
              query,
            ]);
            expect(rows).to.deep.equal([{ n: 0 }]);
            await until(() => rig.of('connection-end').length > 0);
            const events = rig.of('cancel');
            if (known) expect(events[0]).to.include({ encrypted: true, known: true, reached: 1 });
            // End to end: the gateway does not know what passes.
            else expect(events).to.have.length(0);
            expect(rig.of('connection-end')[0]?.reason).to.be.oneOf(known ? ['cancel'] : ['client', 'backend']);
            expect(bystander.seen).to.equal(0);
          });
        }
      }

      it('a key that is wrong: nothing is cancelled, and nothing breaks', async () => {
        const rig = await startGateway([ends()]);
        const { client, key } = await nodePg(rig);
        const result = client.query('SELECT pg_sleep(0.3)');
        await running('SELECT pg_sleep(0.3)');
        await cancelInTheClear(rig, cancelRequest({ ...key, secretKey: Buffer.from('nono') }));
        await result;
        expect(rig.of('cancel')).to.have.length(1);
        expect(rig.of('cancel')[0]).to.include({ known: false, reached: 1 });
      });

      it('a key is forgotten when its connection is over', async () => {
        const rig = await startGateway([ends()]);
        const { client, key } = await nodePg(rig);
        await client.end();
        await rig.ended(1);
        await cancelInTheClear(rig, cancelRequest(key));
        expect(rig.of('cancel')[0]).to.include({ known: false });
      });
    });
  }

  it('a backend is told who cancels, where it takes PROXY headers', async () => {
    const echo = await startEcho({
      proxyProtocol: true,
      serve: (socket) => socket.resume().once('data', () => socket.end()),
    });
    const rig = await startGateway([
      passthrough('pg', [echo], { backend: { transport: 'postgres', proxyProtocol: true } }),
    ]);
    await cancelInTheClear(rig, cancelRequest({ processId: 1, secretKey: Buffer.from('key!') }));
    expect(echo.headers[0]?.source?.address).to.equal('127.0.0.1');
    expect(rig.of('cancel')[0]).to.include({ reached: 1 });
  });

  it('no PostgreSQL behind the gateway: reaches nobody', async () => {
    const echo = await startEcho();
    const rig = await startGateway([passthrough('web', [echo])]);
    await cancelInTheClear(rig, cancelRequest({ processId: 1, secretKey: Buffer.from('key!') }));
    expect(rig.of('cancel')[0]).to.include({ known: false, reached: 0 });
    expect(echo.seen).to.equal(0);
  });

  it('bytes behind it: refused', async () => {
    const rig = await startGateway([]);
    const request = cancelRequest({ processId: 1, secretKey: Buffer.from('key!') });
    await cancelInTheClear(rig, Buffer.concat([request, Buffer.from('more')]));
    expect((await rig.refused(1))[0]).to.include({ reason: 'cancel-request-invalid' });
  });

  it('too many at once: refused by name', async () => {
    let asked = 0;
    const silent = await startEcho({ serve: (socket) => socket.on('data', () => asked++) });
    const rig = await startGateway([passthrough('pg', [silent], { match: { protocols: ['postgresql'] } })]);
    const request = cancelRequest({ processId: 1, secretKey: Buffer.from('key!') });
    const underWay = Array.from({ length: CANCELS_AT_ONCE }, () => cancelInTheClear(rig, request));
    await until(() => asked === CANCELS_AT_ONCE);
    await cancelInTheClear(rig, request);
    expect((await rig.refused(1))[0]).to.include({ reason: 'too-many-cancels' });
    await silent.stop();
    await Promise.all(underWay);
    expect(rig.of('cancel').map(({ reached }) => reached)).to.deep.equal(Array(CANCELS_AT_ONCE).fill(1));
    expect(rig.of('refused')).to.have.length(1);
  });

  describe('Canceller', () => {
    const request = { name: 'CancelRequest', processId: 1, secretKey: Buffer.from('key!') } as const;
    const { signal } = new AbortController();

    it('passes on a hundred a second, and a hundred at once after a quiet second', async () => {
      let now = 0;
      let workers = 1;
      const canceller = new Canceller(
        new CancelKeys(),
        () => workers,
        () => now,
      );
      const passed = async (count: number) => {
        const all: unknown[] = [];
        for (let i = 0; i < count; i++) all.push(await canceller.cancel(request, CLIENT, [], signal));
        return all.filter((outcome) => outcome !== 'too-many').length;
      };
      expect(await passed(150)).to.equal(100);
      now += 100;
      expect(await passed(150)).to.equal(10);
      now += 10_000;
      expect(await passed(150)).to.equal(100);
      workers = 4;
      now += 10_000;
      expect(await passed(150), 'a share').to.equal(25);
      workers = 256;
      now += 10_000;
      expect(await passed(150)).to.equal(1);
    });

    it('gives up on a backend when the gateway closes', async () => {
      const silent = await startEcho({ serve: (socket) => socket.resume().once('end', () => socket.end()) });
      const keys = new CancelKeys();
      const { backend } = passthrough('pg', [silent]);
      keys.add(request, { backend, target: { host: silent.host, port: silent.port } });
      const closing = new AbortController();
      const outcome = new Canceller(keys).cancel(request, CLIENT, [], closing.signal);
      await until(() => silent.open.size === 1);
      closing.abort();
      expect(await outcome).to.deep.equal({ known: true, reached: 0 });
      await until(() => silent.open.size === 0);
    });
  });

  describe('CancelKeys', () => {
    const place = { backend: passthrough('pg', []).backend, target: { host: '192.0.2.1', port: 5432 } };

    it('tells keys apart by process and by every byte', () => {
      const keys = new CancelKeys();
      const forget = keys.add({ processId: 1, secretKey: Buffer.from('long key of protocol 3.2') }, place);
      expect(keys.find({ processId: 1, secretKey: Buffer.from('long key of protocol 3.2') })).to.equal(place);
      expect(keys.find({ processId: 2, secretKey: Buffer.from('long key of protocol 3.2') })).to.equal(undefined);
      expect(keys.find({ processId: 1, secretKey: Buffer.from('long key of protocol 3.') })).to.equal(undefined);
      forget();
      expect(keys.size).to.equal(0);
    });

    it('forgets only what it was told by the same connection', () => {
      const keys = new CancelKeys();
      const key = { processId: 1, secretKey: Buffer.from('key!') };
      const forgetFirst = keys.add(key, { ...place });
      keys.add(key, place);
      forgetFirst();
      expect(keys.find(key)).to.equal(place);
    });
  });

  it('waits for the end that the backend makes, as libpq does', async () => {
    let answer = () => {};
    const slow = await startEcho({
      serve: (socket) =>
        socket.resume().once('data', () => {
          answer = () => socket.end();
        }),
    });
    const rig = await startGateway([passthrough('pg', [slow], { match: { protocols: ['postgresql'] } })]);
    const socket = connectTcp({ host: rig.host, port: rig.port });
    await once(socket, 'connect');
    socket.write(cancelRequest({ processId: 1, secretKey: Buffer.from('key!') }));
    socket.resume();
    await until(() => slow.open.size === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(socket.readableEnded).to.equal(false);
    answer();
    await once(socket, 'end');
    socket.destroy();
  });
});
