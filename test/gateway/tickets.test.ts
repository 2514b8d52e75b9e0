/** Sessions that one gateway began and another resumes, since both make their tickets of one seed. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { Gateway } from '../../src/gateway/index.js';
import type { RoutePlan, TerminateMode } from '../../src/gateway/plan.js';
import { type TicketScope, ticketOptions } from '../../src/gateway/tickets.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';
import { echoes, secured } from './clients.js';
import { closeBackends, type EchoBackend, startEcho } from './echo-backend.js';
import { closeGateways, filesOf, planOf, startGateway, terminate } from './gateway-rig.js';
import type { TicketProcessOrder } from './ticket-process.js';

type Version = 'TLSv1.2' | 'TLSv1.3';

describe('gateway: session tickets', function () {
  this.timeout(30_000);
  const seed = randomBytes(32);
  let certificate: Certificate;
  let other: Certificate;
  /** For the same name. */
  let renewed: Certificate;
  let echo: EchoBackend;
  const clients = new Set<TLSSocket>();
  const children = new Set<ChildProcess>();

  before(async () => {
    certificate = await makeCertificate();
    other = await makeCertificate({ names: ['other.test'] });
    renewed = await makeCertificate({ names: ['localhost', 'renewed.test'] });
  });
  beforeEach(async () => {
    echo = await startEcho();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients.clear();
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    await closeGateways();
    await closeBackends();
  });

  const route = (name: string, mode: Partial<TerminateMode> = {}): RoutePlan => {
    const certificates = [filesOf(certificate), filesOf(other)];
    return terminate(name, [echo], { mode: { certificates, ...mode } });
  };
  const start = (routes: readonly RoutePlan[], ticketSeed: Buffer | undefined = seed) =>
    startGateway(routes, {}, { ticketSeed });

  function open(port: number, options: ConnectionOptions): TLSSocket {
    const trust = { ca: [certificate.ca, other.ca], checkServerIdentity: () => undefined };
    const client = connect({ host: '127.0.0.1', port, ...trust, ...options });
    clients.add(client);
    return client;
  }

  /** A session that was agreed there. */
  async function sessionAt(port: number, options: ConnectionOptions): Promise<Buffer> {
    const client = open(port, options);
    const [[session]] = await Promise.all([once(client, 'session'), secured(client).then(echoes)]);
    client.destroy();
    return session as Buffer;
  }

  /** Whether a session is resumed there; where it is not, the client is served all the same. */
  async function resumes(port: number, session: Buffer, options: ConnectionOptions): Promise<boolean> {
    const client = await secured(open(port, { ...options, session }));
    await echoes(client);
    const reused = client.isSessionReused();
    client.destroy();
    return reused;
  }

  const versions: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
  const names = { 'of its first certificate': 'localhost', 'of another': 'other.test', 'that it does not say': '' };

  for (const version of versions) {
    for (const [what, servername] of Object.entries(names)) {
      it(`resume in another gateway of the same seed and plan: ${version}, by a name ${what}`, async () => {
        const routes = [route('all')];
        const [one, two] = [await start(routes), await start(routes)];
        const options = { servername, maxVersion: version };
        const session = await sessionAt(one.port, options);
        expect(await resumes(two.port, session, options), 'in the other').to.equal(true);
        expect(await resumes(one.port, session, options), 'where it began').to.equal(true);
      });
    }

    it(`resume in another process, whatever its arguments: ${version}`, async () => {
      const routes = [route('all')];
      const one = await start(routes);
      const child = fork(new URL('./ticket-process.js', import.meta.url), ['other', 'arguments'], {
        serialization: 'advanced',
      });
      children.add(child);
      child.send({ routes, seed: seed.toString('hex') } satisfies TicketProcessOrder);
      const [port] = (await once(child, 'message')) as [number];
      for (const servername of Object.values(names)) {
        const options = { servername, maxVersion: version };
        expect(await resumes(port, await sessionAt(one.port, options), options), servername).to.equal(true);
        expect(await resumes(one.port, await sessionAt(port, options), options), servername).to.equal(true);
      }
    });

    it(`resume for a client that shows a certificate: ${version}`, async () => {
      const client = await makeCertificate({ usage: 'client' });
      const routes = [route('all', { clientCertificate: { mode: 'require', ca: filesOf(client).ca } })];
      const [one, two] = [await start(routes), await start(routes)];
      for (const servername of Object.values(names)) {
        const options = { servername, maxVersion: version, cert: client.cert, key: client.key };
        expect(await resumes(two.port, await sessionAt(one.port, options), options), servername).to.equal(true);
      }
    });

    it(`resume under no other name, nor without one: ${version}`, async () => {
      const routes = [route('all')];
      const [one, two] = [await start(routes), await start(routes)];
      for (const from of Object.values(names)) {
        const session = await sessionAt(one.port, { servername: from, maxVersion: version });
        for (const to of Object.values(names)) {
          const options = { servername: to, maxVersion: version };
          expect(await resumes(two.port, session, options), `${from} as ${to}`).to.equal(from === to);
        }
      }
    });

    it(`resume in no other route, and under no other policy: ${version}`, async () => {
      const one = await start([route('all')]);
      const ca = filesOf(await makeCertificate({ usage: 'client' })).ca;
      const elsewhere: Record<string, RoutePlan> = {
        'another route': route('another'),
        'clients that are asked for a certificate': route('all', { clientCertificate: { mode: 'request', ca } }),
        'another ALPN': route('all', { alpn: ['x'] }),
        ...(version === 'TLSv1.3' && { 'another version': route('all', { minVersion: 'TLSv1.3' }) }),
        'another certificate': route('all', { certificates: [filesOf(renewed), filesOf(other)] }),
      };
      for (const servername of ['localhost', '']) {
        const options = { servername, maxVersion: version };
        const session = await sessionAt(one.port, options);
        for (const [what, plan] of Object.entries(elsewhere)) {
          const { port } = await start([plan]);
          const trust = { ...options, rejectUnauthorized: what !== 'another certificate' };
          expect(await resumes(port, session, trust), `${what}, "${servername}"`).to.equal(false);
        }
      }
    });

    it(`resume with no other seed, and without one nowhere else: ${version}`, async () => {
      const routes = [route('all')];
      const options = { servername: 'localhost', maxVersion: version };
      const session = await sessionAt((await start(routes)).port, options);
      expect(await resumes((await start(routes, randomBytes(32))).port, session, options)).to.equal(false);
      const [one, two] = [await startGateway(routes), await startGateway(routes)];
      const unseeded = await sessionAt(one.port, options);
      expect(await resumes(one.port, unseeded, options)).to.equal(true);
      expect(await resumes(two.port, unseeded, options)).to.equal(false);
    });

    it(`resume after a reload of the same plan: ${version}`, async () => {
      const routes = [route('all')];
      const rig = await start(routes);
      for (const servername of Object.values(names)) {
        const options = { servername, maxVersion: version };
        const session = await sessionAt(rig.port, options);
        await rig.gateway.reload(planOf(routes));
        expect(await resumes(rig.port, session, options), servername).to.equal(true);
      }
    });
  }

  it('resume no more when the certificate has changed', async () => {
    const files = filesOf(certificate);
    const rig = await start([route('all', { certificates: [files] })]);
    const offers = versions.flatMap((maxVersion) =>
      ['localhost', ''].map((servername) => ({ maxVersion, servername, rejectUnauthorized: false })),
    );
    const sessions = await Promise.all(offers.map((options) => sessionAt(rig.port, options)));
    const read = rig.of('certificate').length;
    writeFileSync(files.cert, renewed.cert);
    writeFileSync(files.key, renewed.key);
    await until(() => rig.of('certificate').some(({ error }, index) => index >= read && error === undefined));
    for (const [index, options] of offers.entries()) {
      const session = sessions[index] as Buffer;
      expect(await resumes(rig.port, session, options), JSON.stringify(options)).to.equal(false);
    }
  });

  it('are made of everything that a session is agreed under, and of nothing else', () => {
    const scope: TicketScope = {
      route: 'a',
      clients: 'named',
      cert: 'c',
      clientCertificate: 'request',
      authorities: 'd',
      minVersion: 'TLSv1.2',
      alpn: ['x', 'y'],
    };
    const changes: Partial<TicketScope>[] = [
      { route: 'b' },
      { clients: 'nameless' },
      { cert: 'cd' },
      { clientCertificate: 'require' },
      { authorities: undefined },
      { authorities: 'e' },
      { minVersion: 'TLSv1.3' },
      { alpn: ['xy'] },
      { alpn: ['y', 'x'] },
      { alpn: [] },
    ];
    const made = [scope, ...changes.map((change) => ({ ...scope, ...change }))].map((each) => {
      const { ticketKeys, sessionIdContext } = ticketOptions(seed, each);
      expect(ticketKeys).to.have.length(48);
      expect(sessionIdContext).to.match(/^[0-9a-f]{32}$/);
      return `${ticketKeys?.toString('hex')} ${sessionIdContext}`;
    });
    expect(new Set(made)).to.have.property('size', made.length);
    expect(ticketOptions(Buffer.from(seed), { ...scope })).to.deep.equal(ticketOptions(seed, scope));
  });

  it('are not made of a seed that is too short', () => {
    expect(() => new Gateway(planOf([]), { ticketSeed: Buffer.alloc(31) })).to.throw(TypeError, /32 bytes/);
  });
});
