/** A ping of servers of every kind. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { type PingReport, ping } from '../../src/gateway/ping.js';
import { type PostgresServer, requirePart, startPostgres } from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { startTurboFront } from '../support/turbo-front.js';
import { closeRigs, startTls } from './proxy-rig.js';

describe('gateway: ping', function () {
  this.timeout(60_000);
  let certificate: Certificate;
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'], chainLength: 2 });
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    servers.clear();
    await closeRigs();
  });

  async function listen(server: Server): Promise<number> {
    servers.add(server);
    server.on('connection', (socket) => {
      sockets.add(socket.on('error', () => {}));
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function local(port: number, options: Partial<Parameters<typeof ping>[0]> = {}): Promise<PingReport> {
    return ping({ host: '127.0.0.1', port, serverName: 'localhost', ca: certificate.ca, ...options });
  }

  it('sees all of a server with a TurboTLS port', async () => {
    const { port } = await startTls({ ...certificate, ALPNProtocols: ['h2', 'http/1.1'] });
    const report = await ping({ host: 'localhost', port, ca: certificate.ca });
    expect(report).to.deep.include({
      version: 1,
      host: 'localhost',
      port,
      serverName: 'localhost',
      tlsBegins: 'direct',
    });
    expect(report.dns).to.include({ ok: true });
    expect(report.tcp).to.include({ ok: true });
    expect(report.tls['TLSv1.3']).to.include({ ok: true, helloRetry: false });
    expect(report.tls['TLSv1.3'])
      .to.have.property('group')
      .that.matches(/^X25519/); // with ML-KEM from Node 24 on
    expect(report.tls['TLSv1.2']).to.include({ ok: true, helloRetry: false });
    expect(report.certificate).to.deep.include({
      subject: 'CN=localhost',
      names: ['localhost', '127.0.0.1'],
      trusted: true,
      reason: null,
    });
    expect(report.certificate?.chain).to.have.lengthOf(3);
    expect(report.alpn).to.deep.equal([
      { protocol: 'h2', answer: 'agreed' },
      { protocol: 'http/1.1', answer: 'agreed' },
      { protocol: 'postgresql', answer: 'refused' },
    ]);
    expect(report.turbo).to.deep.include({ ok: true, carrier: 'udp' });
    expect(report.turbo).to.have.property('timeline').that.includes.all.keys('udpSent', 'udpAnswered', 'replied');
    expect(report.postgres).to.deep.include({ spoken: false, direct: false });
    expect(JSON.parse(JSON.stringify(report))).to.deep.equal(report);
  });

  it('sees that nothing answers over UDP', async () => {
    const { port } = await startTls({ ...certificate });
    const report = await local(port, { network: new LossyNetwork({ loss: 1, seed: 1 }) });
    expect(report.turbo).to.deep.include({ ok: true, carrier: 'tcp' });
    expect(report.turbo).to.have.property('timeline').that.does.not.have.property('udpAnswered');
  });

  it('sees one version, another group, and no ALPN', async () => {
    const options = { ...certificate, minVersion: 'TLSv1.3', ecdhCurve: 'P-256' } as const;
    const port = await listen(tls.createServer(options));
    const report = await local(port, { alpn: ['h2'] });
    expect(report.tls['TLSv1.3']).to.include({ ok: true, group: 'prime256v1', helloRetry: true });
    expect(report.tls['TLSv1.2']).to.include({ ok: false });
    expect(report.tls['TLSv1.2'])
      .to.have.property('error')
      .that.matches(/protocol version/);
    expect(report.alpn).to.deep.equal([{ protocol: 'h2', answer: 'ignored' }]);
  });

  it('says why a certificate is not trusted', async () => {
    const expired = await makeCertificate({ names: ['localhost'], notAfter: new Date(Date.now() - 86_400_000 * 2.5) });
    for (const [served, options, reason, daysLeft] of [
      [certificate, { ca: undefined }, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 0],
      [certificate, { serverName: 'other.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID', 0],
      [expired, {}, 'CERT_HAS_EXPIRED', -3],
    ] as const) {
      const { certificate: seen } = await local(await listen(tls.createServer({ ...served })), options);
      expect(seen).to.include({ trusted: false, reason });
      expect(seen?.daysLeft).to.equal(daysLeft);
    }
  });

  it('sees that a client certificate is asked for', async () => {
    const options = { ...certificate, ca: certificate.ca, requestCert: true, rejectUnauthorized: true };
    const report = await local(await listen(tls.createServer({ ...options, maxVersion: 'TLSv1.2' })));
    expect(report.tls['TLSv1.2']).to.include({ ok: false });
    expect(report.tlsBegins).to.equal(null);
  });

  for (const [what, serve, answer, timeoutMs] of [
    ['closes', (socket: Socket) => socket.destroy(), 'closed', 5_000],
    ['says nothing', () => {}, 'silent', 200],
    ['speaks first', (socket: Socket) => socket.write('220 mail.example.test ESMTP\r\n'), 'other', 5_000],
    ['echoes', (socket: Socket) => socket.pipe(socket), 'other', 5_000],
  ] as const) {
    it(`ends in time with a server that ${what}`, async () => {
      const port = await listen(createServer((socket) => void serve(socket)));
      const report = await local(port, { timeoutMs });
      expect(report.tcp).to.include({ ok: true });
      expect(report.tlsBegins).to.equal(null);
      expect(report.certificate).to.equal(null);
      expect(report.postgres).to.deep.equal({
        spoken: false,
        sslRequest: answer,
        gssencRequest: answer,
        direct: false,
      });
      for (const probe of Object.values(report.tls)) expect(probe.ok).to.equal(false);
    });
  }

  it('says what does not connect, or has no address', async () => {
    const closed = createServer();
    const port = await listen(closed);
    servers.delete(closed);
    await new Promise((resolve) => closed.close(resolve));
    const report = await local(port);
    expect(report.tcp).to.include({ ok: false, code: 'ECONNREFUSED' });
    expect(report.turbo).to.include({ ok: false, error: 'not tried: TCP does not connect' });
    const nowhere = await ping({ host: 'nowhere.invalid', port: 443 });
    expect(nowhere.dns).to.include({ ok: false });
    expect(nowhere.tcp).to.include({ ok: false, error: 'not tried: the host has no address' });
  });

  describe('PostgreSQL', () => {
    let pg15: PostgresServer;
    let pg18: PostgresServer;

    before(async function () {
      requirePart(this, 'postgresql-15');
      requirePart(this, 'postgresql-18');
      pg15 = await startPostgres({ version: 15, tls: certificate });
      pg18 = await startPostgres({ version: 18, tls: certificate });
    });
    after(() => Promise.all([pg15?.stop(), pg18?.stop()]));

    it('15 begins TLS behind SSLRequest', async () => {
      const report = await local(pg15.port);
      expect(report.tlsBegins).to.equal('ssl-request');
      expect(report.postgres).to.include({ spoken: true, sslRequest: 'S', direct: false });
      expect(report.tls['TLSv1.3']).to.include({ ok: true, helloRetry: true });
      expect(report.certificate).to.include({ trusted: true });
      expect(report.turbo).to.include({ ok: false });
    });

    it('18 begins it at once too, with its ALPN', async () => {
      const report = await local(pg18.port);
      expect(report.tlsBegins).to.equal('direct');
      expect(report.postgres).to.deep.equal({ spoken: true, sslRequest: 'S', gssencRequest: 'N', direct: true });
      expect(report.alpn).to.deep.include({ protocol: 'postgresql', answer: 'agreed' });
      expect(report.alpn).to.deep.include({ protocol: 'h2', answer: 'refused' });
    });

    it('18 behind a TurboTLS front', async () => {
      const front = await startTurboFront({ host: pg18.host, port: pg18.port });
      try {
        const report = await local(front.port);
        expect(report.turbo).to.deep.include({ ok: true, carrier: 'udp' });
        expect(report.postgres).to.include({ spoken: true, direct: true });
      } finally {
        await front.close();
      }
    });

    it('without TLS says no', async () => {
      const plain = await startPostgres({ version: 18 });
      try {
        const report = await local(plain.port);
        expect(report.tlsBegins).to.equal(null);
        expect(report.postgres).to.deep.equal({ spoken: true, sslRequest: 'N', gssencRequest: 'N', direct: false });
      } finally {
        await plain.stop();
      }
    });
  });
});
