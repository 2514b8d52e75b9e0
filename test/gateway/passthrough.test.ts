/** TLS end to end, through the gateway to real servers: by every negotiation on either side, over UDP and without it. */
import { once } from 'node:events';
import { createServer as createHttpsServer, get, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { type Conninfo, PgClient, type PgClientOptions, PgMemory } from '../../src/codec/pg/index.js';
import { RedisClient } from '../../src/codec/redis/index.js';
import { connect as connectTurbo, PathMemory, turboTransport } from '../../src/experimental.js';
import type { Transport } from '../../src/transport.js';
import {
  type PostgresServer,
  type PostgresVersion,
  type RedisServer,
  requirePart,
  startPostgres,
  startRedis,
} from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { closeBackends, startEcho } from './echo-backend.js';
import { closeGateways, type GatewayRig, passthrough, startGateway } from './gateway-rig.js';

const PASSWORD = 'a password of tests';

/** How TLS gets to the gateway. */
const CARRIERS = {
  'TCP, direct TLS': { conninfo: { sslnegotiation: 'direct' }, carrier: 'tcp' },
  'TCP, SSLRequest': { conninfo: { sslnegotiation: 'postgres' }, carrier: 'tcp' },
  'UDP open': { loss: 0, carrier: 'turbo' },
  'UDP blocked': { loss: 1, carrier: 'tcp' },
} as const satisfies Record<string, { conninfo?: Conninfo; loss?: number; carrier: string }>;
type CarrierName = keyof typeof CARRIERS;

/** A busy machine must not count as a path without UDP. */
function turboOptions(loss: number) {
  const limits = loss === 0 ? { graceMinMs: 1000 } : {};
  return { network: new LossyNetwork({ loss, seed: 'passthrough' }), memory: new PathMemory(), limits };
}

describe('gateway: passthrough', function () {
  this.timeout(60_000);
  let certificate: Certificate;
  const clients = new Set<{ destroy(): unknown }>();

  before(async () => {
    certificate = await makeCertificate();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients.clear();
    await closeGateways();
    await closeBackends();
  });

  for (const version of [15, 17, 18] as const satisfies PostgresVersion[]) {
    describe(`PostgreSQL ${version}`, () => {
      let server: PostgresServer;
      before(async function () {
        requirePart(this, `postgresql-${version}`);
        server = await startPostgres({ version, tls: certificate, users: [{ name: 'alice', password: PASSWORD }] });
      });
      after(() => server?.stop());

      function open(rig: GatewayRig, carrier: CarrierName, options: PgClientOptions = {}): PgClient {
        const { conninfo = {}, loss } = CARRIERS[carrier] as { conninfo?: Conninfo; loss?: number };
        const target = { host: 'localhost', hostaddr: rig.host, port: rig.port, user: 'alice', password: PASSWORD };
        const transport: Transport | undefined =
          loss === undefined ? undefined : turboTransport({ turbo: turboOptions(loss) });
        const client = PgClient.open(
          { ...target, dbname: 'postgres', sslmode: 'verify-full', channel_binding: 'require', ...conninfo },
          { env: {}, memory: new PgMemory(), tls: { ca: certificate.ca }, transport, ...options },
        );
        clients.add(client);
        return client;
      }

      // PostgreSQL 15 knows neither direct TLS nor ALPN, without which no client does direct TLS.
      const transports = version === 15 ? (['postgres'] as const) : (['plain', 'postgres'] as const);
      const carriers = (Object.keys(CARRIERS) as CarrierName[]).filter(
        (name) => version !== 15 || name !== 'TCP, direct TLS',
      );
      for (const transport of transports) {
        for (const carrier of carriers) {
          it(`${carrier}, to a backend with transport ${transport}`, async () => {
            const rig = await startGateway([passthrough('pg', [server], { backend: { transport } })]);
            const client = open(rig, carrier);
            const { rows } = await client.query(
              'SELECT ssl, current_user AS me FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
            );
            expect(rows).to.deep.equal([{ ssl: true, me: 'alice' }]);
            await client.close();
            const [end] = await rig.ended(1);
            expect(end).to.deep.include({
              route: 'pg',
              mode: 'passthrough',
              carrier: CARRIERS[carrier].carrier,
              serverName: 'localhost',
              target: { host: server.host, port: server.port },
              reason: 'client',
            });
            expect(end?.client?.address).to.equal('127.0.0.1');
            for (const ms of [end?.timings.helloMs, end?.timings.backendMs, end?.timings.firstByteMs]) {
              expect(ms).to.be.within(0, end?.timings.totalMs ?? 0);
            }
          });
        }
      }

      it('20 MB in each direction, whole', async () => {
        const rig = await startGateway([passthrough('pg', [server], { backend: { transport: 'postgres' } })]);
        for (const carrier of ['TCP, SSLRequest', 'UDP open'] as const) {
          const client = open(rig, carrier);
          const text = 'turbo TLS '.repeat(2_000_000);
          const { rows } = await client.query('SELECT md5($1::text) AS hash, $1::text AS text', [text]);
          expect(rows[0]?.text === text).to.equal(true);
          await client.close();
        }
        for (const { up, down } of await rig.ended(2)) {
          expect(up).to.be.above(20_000_000);
          expect(down).to.be.above(20_000_000);
        }
      });
    });
  }

  describe('Redis', () => {
    let server: RedisServer;
    before(async function () {
      requirePart(this, 'redis-server');
      server = await startRedis({ tls: certificate });
    });
    after(() => server?.stop());

    for (const [name, loss] of Object.entries({ TCP: undefined, 'UDP open': 0, 'UDP blocked': 1 })) {
      it(name, async () => {
        const rig = await startGateway([passthrough('redis', [{ host: server.host, port: server.tlsPort }])]);
        const transport = loss === undefined ? undefined : turboTransport({ turbo: turboOptions(loss) });
        const tls = { ca: certificate.ca, servername: 'localhost' };
        const client = await RedisClient.connect(`rediss://${rig.host}:${rig.port}`, { tls, transport });
        clients.add(client);
        expect(await client.command('PING')).to.equal('PONG');
        await client.close();
        expect((await rig.ended(1))[0]).to.include({ route: 'redis', carrier: loss === 0 ? 'turbo' : 'tcp' });
      });
    }
  });

  describe('HTTPS', () => {
    let server: HttpsServer;
    before(async () => {
      server = createHttpsServer(certificate, (request, response) => response.end(`hello ${request.url}`));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    after(() => server.close());

    for (const [name, loss] of Object.entries({ TCP: undefined, 'UDP open': 0, 'UDP blocked': 1 })) {
      it(name, async () => {
        const { port } = server.address() as AddressInfo;
        const rig = await startGateway([
          passthrough('web', [{ host: '127.0.0.1', port }], { match: { alpn: ['http/1.1'] } }),
        ]);
        const options = { host: rig.host, port: rig.port, servername: 'localhost', ca: certificate.ca };
        const turbo = loss === undefined ? undefined : turboOptions(loss);
        const request = get({
          ...options,
          path: '/path',
          createConnection: () =>
            turbo
              ? connectTurbo({ ...options, ALPNProtocols: ['http/1.1'], turbo })
              : connectTls({ ...options, ALPNProtocols: ['http/1.1'] }),
        });
        const [response] = await once(request, 'response');
        let text = '';
        for await (const chunk of response) text += chunk;
        expect(text).to.equal('hello /path');
        expect((await rig.ended(1))[0]).to.include({
          route: 'web',
          alpn: 'http/1.1',
          carrier: loss === 0 ? 'turbo' : 'tcp',
        });
      });
    }
  });

  describe('over UDP', () => {
    it('the backend is dialled before TCP has claimed the session, so that its flight goes over UDP', async () => {
      const rig = await startGateway([passthrough('all', [await startEcho({ tls: certificate })])]);
      const options = { host: rig.host, port: rig.port, servername: 'localhost', ca: certificate.ca };
      const client = connectTurbo({ ...options, turbo: turboOptions(0) });
      clients.add(client);
      await once(client, 'secureConnect');
      expect(client.turbo?.carrier).to.equal('udp');
    });

    for (const [why, backend] of Object.entries({
      'a PROXY header goes in front': { proxyProtocol: true },
      'the source chooses the backend': { balance: 'source' },
    } as const)) {
      it(`where ${why}, nobody is dialled for an address of UDP: the client goes on over TCP`, async () => {
        const proxyProtocol = 'proxyProtocol' in backend;
        const echo = await startEcho({ tls: certificate, proxyProtocol });
        const rig = await startGateway([passthrough('all', [echo], { backend })]);
        const options = { host: rig.host, port: rig.port, servername: 'localhost', ca: certificate.ca };
        const client = connectTurbo({ ...options, turbo: { memory: new PathMemory() } });
        clients.add(client);
        await once(client, 'secureConnect');
        client.write('x');
        await once(client, 'data');
        const source = { address: '127.0.0.1', port: client.localPort };
        const destination = { address: '127.0.0.1', port: rig.port };
        const header = { command: 'proxy', version: 2, source, destination, authority: 'localhost' };
        expect(echo.headers).to.deep.equal(proxyProtocol ? [header] : []);
        expect(echo.seen).to.equal(1);
        client.destroy();
        const [end] = await rig.ended(1);
        expect(end).to.deep.include({ carrier: 'tcp', client: source });
        await rig.gateway.close();
        expect(rig.of('refused')).to.have.length(1);
        expect(rig.of('refused')[0]).to.include({ carrier: 'turbo', reason: 'unclaimed', client: undefined });
      });
    }
  });

  it('no backend that answers: internal_error, on TCP and over UDP; the next one is taken where there are several', async () => {
    const echo = await startEcho({ tls: certificate });
    const dead = await startEcho();
    await dead.stop();
    const rig = await startGateway([
      passthrough('dead', [dead], { match: { serverNames: ['dead.test'] } }),
      passthrough('some', [dead, echo]),
    ]);
    for (const loss of [0, 1]) {
      const options = { host: rig.host, port: rig.port, turbo: turboOptions(loss) };
      const client = connectTurbo({ ...options, servername: 'dead.test' });
      clients.add(client);
      expect((await once(client, 'error'))[0]).to.have.property('code', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
      const alive = connectTurbo({ ...options, servername: 'localhost', ca: certificate.ca });
      clients.add(alive);
      await once(alive, 'secureConnect');
      alive.destroy();
    }
    const ends = await rig.ended(4);
    const unreachable = ends.filter(({ route }) => route === 'dead');
    expect(unreachable.map(({ reason }) => reason)).to.deep.equal(['backend-unreachable', 'backend-unreachable']);
    expect(unreachable.map(({ carrier }) => carrier)).to.have.members(['turbo', 'tcp']);
    expect(unreachable[0]?.error).to.have.property('code', 'ERR_GATEWAY_BACKEND');
    expect(unreachable[0]?.client?.address).to.equal('127.0.0.1');
    expect(rig.of('backend')[0]).to.deep.include({ healthy: false, target: { host: dead.host, port: dead.port } });
  });
});
