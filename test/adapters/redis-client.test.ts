/** @redis/client has no option for a stream: through the local proxy, by TCP on loopback and by a Unix socket. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, createClientPool, RESP_TYPES, type RedisClientOptions } from '@redis/client';
import { expect } from 'chai';
import { endPrograms, run } from '../examples/programs.js';
import { closeRigs, type ProxyRig, startProxy } from '../gateway/proxy-rig.js';
import { type RedisServer, requirePart, startRedis } from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { type Front, withFront } from './support.js';

const PASSWORD = 'secret';
const OPERATIONS = 1_000;
const CONNECTIONS = 50;
const LARGE_BYTES = 9 << 20;

type Client = { destroy(): void };

describe('adapters: @redis/client, by the local proxy', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let server: RedisServer;
  let folder: string;
  const clients = new Set<Client>();

  before(async function () {
    requirePart(this, 'redis-server');
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    server = await startRedis({ password: PASSWORD, tls: certificate });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-redis-client-'));
  });
  after(async () => {
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients.clear();
    await endPrograms();
    await closeRigs();
  });

  function kept<T extends Client & { on(event: 'error', listener: () => void): unknown }>(client: T): T {
    clients.add(client);
    client.on('error', () => {});
    return client;
  }

  for (const udp of ['open', 'blocked'] as const) {
    describe(`with UDP ${udp}`, () => {
      let front: Front;
      let proxy: ProxyRig;
      let path: string;

      before(async () => {
        front = await withFront({ host: server.host, port: server.tlsPort }, udp);
        path = join(folder, `${udp}.sock`);
      });
      beforeEach(async () => {
        proxy = await proxyTo(front, 'localhost');
      });
      after(() => front?.close());

      /** `turbotls proxy --listen 127.0.0.1:0 --listen PATH --to FRONT --tls --ca CA`. */
      function proxyTo({ host, port, turbo }: Front, serverName: string): Promise<ProxyRig> {
        const mode = { kind: 'originate', serverName, ca: certificate.ca, verify: true } as const;
        const listen = [{ host: '127.0.0.1', port: 0 }, { path }];
        return startProxy({ to: { host, port }, mode, listen }, turbo);
      }

      const byPort = () => ({ host: '127.0.0.1', port: proxy.port });
      const ways: [string, () => RedisClientOptions['socket']][] = [
        ['port', byPort],
        ['Unix socket', () => ({ path, tls: false })],
      ];

      for (const [way, socket] of ways) {
        it(`by ${way}: 1,000 operations at a time, and large values both ways`, async () => {
          const client = kept(createClient({ socket: socket(), password: PASSWORD }));
          await client.connect();
          await client.del('count');
          const counts = await Promise.all(Array.from({ length: OPERATIONS }, () => client.incr('count')));
          expect(counts).to.deep.equal(Array.from({ length: OPERATIONS }, (_, at) => at + 1));
          const value = randomBytes(LARGE_BYTES);
          await client.set('large', value);
          const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
          expect(value.equals((await buffers.get('large')) ?? Buffer.alloc(0))).to.equal(true);
          await client.del('large');
          await client.close();
          front.expectCarrier();
        });
      }

      it('a pool of 50', async () => {
        const options = { socket: byPort(), password: PASSWORD };
        const pool = kept(createClientPool(options, { minimum: CONNECTIONS, maximum: CONNECTIONS }));
        await pool.connect();
        const pongs = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.ping()));
        expect(new Set(pongs)).to.deep.equal(new Set(['PONG']));
        expect(pool.totalClients).to.equal(CONNECTIONS);
        await pool.close();
        front.expectCarrier();
      });

      // Without looking at the carrier, by a front of its own: while the server is away nothing answers, over UDP neither.
      it('connects again when the server was away', async () => {
        await closeRigs();
        const other = await withFront({ host: server.host, port: server.tlsPort }, udp);
        proxy = await proxyTo(other, 'localhost');
        const socket = { ...byPort(), reconnectStrategy: 20 };
        const client = kept(createClient({ socket, password: PASSWORD }));
        await client.connect();
        await client.ping();
        await server.restart();
        expect(await client.ping().catch(() => client.ping())).to.equal('PONG');
        await other.close();
      });

      it('a certificate of another name: the proxy gives it no connection', async () => {
        await closeRigs();
        proxy = await proxyTo(front, 'other.test');
        const client = kept(createClient({ socket: { ...byPort(), reconnectStrategy: false } }));
        const error = await client.connect().then(
          () => expect.fail('it was expected to fail'),
          (reason: Error) => reason,
        );
        expect(error.message).to.match(/closed unexpectedly|ECONNRESET/);
        const [refused] = await proxy.refusals(1);
        expect(refused?.error).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
      });

      it('the example, both ways', async () => {
        for (const address of [
          ['--url', `redis://127.0.0.1:${proxy.port}`],
          ['--socket', path],
        ]) {
          const ended = await run('clients/redis-client-by-proxy', [...address, '--password', PASSWORD]);
          expect(ended).to.deep.equal({ code: 0, stdout: '1\n2\n3\n', stderr: '' });
        }
        front.expectCarrier();
      });
    });
  }
});
