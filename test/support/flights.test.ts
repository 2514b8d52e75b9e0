import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { expect } from 'chai';
import * as turbo from '../../src/experimental.js';
import { type Network, nodeNetwork } from '../../src/platform/network.js';
import { type Transport, tcpTransport, tlsTransport } from '../../src/transport.js';
import { type Certificate, makeCertificate } from './certificates.js';
import { CountingNetwork, countingTlsTransport, countingTransport, FlightCounter } from './flights.js';
import { LossyNetwork } from './lossy-network.js';

const echo = (socket: Duplex) => {
  socket.on('error', () => {});
  socket.pipe(socket);
};

describe('support: flights', () => {
  let certificate: Certificate;
  let counter: FlightCounter;
  let server: Server | undefined;
  let stream: Duplex | undefined;

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
  });
  beforeEach(() => {
    counter = new FlightCounter();
  });
  afterEach(async () => {
    stream?.destroy();
    server?.close();
    if (server?.listening) await once(server, 'close');
  });

  async function listen(made: Server): Promise<{ host: string; port: number }> {
    server = made.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  /** Round trips from connecting to the first byte of an echo; then to that of the next one. */
  async function echoes(dial: Transport, made: Server): Promise<[number, number]> {
    stream = await dial(await listen(made));
    counter.mark('connected');
    stream.write('x');
    await once(stream, 'data');
    counter.mark('echo');
    stream.write('y');
    await once(stream, 'data');
    return [counter.marks.get('echo') as number, counter.roundTrips];
  }

  function tlsServer(options: tls.TlsOptions = {}): Server {
    return tls.createServer({ ...certificate, ...options }, echo);
  }

  function turboServer(): Server {
    return turbo.createServer({ ...certificate }, echo);
  }

  function turboDial(options: turbo.ClientTurboOptions = {}): Transport {
    const network = new CountingNetwork(counter, options.network);
    // A busy machine must not count as a path without UDP.
    const limits = { graceMinMs: 2000 };
    const { ca } = certificate;
    return turbo.turboTransport({ ca, turbo: { memory: new turbo.PathMemory(), limits, ...options, network } });
  }

  it('TCP takes two', async () => {
    expect(await echoes(countingTransport(tcpTransport(), counter), createServer(echo))).to.deep.equal([2, 3]);
    expect(counter.marks.get('connected')).to.equal(1);
  });

  for (const [name, options, roundTrips] of [
    ['TLS 1.3', {}, 3],
    ['TLS 1.3 with a HelloRetryRequest', { ecdhCurve: 'P-521' }, 4],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 4],
  ] as const) {
    it(`${name} over TCP takes ${roundTrips}`, async () => {
      const dial = countingTlsTransport(counter, { ca: certificate.ca });
      expect(await echoes(dial, tlsServer(options))).to.deep.equal([roundTrips, roundTrips + 1]);
    });
  }

  it('turbo takes two', async () => {
    expect(await echoes(turboDial(), turboServer())).to.deep.equal([2, 3]);
    expect((stream as turbo.TurboSocket).turbo?.carrier).to.equal('udp');
  });

  it('turbo takes two where TCP is connected before UDP leaves', async () => {
    const network: Network = {
      ...nodeNetwork,
      createUdpSocket: (options) => {
        const socket = nodeNetwork.createUdpSocket(options);
        const connect = socket.connect.bind(socket);
        return Object.assign(socket, {
          connect: (...args: Parameters<typeof connect>) => void setTimeout(() => connect(...args), 20),
        });
      },
    };
    expect(await echoes(turboDial({ network }), turboServer())).to.deep.equal([2, 3]);
  });

  it('turbo takes three where it is careful', async () => {
    expect(await echoes(turboDial({ firstContact: 'careful' }), turboServer())).to.deep.equal([3, 4]);
  });

  it('turbo takes three where there is no UDP', async () => {
    expect(
      await echoes(turboDial({ network: new LossyNetwork({ loss: 1, seed: 1 }), limits: {} }), turboServer()),
    ).to.deep.equal([3, 4]);
  });

  it('a second connection counts from where the first one is', async () => {
    const dial = countingTransport(tcpTransport(), counter);
    const address = await listen(createServer(echo));
    for (const roundTrips of [2, 4]) {
      stream = await dial(address);
      stream.write('x');
      await once(stream, 'data');
      expect(counter.roundTrips).to.equal(roundTrips);
      stream.destroy();
    }
  });

  it('TLS is not counted from above', () => {
    expect(() => countingTransport(tlsTransport(), counter)).to.throw('below TLS');
  });

  it('passes bytes, ends and backpressure', async () => {
    const bytes = randomBytes(8 << 20);
    stream = await countingTransport(tcpTransport({ allowHalfOpen: true }), counter)(await listen(createServer(echo)));
    expect(stream.write(bytes)).to.equal(false);
    stream.end();
    const received: Buffer[] = [];
    for await (const chunk of stream) received.push(chunk);
    expect(Buffer.concat(received).equals(bytes)).to.equal(true);
    expect(stream.closed).to.equal(true);
  });

  it('stops reading where nobody reads', async () => {
    const flood = (socket: Duplex) => {
      socket.on('error', () => {});
      socket.write(Buffer.alloc(64 << 20));
    };
    const dial = countingTransport(tcpTransport(), counter);
    stream = await dial(await listen(createServer(flood)));
    stream.read(0);
    await once(stream, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stream.readableLength).to.be.lessThan(1 << 20);
  });

  it('passes resets', async () => {
    const reset = createServer({ allowHalfOpen: true }, (socket) =>
      socket.once('data', () => socket.resetAndDestroy()),
    );
    stream = await countingTransport(tcpTransport(), counter)(await listen(reset));
    stream.write('x');
    const [error] = await once(stream, 'error');
    expect(error).to.have.property('code', 'ECONNRESET');
    if (!stream.closed) await once(stream, 'close');
  });

  it('fails as what is under it', async () => {
    const { port } = await listen(createServer());
    server?.close();
    const options = { host: '127.0.0.1', port };
    for (const dial of [countingTransport(tcpTransport(), counter), countingTlsTransport(counter), turboDial()]) {
      const error = await dial(options).catch((reason: NodeJS.ErrnoException) => reason);
      expect(error).to.have.property('code', 'ECONNREFUSED');
    }
    const aborted = countingTlsTransport(counter)(options, { signal: AbortSignal.abort(new Error('enough')) });
    expect(await aborted.catch((error: Error) => error.message)).to.equal('enough');
  });

  it('leaves nothing of a connection whose certificate is refused', async () => {
    const refusing = tlsServer();
    const error = await echoes(countingTlsTransport(counter), refusing).catch((reason: Error) => reason);
    expect(error)
      .to.have.property('code')
      .that.matches(/SELF_SIGNED|UNABLE_TO_VERIFY/);
    await once(refusing.close(), 'close'); // which waits for its connections
  });
});
