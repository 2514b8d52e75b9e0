/** The simulator's reason: the real node:tls on virtual sockets, in virtual time. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.js';
import { VirtualNetwork } from './network.js';
import { Random } from './random.js';
import { VirtualClock } from './virtual-clock.js';

const SERVER = '10.0.0.2';
const PORT = 443;
const NAME = 'example.test';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('node:tls on virtual TCP', () => {
  let clock: VirtualClock;
  let net: VirtualNetwork;
  let certificate: Certificate;

  before(async () => {
    certificate = await makeCertificate({ names: [NAME, SERVER] });
  });

  /**
   * A TLS server that echoes. Its TCP sockets stay open for writing after FIN: node:tls bypasses the stream of a real
   * net.Socket and does that by itself, but a virtual socket is any Duplex to it, which would end with what it reads.
   */
  function serve(options: tls.TlsOptions = {}): void {
    const { key, cert } = certificate;
    const server = tls.createServer({ key, cert, ...options }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    const listener = net.host(SERVER).createTcpServer({ allowHalfOpen: true }).listen({ port: PORT });
    listener.on('connection', (socket) => server.emit('connection', socket));
  }

  function connect(from = '10.0.0.1', options: tls.ConnectionOptions = {}): tls.TLSSocket {
    const socket = net.host(from).connectTcp({ host: SERVER, port: PORT });
    return tls.connect({ socket, servername: NAME, ca: certificate.ca, ...options });
  }

  beforeEach(() => {
    clock = new VirtualClock();
    net = new VirtualNetwork({ clock, link: { delayMs: 25 } });
  });

  it('is secure after exactly two round trips, and echoes a megabyte', async () => {
    serve();
    const client = connect();
    await clock.run(once(client, 'secureConnect'));
    expect(clock.now()).to.equal(100);
    expect(client.authorized).to.equal(true);
    expect(client.getProtocol()).to.equal('TLSv1.3');

    const sent = new Random(1).bytes(1_000_000);
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.end(sent);
    await clock.run(once(client, 'close'));
    expect(sha256(Buffer.concat(chunks))).to.equal(sha256(sent));
    await clock.runUntilIdle();
    expect(net.openSockets().map(({ kind }) => kind)).to.deep.equal(['tcp-server']);
    expect(net.inFlight).to.equal(0);
  });

  it('knows chains, RSA, client certificates and strangers', async () => {
    certificate = await makeCertificate({ names: [NAME], keyType: 'rsa', chainLength: 3 });
    const visitor = await makeCertificate({ names: ['visitor'], usage: 'client' });
    serve({ requestCert: true, rejectUnauthorized: true, ca: visitor.ca });
    const client = connect('10.0.0.1', { key: visitor.key, cert: visitor.cert });
    await clock.run(once(client, 'secureConnect'));
    client.write('x');
    await clock.run(once(client, 'data'));
    expect(client.getPeerCertificate(true).issuerCertificate.subject.CN).to.equal('Test Authority Intermediate 2');

    const { cert: ca } = await makeAuthority({ name: 'Stranger' });
    const distrustful = connect('10.0.0.1', { ca });
    const [error] = await clock.run(once(distrustful, 'error'));
    expect(error)
      .to.have.property('code')
      .that.matches(/SELF_SIGNED|UNABLE_TO/);
    certificate = await makeCertificate({ names: [NAME, SERVER] });
  });

  it('runs a thousand connections at once, on a bad link', async () => {
    net = new VirtualNetwork({ clock, seed: 5, link: { delayMs: 20, jitterMs: 5, loss: 0.05 } });
    serve();
    const connections = Array.from({ length: 1_000 }, async (_, index) => {
      const client = connect(`10.1.${index >> 8}.${index & 255}`);
      await once(client, 'secureConnect');
      const sent = Buffer.alloc(2_000, index);
      client.end(sent);
      const chunks: Buffer[] = [];
      for await (const chunk of client) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).equals(sent);
    });
    const start = performance.now();
    const results = await clock.run(Promise.all(connections));
    const took = performance.now() - start;
    expect(results.every((isEqual) => isEqual)).to.equal(true);
    if (process.env.SIMULATOR_TIMES) console.log(`${took.toFixed(0)} ms`, net.counters.tcp);
  }).timeout(60_000);
});
