/** rediss://: who is talked to is verified, by either kind of transport; over turbo too. */
import { expect } from 'chai';
import { RedisClient, type RedisClientOptions } from '../../../../src/codec/redis/index.js';
import { PathMemory, turboTransport } from '../../../../src/experimental.js';
import { type Transport, tcpTransport, tlsTransport } from '../../../../src/transport.js';
import type { RedisServer } from '../../../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../../support/certificates.js';
import { CountingNetwork, countingTlsTransport, countingTransport, FlightCounter } from '../../../support/flights.js';
import { startTurboFront, type TurboFront } from '../../../support/turbo-front.js';
import { closeAll, connect, open, redisServer, rejection, SERVER_TIMEOUT_MS } from './support.js';

const USER = 'alice:secret@';
const ACL = ['alice on >secret ~* &* +@all'];
const TLS_TRANSPORTS: [string, () => Transport | undefined][] = [
  ['no transport', () => undefined],
  ['a secure transport', () => tlsTransport()],
  ['a secure transport that does not verify by itself', () => tlsTransport({ rejectUnauthorized: false })],
  ['a plain transport', () => tcpTransport()],
  ['turbo', () => turboTransport({ turbo: { memory: new PathMemory() } })],
];

function urlOf({ tlsPort }: RedisServer, host = 'localhost', user = USER): string {
  return `rediss://${user}${host}:${tlsPort}`;
}

describe('codec/redis/client: TLS', function () {
  this.timeout(SERVER_TIMEOUT_MS);
  let right: Certificate;
  before(async () => {
    right = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
  });
  afterEach(closeAll);

  describe('a right certificate', () => {
    const server = redisServer(async () => ({
      acl: ACL,
      tls: await makeCertificate({ names: ['localhost', '127.0.0.1'] }),
    }));

    for (const [name, transport] of TLS_TRANSPORTS) {
      it(`${name}: by name and by address`, async () => {
        for (const host of ['localhost', '127.0.0.1']) {
          const tls = { ca: right.ca };
          const client = await connect(urlOf(server.it, host), { tls, transport: transport() });
          expect(await client.command('ACL', 'WHOAMI')).to.equal('alice');
          expect(await client.command('CLIENT', 'INFO')).to.include(`laddr=127.0.0.1:${server.it.tlsPort}`);
          await client.close();
        }
      });

      it(`${name}: an authority that is not known`, async () => {
        const stranger = await makeAuthority({ name: 'a stranger' });
        for (const tls of [{ ca: stranger.cert }, {}]) {
          const error = await rejection(RedisClient.connect(urlOf(server.it), { tls, transport: transport() }));
          expect(error.code).to.match(/^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/);
        }
      });

      it(`${name}: unverified where that is asked for`, async () => {
        const client = await connect(urlOf(server.it), { tls: { rejectUnauthorized: false }, transport: transport() });
        expect(await client.command('PING')).to.equal('PONG');
      });
    }

    it('a port without TLS, and TLS without rediss://', async () => {
      const plain = RedisClient.connect(`rediss://${USER}127.0.0.1:${server.it.port}`, { connectTimeoutMs: 2000 });
      expect(await rejection(plain)).to.have.property('code');
      const redis = `redis://${USER}127.0.0.1:${server.it.tlsPort}`;
      const error = await rejection(RedisClient.connect(redis, { connectTimeoutMs: 2000 }));
      expect(error.code).to.match(/^ERR_REDIS_(CONNECTION_LOST|CONNECT_TIMEOUT)$/);
    });
  });

  describe('a wrong certificate', () => {
    const wrongName = redisServer(async () => ({ acl: ACL, tls: await makeCertificate({ names: ['other.test'] }) }));
    const expired = redisServer(async () => ({
      acl: ACL,
      tls: await makeCertificate({ names: ['localhost'], notAfter: new Date(Date.now() - 60_000) }),
    }));

    for (const [name, transport] of TLS_TRANSPORTS) {
      it(`${name}: of another name, unless that is the one asked for`, async () => {
        const { ca } = right;
        for (const host of ['localhost', '127.0.0.1']) {
          const error = await rejection(
            RedisClient.connect(urlOf(wrongName.it, host), { tls: { ca }, transport: transport() }),
          );
          expect(error.code).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
        }
        const tls = { ca, servername: 'other.test' };
        await connect(urlOf(wrongName.it), { tls, transport: transport() });
      });

      it(`${name}: expired`, async () => {
        const { ca } = right;
        const options = { tls: { ca }, transport: transport() };
        expect((await rejection(RedisClient.connect(urlOf(expired.it), options))).code).to.equal('CERT_HAS_EXPIRED');
      });
    }
  });

  describe('client certificates', () => {
    const server = redisServer(async () => ({
      acl: ACL,
      tls: { ...(await makeCertificate({ names: ['localhost'] })), authClients: 'yes' as const },
    }));

    for (const [name, transport] of TLS_TRANSPORTS) {
      it(name, async () => {
        const { ca } = right;
        const { cert, key } = await makeCertificate({ names: ['alice'], usage: 'client' });
        const client = await connect(urlOf(server.it), { tls: { ca, cert, key }, transport: transport() });
        expect(await client.command('PING')).to.equal('PONG');
        const error = await rejection(RedisClient.connect(urlOf(server.it), { tls: { ca }, transport: transport() }));
        expect(error).to.have.property('code');
      });
    }
  });

  describe('round trips, from connect to the first reply', () => {
    const server = redisServer(async () => ({
      password: 'pw',
      acl: ACL,
      tls: await makeCertificate({ names: ['localhost', '127.0.0.1'] }),
    }));
    let front: TurboFront;
    let counter: FlightCounter;
    before(async () => {
      front = await startTurboFront({ host: '127.0.0.1', port: server.it.tlsPort });
    });
    after(() => front?.close());
    beforeEach(() => {
      counter = new FlightCounter();
    });

    async function roundTrips(url: string, options: RedisClientOptions): Promise<number> {
      const client = open(url, options);
      expect(await client.command('PING')).to.equal('PONG');
      return counter.roundTrips;
    }

    // A busy machine must not count as a path without UDP.
    const limits = { graceMinMs: 2000 };

    function turbo(): Transport {
      return turboTransport({ turbo: { network: new CountingNetwork(counter), memory: new PathMemory(), limits } });
    }

    for (const [user, who] of [
      ['a password', ':pw@'],
      ['a user and a password', USER],
    ] as const) {
      it(`${user} over turbo: two`, async () => {
        const url = `rediss://${who}localhost:${front.port}`.replace('localhost', '127.0.0.1');
        expect(await roundTrips(url, { tls: { ca: right.ca }, transport: turbo() })).to.equal(2);
      });

      it(`${user} over TLS: three`, async () => {
        const transport = countingTlsTransport(counter);
        expect(await roundTrips(urlOf(server.it, '127.0.0.1', who), { tls: { ca: right.ca }, transport })).to.equal(3);
      });

      it(`${user} over TCP: two`, async () => {
        const transport = countingTransport(tcpTransport(), counter);
        expect(await roundTrips(`redis://${who}127.0.0.1:${server.it.port}`, { transport })).to.equal(2);
      });
    }

    it('a database: one more, unless told to trust that it is there', async () => {
      const url = `rediss://:pw@127.0.0.1:${front.port}/3`;
      const tls = { ca: right.ca };
      expect(await roundTrips(url, { tls, transport: turbo() })).to.equal(3);
      counter = new FlightCounter();
      expect(await roundTrips(url, { tls, transport: turbo(), speculate: 'always' })).to.equal(2);
    });

    it('end to end over turbo: commands, large values, subscriptions, connecting again', async () => {
      const transport = turboTransport({ turbo: { memory: new PathMemory(), limits } });
      const { turbo, tcp } = front.carriers;
      const url = `rediss://${USER}127.0.0.1:${front.port}`;
      const client = await connect(url, { tls: { ca: right.ca }, transport, limits: { reconnectMinMs: 1 } });
      expect(front.carriers).to.deep.equal({ turbo: turbo + 1, tcp });
      const value = 'v'.repeat(3_000_000);
      const [, got] = await client.pipeline([
        ['SET', 'k', value],
        ['GET', 'k'],
      ]);
      expect(got === value).to.equal(true);
      const payload = new Promise((resolve) => {
        const onActive = () => void client.command('PUBLISH', 'c', 'over turbo');
        client.subscribe('c', { onActive }).subscribe((message) => resolve(message.payload));
      });
      expect(await payload).to.equal('over turbo');
      const id = await client.command<number>('CLIENT', 'ID');
      await client.command('CLIENT', 'KILL', 'ID', id, 'SKIPME', 'no').catch(() => {});
      expect(await client.command('STRLEN', 'k').catch(() => client.command('STRLEN', 'k'))).to.equal(value.length);
      expect(await client.command('CLIENT', 'ID')).not.to.equal(id);
    });
  });
});
