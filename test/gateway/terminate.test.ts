/** TLS that ends at the gateway: certificates, clients' certificates, ALPN, what the backend is told, what goes wrong. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { type Conninfo, PgClient, PgMemory } from '../../src/codec/pg/index.js';
import { connect as connectTurbo, PathMemory, turboTransport } from '../../src/experimental.js';
import type { BackendPlan, TerminateMode } from '../../src/gateway/plan.js';
import { type PostgresServer, type PostgresVersion, requirePart, startPostgres } from '../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.js';
import { clientHello } from '../support/client-hello.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { echoes, failure, secured } from './clients.js';
import { closeBackends, startEcho } from './echo-backend.js';
import { closeGateways, filesOf, type GatewayRig, type RouteChanges, startGateway, terminate } from './gateway-rig.js';

const PASSWORD = 'a password of tests';

/** TLS over TCP, over UDP, and where UDP is blocked. */
const CARRIERS = { tcp: undefined, turbo: 0, 'turbo with UDP blocked': 1 } as const;

function turboOptions(loss: number) {
  const limits = loss === 0 ? { graceMinMs: 1000 } : {};
  return { network: new LossyNetwork({ loss, seed: 'terminate' }), memory: new PathMemory(), limits };
}

describe('gateway: terminate', function () {
  this.timeout(60_000);
  let certificate: Certificate;
  let other: Certificate;
  const clients = new Set<{ destroy(): unknown }>();

  before(async () => {
    certificate = await makeCertificate();
    other = await makeCertificate({ names: ['other.test', '*.wild.test'] });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients.clear();
    await closeGateways();
    await closeBackends();
  });

  async function start(
    mode: Partial<TerminateMode> = {},
    { limits, ...changes }: RouteChanges & { limits?: Parameters<typeof startGateway>[1] & object } = {},
  ): Promise<GatewayRig> {
    const { proxyProtocol = false } = changes.backend ?? {};
    const echo = await startEcho({ proxyProtocol });
    const certificates = [filesOf(certificate), filesOf(other)];
    return startGateway([terminate('all', [echo], { mode: { certificates, ...mode }, ...changes })], limits);
  }

  function open(rig: GatewayRig, options: ConnectionOptions = {}, loss?: number): TLSSocket {
    const target = { host: rig.host, port: rig.port, servername: 'localhost', ca: certificate.ca, ...options };
    const client = loss === undefined ? connectTls(target) : connectTurbo({ ...target, turbo: turboOptions(loss) });
    clients.add(client);
    return client;
  }

  function secure(...args: Parameters<typeof open>): Promise<TLSSocket> {
    return secured(open(...args));
  }

  for (const [name, loss] of Object.entries(CARRIERS)) {
    const carrier = loss === 0 ? 'turbo' : 'tcp';

    describe(name, () => {
      it('the backend gets plaintext, and the event says what was agreed on', async () => {
        const rig = await start({ alpn: ['h2', 'echo'] });
        const client = await secure(rig, { ALPNProtocols: ['echo', 'h2'] }, loss);
        expect(client.alpnProtocol).to.equal('h2');
        await echoes(client);
        client.end();
        await once(client, 'close');
        const [end] = await rig.ended(1);
        expect(end).to.include({ carrier, mode: 'terminate', alpn: 'h2', serverName: 'localhost', reason: 'client' });
        expect(end).to.include({ up: 12, down: 12, error: undefined });
        expect(end?.timings.handshakeMs).to.be.within(end?.timings.helloMs ?? 0, end?.timings.totalMs ?? 0);
        expect(end?.client).to.deep.equal({ address: '127.0.0.1', port: end?.client?.port });
      });

      it('each name has its certificate, and no name the first', async () => {
        const rig = await start();
        const names = {
          localhost: 'localhost',
          'other.test': 'other.test',
          'a.wild.test': 'other.test',
          '': 'localhost',
        };
        for (const [servername, expected] of Object.entries(names)) {
          const client = await secure(rig, { servername, checkServerIdentity: () => undefined }, loss);
          expect(client.getPeerCertificate().subject.CN).to.equal(expected);
          await echoes(client);
          client.destroy();
        }
      });

      it('ALPN that is offered and agrees with nothing ends the handshake (ALPACA)', async () => {
        const rig = await start({ alpn: ['h2'] });
        const client = open(rig, { ALPNProtocols: ['smtp'] }, loss);
        expect(await failure(client)).to.equal('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
        const [end] = await rig.ended(1);
        expect(end).to.include({ reason: 'handshake-failed', carrier });
      });

      it('half-closes as soon as it is secure: what the backend says arrives', async () => {
        const greeter = await startEcho({ serve: (socket) => socket.end('a greeting') });
        const mode = { certificates: [filesOf(certificate)] };
        const rig = await startGateway([terminate('all', [greeter], { mode })]);
        const client = await secure(rig, { allowHalfOpen: true } as ConnectionOptions, loss);
        client.end();
        let text = '';
        for await (const chunk of client) text += chunk;
        expect(text).to.equal('a greeting');
      });

      it('half-closes: what the backend says after the client has ended arrives', async () => {
        const echo = await startEcho({
          serve: (socket) => {
            let text = '';
            socket.on('data', (chunk) => {
              text += chunk;
            });
            socket.on('end', () => socket.end(`${text.length} bytes`));
          },
        });
        const rig = await startGateway([terminate('all', [echo], { mode: { certificates: [filesOf(certificate)] } })]);
        const client = await secure(rig, { allowHalfOpen: true } as ConnectionOptions, loss);
        client.end('x'.repeat(100_000));
        let text = '';
        for await (const chunk of client) text += chunk;
        expect(text).to.equal('100000 bytes');
        expect((await rig.ended(1))[0]).to.include({ reason: 'client', up: 100_000 });
      });

      it('10 MB each way, whole', async () => {
        const rig = await start();
        const client = await secure(rig, {}, loss);
        const sent = Buffer.alloc(10_000_000, 'turbotls');
        client.end(sent);
        const chunks: Buffer[] = [];
        for await (const chunk of client) chunks.push(chunk);
        expect(Buffer.concat(chunks).equals(sent)).to.equal(true);
      });

      describe("clients' certificates", () => {
        let alice: Certificate;
        let stranger: Certificate;
        before(async () => {
          alice = await makeCertificate({ names: ['alice'], usage: 'client' });
          const authority = await makeAuthority({ name: 'another authority' });
          stranger = await makeCertificate({ names: ['mallory'], usage: 'client', authority });
        });

        const outcomes = [
          ['none', 'nothing', true],
          ['none', 'a stranger', true],
          ['request', 'nothing', true],
          ['request', 'alice', true],
          ['request', 'a stranger', false],
          ['require', 'nothing', false],
          ['require', 'alice', true],
          ['require', 'a stranger', false],
        ] as const;
        for (const [mode, shown, served] of outcomes) {
          for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
            it(`${mode}, ${shown}, ${maxVersion}: ${served ? 'served' : 'refused'}`, async () => {
              const { ca } = filesOf(certificate);
              const rig = await start(
                { clientCertificate: mode === 'none' ? { mode } : { mode, ca } },
                { backend: { proxyProtocol: true } },
              );
              const credentials = { nothing: {}, alice, 'a stranger': stranger }[shown];
              const client = open(rig, { ...credentials, ca: certificate.ca, maxVersion }, loss);
              if (served) {
                await secured(client);
                await echoes(client);
              } else {
                expect(await failure(client)).to.be.a('string');
                const [end] = await rig.ended(1);
                expect(end).to.include({ reason: 'handshake-failed', target: undefined });
                expect(end?.error).to.have.property('code', 'ERR_GATEWAY_CLIENT_CERTIFICATE');
              }
            });
          }
        }
      });

      it('the backend is told about client and TLS by PROXY v2', async () => {
        const alice = await makeCertificate({ names: ['alice'], usage: 'client' });
        const echo = await startEcho({ proxyProtocol: true });
        const files = filesOf(certificate);
        const mode = {
          certificates: [files],
          clientCertificate: { mode: 'require', ca: files.ca },
          alpn: ['echo'],
        } as const;
        const rig = await startGateway([terminate('all', [echo], { mode, backend: { proxyProtocol: true } })]);
        const client = await secure(rig, { ...alice, ALPNProtocols: ['echo'] }, loss);
        await echoes(client);
        expect(echo.headers).to.deep.equal([
          {
            command: 'proxy',
            version: 2,
            source: { address: '127.0.0.1', port: client.localPort },
            destination: { address: '127.0.0.1', port: rig.port },
            alpn: 'echo',
            authority: 'localhost',
            tls: { verified: true, version: 'TLSv1.3', commonName: 'alice', cipher: client.getCipher().standardName },
          },
        ]);
      });
    });
  }

  it('TLS 1.2 is refused where the plan says so', async () => {
    const rig = await start({ minVersion: 'TLSv1.3' });
    for (const servername of ['localhost', '']) {
      const options = { servername, checkServerIdentity: () => undefined };
      expect(await failure(open(rig, { ...options, maxVersion: 'TLSv1.2' }))).to.match(/ALERT_PROTOCOL_VERSION/);
      await echoes(await secure(rig, options));
    }
  });

  it('sessions are resumed, and only under the name that they were made for', async () => {
    const rig = await start();
    const client = await secure(rig);
    const [session] = await once(client, 'session');
    client.destroy();
    const again = await secure(rig, { session });
    await echoes(again);
    expect(again.isSessionReused()).to.equal(true);
    const elsewhere = await secure(rig, { session, servername: 'other.test' });
    await echoes(elsewhere);
    expect(elsewhere.isSessionReused()).to.equal(false);
  });

  it('a ClientHello and nothing behind it: gets its certificate at once, and a handshake that does not end is ended', async () => {
    const rig = await start({}, { limits: { limits: { handshakeTimeoutMs: 500 } } });
    const socket = connectTcp(rig.port, rig.host, () => socket.write(clientHello({ servername: 'localhost' })));
    clients.add(socket);
    expect((await once(socket, 'data'))[0].length).to.be.above(500);
    await failure(socket);
    expect((await rig.ended(1))[0]).to.include({ reason: 'handshake-timeout', target: undefined });
  });

  it('garbage behind the ClientHello', async () => {
    const rig = await start();
    const socket = connectTcp(rig.port, rig.host, () => {
      socket.write(clientHello({ servername: 'localhost' }));
      socket.write(Buffer.from('1603030004deadbeef', 'hex'));
    });
    clients.add(socket);
    await failure(socket);
    const [end] = await rig.ended(1);
    expect(end).to.include({ reason: 'handshake-failed' });
    expect(end?.error).to.be.instanceOf(Error);
  });

  it('a client that leaves within the handshake', async () => {
    const rig = await start();
    const socket = connectTcp(rig.port, rig.host, () => socket.write(clientHello({ servername: 'localhost' })));
    clients.add(socket);
    await once(socket, 'data');
    socket.end();
    expect((await rig.ended(1))[0]?.reason).to.be.oneOf(['client-gone', 'handshake-failed']);
  });

  for (const version of [15, 17, 18] as const satisfies PostgresVersion[]) {
    describe(`PostgreSQL ${version}`, () => {
      let server: PostgresServer;
      before(async function () {
        requirePart(this, `postgresql-${version}`);
        server = await startPostgres({ version, tls: certificate, users: [{ name: 'alice', password: PASSWORD }] });
      });
      after(() => server?.stop());

      async function login(rig: GatewayRig, conninfo: Conninfo, loss?: number): Promise<PgClient> {
        const target = { host: 'localhost', hostaddr: rig.host, port: rig.port, user: 'alice', password: PASSWORD };
        const client = PgClient.open(
          { ...target, dbname: 'postgres', sslmode: 'verify-full', ...conninfo },
          {
            env: {},
            memory: new PgMemory(),
            tls: { ca: certificate.ca },
            transport: loss === undefined ? undefined : turboTransport({ turbo: turboOptions(loss) }),
          },
        );
        clients.add(client);
        await client.ready;
        return client;
      }

      const clientsOf: [string, Conninfo, number | undefined][] = [
        ['SSLRequest', { sslnegotiation: 'postgres' }, undefined],
        ['direct TLS', { sslnegotiation: 'direct' }, undefined],
        ['turbo', {}, 0],
        ['turbo with UDP blocked', {}, 1],
      ];
      const transports = ['plain', 'postgres-tls', ...(version === 15 ? [] : (['tls'] as const))] as const;
      for (const transport of transports) {
        it(`every kind of client, to a backend with transport ${transport}`, async () => {
          const { ca } = filesOf(certificate);
          const tls = { ca, cert: undefined, key: undefined, serverName: 'localhost', alpn: [], verify: true };
          const backend: Partial<BackendPlan> = transport === 'plain' ? {} : { transport, tls };
          const mode = { certificates: [filesOf(certificate)], alpn: ['postgresql'] };
          const rig = await startGateway([terminate('pg', [server], { mode, backend })]);
          for (const [, conninfo, loss] of clientsOf) {
            // The certificate here is the server's own, so that even channel binding holds where there is TLS behind.
            const channelBinding = transport === 'plain' ? 'disable' : 'require';
            const client = await login(rig, { ...conninfo, channel_binding: channelBinding }, loss);
            const { rows } = await client.query(
              'SELECT ssl, current_user AS me FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
            );
            expect(rows).to.deep.equal([{ ssl: transport !== 'plain', me: 'alice' }]);
            await client.close();
          }
          const ends = await rig.ended(clientsOf.length);
          expect(ends.map(({ carrier }) => carrier)).to.deep.equal(['tcp', 'tcp', 'turbo', 'tcp']);
          expect(ends.every(({ reason, error }) => reason === 'client' && error === undefined)).to.equal(true);
        });
      }
    });
  }

  it('PostgreSQL: a backend that cannot be reached is told within TLS', async () => {
    const dead = await startEcho();
    await dead.stop();
    const mode = { certificates: [filesOf(certificate)] };
    const rig = await startGateway([terminate('pg', [dead], { mode, match: { protocols: ['postgresql'] } })]);
    const client = PgClient.open(
      { host: 'localhost', hostaddr: rig.host, port: rig.port, user: 'alice', sslmode: 'verify-full' },
      { env: {}, memory: new PgMemory(), tls: { ca: certificate.ca } },
    );
    clients.add(client);
    const error = await client.ready.catch((reason) => reason);
    expect(error).to.have.property('code', '57P03');
    expect(error)
      .to.have.property('message')
      .that.matches(/cannot be reached/);
    expect((await rig.ended(1))[0]).to.include({ reason: 'backend-unreachable' });
  });

  it('PostgreSQL: a StartupMessage that does not come in time', async () => {
    const mode = { certificates: [filesOf(certificate)], alpn: ['postgresql'] };
    const rig = await startGateway([terminate('pg', [await startEcho()], { mode })], {
      limits: { routeTimeoutMs: 500 },
    });
    const client = await secure(rig, { ALPNProtocols: ['postgresql'] });
    expect(await failure(client)).to.equal('an end');
    expect((await rig.ended(1))[0]).to.include({ reason: 'startup-timeout', target: undefined });
  });
});
