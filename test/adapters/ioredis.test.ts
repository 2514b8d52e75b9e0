/** ioredis as it is, over TurboTLS, against redis-server. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { PathMemory, TurboConnector, type TurboSocket } from '../../src/experimental.js';
import { type Network, nodeNetwork } from '../../src/platform/network.js';
import { closeRigs, startTls } from '../gateway/proxy-rig.js';
import { freePort } from '../servers/daemon.js';
import { type RedisServer, requirePart, startRedis } from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';
import { CountingNetwork, countingTlsTransport, FlightCounter } from '../support/flights.js';
import { type Front, withFront } from './support.js';

const PASSWORD = 'secret';
const LARGE_BYTES = 9 << 20;
const OPERATIONS = 1_000;
const CONNECTIONS = 50;

describe('adapters/ioredis', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let server: RedisServer;
  const clients = new Set<Redis>();

  before(async function () {
    requirePart(this, 'redis-server');
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    server = await startRedis({ password: PASSWORD, tls: certificate });
  });
  after(() => server?.stop());
  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await until(() => [...clients].every(({ status }) => status === 'end'));
    clients.clear();
    await closeRigs();
  });

  /** Ended after the test; what goes wrong on the way is seen by who awaits its commands. */
  function kept(client: Redis): Redis {
    clients.add(client);
    return client.on('error', () => {});
  }

  const backend = () => ({ host: server.host, port: server.tlsPort });

  for (const udp of ['open', 'blocked'] as const) {
    describe(`with UDP ${udp}`, () => {
      let front: Front;

      before(async () => {
        front = await withFront(backend(), udp);
      });
      after(() => front?.close());
      afterEach(() => front.expectCarrier());

      function open(options: RedisOptions = {}): Redis {
        const { port, turbo } = front;
        return kept(
          new Redis({
            host: 'localhost',
            port,
            password: PASSWORD,
            tls: { ca: certificate.ca },
            Connector: TurboConnector.with(turbo),
            ...options,
          }),
        );
      }

      it('1,000 operations at a time, and one after the other', async () => {
        const redis = open();
        const counts = await Promise.all(Array.from({ length: OPERATIONS }, () => redis.incr('count')));
        expect(counts).to.deep.equal(Array.from({ length: OPERATIONS }, (_, at) => at + 1));
        for (let at = 0; at < OPERATIONS / 10; at++) expect(await redis.set('key', at)).to.equal('OK');
        expect(await redis.del('count')).to.equal(1);
        expect((redis.stream as TurboSocket).turbo?.carrier).to.equal(udp === 'open' ? 'udp' : 'tcp');
        expect(await redis.quit()).to.equal('OK');
        await until(() => redis.status === 'end');
      });

      it('large values both ways', async () => {
        const redis = open();
        const value = randomBytes(LARGE_BYTES);
        await redis.set('large', value);
        expect((await redis.getBuffer('large'))?.equals(value)).to.equal(true);
        await redis.del('large');
      });

      it('50 connections at a time', async () => {
        const redises = Array.from({ length: CONNECTIONS }, () => open());
        const ids = await Promise.all(redises.map((redis) => redis.client('ID')));
        expect(new Set(ids)).to.have.lengthOf(CONNECTIONS);
      });

      it('publish and subscribe; monitor, by a client like this one', async () => {
        const [redis, subscriber] = [open(), open()];
        await subscriber.subscribe('news');
        const said = once(subscriber, 'message');
        const monitor = kept(await redis.monitor());
        const seen = once(monitor, 'monitor');
        await redis.publish('news', 'of today');
        expect(await said).to.deep.equal(['news', 'of today']);
        expect((await seen)[1]).to.deep.equal(['publish', 'news', 'of today']);
      });

      it('a command that takes too long, and one that is given up', async () => {
        const slow = open({ commandTimeout: 100 });
        await slow.ping();
        const late = await failure(slow.call('DEBUG', 'SLEEP', '0.5'));
        expect(late.message).to.equal('Command timed out');
        const redis = open();
        await redis.ping();
        const blocked = failure(redis.blpop('nothing', 0));
        redis.disconnect();
        expect((await blocked).message).to.equal('Connection is closed.');
        await until(() => redis.status === 'end');
      });

      it('a certificate that is not trusted, and one of another name', async () => {
        const retryStrategy = () => null;
        const unknown = await firstError(open({ tls: {}, retryStrategy }));
        expect(unknown).to.have.property('code', 'SELF_SIGNED_CERT_IN_CHAIN');
        const tls = { ca: certificate.ca, servername: 'other.test' };
        const other = await firstError(open({ tls, retryStrategy }));
        expect(other).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
        const unchecked = open({ tls: { rejectUnauthorized: false } });
        expect(await unchecked.ping()).to.equal('PONG');
      });
    });
  }

  for (const udp of ['open', 'blocked'] as const) {
    // Without looking at the carrier: while the server is away nothing answers, over UDP neither.
    it(`connects again when the server was away, with UDP ${udp}`, async () => {
      const front = await withFront(backend(), udp);
      try {
        const { port, turbo } = front;
        const redis = kept(
          new Redis(`rediss://:${PASSWORD}@localhost:${port}`, {
            tls: { ca: certificate.ca },
            Connector: TurboConnector.with(turbo),
            retryStrategy: () => 20,
          }),
        );
        expect(await redis.ping()).to.equal('PONG');
        const closed = once(redis, 'close');
        await server.restart();
        await closed;
        expect(await redis.ping()).to.equal('PONG');
      } finally {
        await front.close();
      }
    });
  }

  it('takes a URL, and is TLS whatever its scheme', async () => {
    const front = await withFront(backend(), 'open');
    try {
      const Connector = TurboConnector.with(front.turbo);
      for (const scheme of ['rediss', 'redis']) {
        const url = `${scheme}://:${PASSWORD}@localhost:${front.port}/3`;
        const redis = kept(new Redis(url, { tls: { ca: certificate.ca }, Connector }));
        expect(await redis.client('INFO')).to.match(/ db=3 /);
        expect((redis.stream as TurboSocket).encrypted).to.equal(true);
        await redis.quit();
      }
      // Node knows no authority of ours: that it is not trusted shows that it is looked at.
      const untold = kept(new Redis(`rediss://localhost:${front.port}`, { Connector, retryStrategy: () => null }));
      expect(await firstError(untold)).to.have.property('code', 'SELF_SIGNED_CERT_IN_CHAIN');
      const bare = kept(new Redis({ host: 'localhost', port: front.port, Connector, retryStrategy: () => null }));
      expect(await firstError(bare)).to.have.property('code', 'SELF_SIGNED_CERT_IN_CHAIN');
      front.expectCarrier();
    } finally {
      await front.close();
    }
  });

  it('one round trip less than over TLS', async () => {
    const front = await withFront(backend(), 'open');
    const address = { host: '127.0.0.1', port: front.port };
    async function roundTrips(counter: FlightCounter, Connector: RedisOptions['Connector'], ready: boolean) {
      const tls = { ca: certificate.ca };
      const options = { ...address, password: PASSWORD, tls, enableReadyCheck: ready, Connector };
      const redis = kept(new Redis(options));
      await redis.get('key');
      return counter.roundTrips;
    }
    function overTurbo(ready: boolean) {
      const counter = new FlightCounter();
      const network = new CountingNetwork(counter);
      return roundTrips(counter, TurboConnector.with({ ...front.turbo, memory: new PathMemory(), network }), ready);
    }
    function overTls(ready: boolean) {
      const counter = new FlightCounter();
      return roundTrips(counter, tlsConnector(countingTlsTransport(counter, { ca: certificate.ca }), address), ready);
    }
    try {
      expect([await overTls(true), await overTurbo(true)]).to.deep.equal([5, 4]);
      expect([await overTls(false), await overTurbo(false)]).to.deep.equal([4, 3]);
    } finally {
      await front.close();
    }
  });

  describe('Cluster', () => {
    it('its nodes by redisOptions; the subscriber, which takes no Connector, by TLS over TCP', async () => {
      const bus = `cluster-port ${await freePort()}`;
      const args = ['cluster-enabled yes', 'tls-cluster yes', 'cluster-announce-ip 127.0.0.1', bus];
      const node = await startRedis({ tls: certificate, args });
      const front = await withFront({ host: node.host, port: node.tlsPort }, 'open');
      const admin = new Redis({ path: node.socketPath });
      try {
        await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
        while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await delay(10);
        const cluster = new Cluster([{ host: '127.0.0.1', port: front.port }], {
          natMap: { [`127.0.0.1:${node.tlsPort}`]: { host: '127.0.0.1', port: front.port } },
          redisOptions: { Connector: TurboConnector.with(front.turbo), tls: { ca: certificate.ca } },
        });
        try {
          expect(await cluster.set('key', 'value')).to.equal('OK');
          expect(await cluster.get('key')).to.equal('value');
          expect(front.carriers.tcp).to.equal(0);
          const said = once(cluster, 'message');
          await cluster.subscribe('news');
          await cluster.publish('news', 'of today');
          expect(await said).to.deep.equal(['news', 'of today']);
          expect(front.carriers.tcp).to.equal(1);
          expect(front.carriers.turbo).to.be.greaterThan(0);
        } finally {
          cluster.disconnect();
        }
      } finally {
        admin.disconnect();
        await front.close();
        await node.stop();
      }
    });
  });

  describe('connecting', () => {
    it('names the server, unless tls names another or it is an address', async () => {
      const names: unknown[] = [];
      const { port } = await startTls({ ...certificate }, (socket) => {
        names.push(Reflect.get(socket, 'servername'));
        socket.resume();
      });
      const others = { port, Connector: TurboConnector.with({ memory: new PathMemory() }), maxRetriesPerRequest: 0 };
      const tls = { rejectUnauthorized: false };
      for (const options of [
        { host: 'localhost', tls },
        { host: '127.0.0.1', tls: { ...tls, servername: 'cache.test' } },
        { host: '127.0.0.1', tls },
      ]) {
        const before = names.length;
        const redis = kept(new Redis({ ...others, ...options }));
        await until(() => names.length > before);
        redis.disconnect();
        await until(() => redis.status === 'end');
      }
      expect(names).to.deep.equal(['localhost', 'cache.test', false]);
    });

    it('family, noDelay and keepAlive reach TCP', async () => {
      const { host, port } = await startTls({ ...certificate });
      const calls: unknown[] = [];
      const network: Network = {
        ...nodeNetwork,
        connectTcp: (options) => {
          const { family, noDelay } = options;
          calls.push({ family, noDelay });
          const socket = nodeNetwork.connectTcp(options);
          const setKeepAlive = socket.setKeepAlive.bind(socket);
          return Object.assign(socket, {
            setKeepAlive: (...args: [boolean?, number?]) => {
              calls.push(args);
              return setKeepAlive(...args);
            },
          });
        },
      };
      kept(
        new Redis({
          ...{ host, port, family: 4, noDelay: false, keepAlive: 12_000 },
          tls: { ca: certificate.ca },
          Connector: TurboConnector.with({ network, memory: new PathMemory() }),
        }),
      );
      await until(() => calls.length === 2);
      expect(calls).to.deep.equal([{ family: 4, noDelay: false }, [true, 12_000]]);
    });

    it('connectTimeout covers TLS, not only TCP; where tls is not given too', async () => {
      const { port, close } = await startSilent();
      const Connector = TurboConnector.with({ memory: new PathMemory() });
      const redis = kept(
        new Redis({ host: '127.0.0.1', port, connectTimeout: 200, retryStrategy: () => null, Connector }),
      );
      expect(await firstError(redis)).to.have.property('code', 'ETIMEDOUT');
      await until(() => redis.status === 'end');
      await close();
    });

    it('disconnect: at once, while it connects, and where the server does not answer its end', async () => {
      const silent = await startSilent();
      const Connector = TurboConnector.with({ memory: new PathMemory() });
      const address = { host: '127.0.0.1', port: silent.port, disconnectTimeout: 60_000, Connector };
      const midway = kept(new Redis(address));
      await until(() => silent.sockets.size === 1);
      midway.disconnect();
      await until(() => midway.status === 'end');
      const atOnce = kept(new Redis(address));
      atOnce.disconnect();
      await until(() => atOnce.status === 'end');
      await silent.close();

      const deaf = await startTls({ ...certificate, allowHalfOpen: true }, (socket) => socket.resume());
      const tls = { ca: certificate.ca };
      const redis = kept(new Redis({ host: deaf.host, port: deaf.port, tls, disconnectTimeout: 100, Connector }));
      await once(redis, 'connect');
      redis.disconnect();
      await until(() => redis.status === 'end');
    });

    it('nobody there: an error each time, and again as retryStrategy says', async () => {
      const silent = await startSilent();
      await silent.close();
      const tries: number[] = [];
      const redis = kept(
        new Redis({
          host: '127.0.0.1',
          port: silent.port,
          Connector: TurboConnector.with({ memory: new PathMemory() }),
          retryStrategy: (times) => {
            tries.push(times);
            return times < 3 ? 1 : null;
          },
        }),
      );
      expect(await firstError(redis)).to.have.property('code', 'ECONNREFUSED');
      await until(() => redis.status === 'end');
      expect(tries).to.deep.equal([1, 2, 3]);
    });

    it('leaves a Unix socket as it is', async () => {
      const options = { password: PASSWORD, Connector: TurboConnector };
      const redis = kept(new Redis(server.socketPath, options));
      expect(await redis.ping()).to.equal('PONG');
      expect(redis.stream).not.to.have.property('encrypted');
      expect(() => new Redis(server.socketPath, { Connector: TurboConnector.with({ mode: 'require' }) }))
        .to.throw(/is a Unix socket, and no TCP connection begins/)
        .with.property('code', 'ERR_TURBO_REQUIRED');
    });

    it('refuses what it would have to leave out', () => {
      const wrong: [object, RegExp][] = [
        [{ sentinels: [{ host: 'sentinel.test' }] }, /ioredis asks no sentinels where it has a Connector/],
        [{ tls: false }, /got false: TurboTLS is always TLS, leave it out/],
        [{ tls: 'NoSuchProfile' }, /got 'NoSuchProfile'/],
      ];
      for (const [options, message] of wrong) {
        expect(() => new Redis({ ...options, Connector: TurboConnector }))
          .to.throw(message)
          .with.property('code', 'ERR_TURBO_BAD_OPTION');
      }
      const mode = 'always' as unknown as 'require';
      expect(() => TurboConnector.with({ mode })).to.throw(/turbo.mode is 'prefer', 'require' or 'off'/);
    });
  });
});

function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it was expected to fail'),
    (error) => error,
  );
}

async function firstError(client: Redis): Promise<Error> {
  const [error] = await once(client, 'error');
  return error;
}

/** As a user's own: the test's measure for what TLS costs. */
function tlsConnector(
  dial: ReturnType<typeof countingTlsTransport>,
  address: { host: string; port: number },
): RedisOptions['Connector'] {
  class TlsConnector {
    #stream: Socket | undefined;

    async connect() {
      this.#stream = await dial(address);
      return this.#stream;
    }

    check() {
      return true;
    }

    disconnect() {
      this.#stream?.destroy();
    }
  }
  return TlsConnector as unknown as RedisOptions['Connector'];
}

/** A server that accepts, and says nothing, not even that the client has ended. */
async function startSilent() {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    socket.resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
