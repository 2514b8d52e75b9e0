/** TLS, turbo and QUIC, as they are compared, with real servers. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { type QuicServer, startQuicServer } from '../../../examples/latency/quic-server.js';
import type { Case, EchoTarget } from '../../../src/compare/case.js';
import { echoCases } from '../../../src/compare/cases/echo.js';
import { closeRigs, startTls, type TlsRig } from '../../gateway/proxy-rig.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../support/certificates.js';
import { until } from '../../support/engine-rig.js';
import { takeUdpPort } from '../../support/ports.js';
import {
  closePrepared,
  failureOf,
  inOrder,
  NOT_TRUSTED,
  phaseNames,
  prepare,
  sampleOf,
  sampleOverUdp,
} from './trial.js';

const OVER_TLS = ['tls', 'turbo', 'turbo-known', 'turbo-careful', 'tls-resumed', 'turbo-resumed'];

function named(id: string): Case {
  const found = echoCases.find((one) => one.id === id);
  if (!found) throw new Error(`no case ${id}`);
  return found as Case;
}

describe('compare: echo cases', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let rig: TlsRig;
  let quic: QuicServer;
  let target: EchoTarget;
  let connections: number;
  const sockets = new Set<Duplex>();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    quic = await startQuicServer({ host: '127.0.0.1', port: 0, ...certificate });
  });
  beforeEach(async () => {
    connections = 0;
    rig = await startTls(certificate, (socket) => {
      connections++;
      socket.pipe(socket);
    });
    rig.server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    const { host, port } = rig;
    const { ca } = certificate;
    target = {
      group: 'echo',
      address: { host, port },
      serverName: 'localhost',
      ca,
      request: 'hello',
      quicAddress: quic.address,
    };
  });
  afterEach(async () => {
    await closePrepared();
    await closeRigs();
  });
  after(() => quic?.close());

  /** A server of TLS without turbo. */
  async function startPlain(serve: (socket: TLSSocket) => void): Promise<{ server: Server; target: EchoTarget }> {
    const server = createServer(certificate, (socket) => {
      socket.on('error', () => {});
      serve(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { server, target: { ...target, address: { host: '127.0.0.1', port } } };
  }

  it('are all compared with node:tls', () => {
    expect(echoCases.map(({ id }) => id)).to.have.members([...OVER_TLS, 'quic']);
    for (const { group, reference } of echoCases)
      expect({ group, reference }).to.deep.equal({ group: 'echo', reference: 'tls' });
  });

  for (const id of OVER_TLS) {
    describe(id, () => {
      it('tells when TCP and TLS were there, and ends with the answer', async () => {
        const sample = await sampleOf(named(id), target);
        expect(phaseNames(sample)).to.deep.equal(['tcp', 'secure']);
        expect(inOrder(sample), JSON.stringify(sample)).to.equal(true);
        expect(sample.ms).to.be.above(sample.phases.at(-1)?.atMs as number);
        expect(sample.carrier).to.be.oneOf(id.startsWith('turbo') ? ['udp', 'tcp'] : ['tcp']);
      });

      it('without a request ends with TLS', async () => {
        const { ms, phases } = await sampleOf(named(id), { ...target, request: undefined });
        expect(phases.at(-1)?.name).to.equal('secure');
        expect(ms - (phases.at(-1)?.atMs as number)).to.be.within(0, 1);
      });

      it('makes a connection each time, and leaves none behind', async () => {
        const { once } = await prepare(named(id), target);
        const before = connections;
        for (let count = 0; count < 3; count++) await once(new AbortController().signal);
        expect(connections - before).to.equal(3);
        await until(() => sockets.size === 0);
      });

      it('fails where another authority has signed', async () => {
        const { cert: ca } = await makeAuthority({ name: 'Another Authority' });
        const error = await failureOf(sampleOf(named(id), { ...target, ca }));
        expect(error.code).to.be.oneOf(NOT_TRUSTED);
      });

      it('looks for the name in the certificate, also for an address', async () => {
        await sampleOf(named(id), { ...target, serverName: '127.0.0.1' });
        for (const serverName of ['other.test', '127.0.0.9']) {
          const error = await failureOf(sampleOf(named(id), { ...target, serverName }));
          expect(error.code).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
        }
      });

      it('fails where the server says goodbye', async () => {
        let serve = (socket: TLSSocket) => void socket.pipe(socket);
        rig.server.removeAllListeners('secureConnection');
        rig.server.on('secureConnection', (socket) => serve(socket.on('error', () => {})));
        const { once } = await prepare(named(id), target);
        serve = (socket) => void socket.end();
        const error = await failureOf(once(new AbortController().signal));
        expect(error.message).to.equal('the server closed the connection before it answered');
      });

      it('ends with its signal, and leaves nothing behind', async () => {
        const { once } = await prepare(named(id), target);
        rig.server.removeAllListeners('secureConnection');
        const abort = new AbortController();
        rig.server.on('secureConnection', (socket) => {
          socket.on('error', () => {}).resume();
          setImmediate(() => abort.abort(new Error('told to')));
        });
        expect(await failureOf(once(abort.signal))).to.have.property('message', 'told to');
        await until(() => sockets.size === 0);
        expect(await failureOf(once(abort.signal))).to.have.property('message', 'told to');
      });
    });
  }

  for (const id of OVER_TLS.filter((id) => id.startsWith('turbo'))) {
    it(`${id}: UDP carries the first flights`, async () => {
      const { phases } = await sampleOverUdp(named(id), target);
      expect(phases.map(({ name }) => name)).to.have.members(['tcp', 'udp', 'secure']);
    });

    it(`${id}: goes where TurboTLS is`, async () => {
      const plain = await startPlain((socket) => socket.end());
      try {
        await sampleOf(named(id), { ...plain.target, turboAddress: target.address });
      } finally {
        plain.server.close();
      }
    });
  }

  it('a server without turbo is measured over TCP', async () => {
    const { server, target } = await startPlain((socket) => void socket.pipe(socket));
    try {
      for (const id of OVER_TLS) expect((await sampleOf(named(id), target)).carrier, id).to.equal('tcp');
    } finally {
      server.close();
    }
  });

  for (const [id, learns] of [
    ['turbo', false],
    ['turbo-known', true],
    ['turbo-careful', false],
    ['turbo-resumed', true],
  ] as const) {
    it(`${id} ${learns ? 'goes on with what it has learned' : 'begins each time anew'}`, async () => {
      const { socket: silent, port } = await takeUdpPort();
      let datagrams = 0;
      silent.on('message', () => datagrams++);
      const server = createServer(certificate, (socket) => void socket.on('error', () => {}).pipe(socket));
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      try {
        const { once } = await prepare(named(id), { ...target, address: { host: '127.0.0.1', port } });
        for (let count = 0; count < 3; count++) await once(new AbortController().signal);
        await settled();
        datagrams = 0;
        await once(new AbortController().signal);
        await settled();
        expect(datagrams === 0).to.equal(learns);
      } finally {
        silent.close();
        server.close();
      }
    });
  }

  for (const id of ['tls-resumed', 'turbo-resumed']) {
    it(`${id}: a session that is not resumed is a failure`, async () => {
      const { once } = await prepare(named(id), target);
      await once(new AbortController().signal);
      rig.server.setTicketKeys(randomBytes(48));
      const error = await failureOf(once(new AbortController().signal));
      expect(error.message).to.equal('the server did not resume the session');
    });
  }

  describe('quic', () => {
    it('tells when TLS was there, and ends with the answer', async () => {
      const sample = await sampleOf(named('quic'), target);
      expect(sample.phases.map(({ name }) => name)).to.deep.equal(['secure']);
      expect(sample.ms).to.be.above(sample.phases[0]?.atMs as number);
      expect(sample.carrier).to.equal('udp');
    });

    it('without a request ends with TLS', async () => {
      const { ms, phases } = await sampleOf(named('quic'), { ...target, request: undefined });
      expect(ms - (phases[0]?.atMs as number)).to.be.within(0, 1);
    });

    it('connects several times at once', async () => {
      const { once } = await prepare(named('quic'), target);
      const { signal } = new AbortController();
      expect(await Promise.all([once(signal), once(signal), once(signal)])).to.have.length(3);
    });

    it('fails where another authority has signed, or the name is another', async () => {
      const { cert: ca } = await makeAuthority({ name: 'Another Authority' });
      await failureOf(sampleOf(named('quic'), { ...target, ca }));
      await failureOf(sampleOf(named('quic'), { ...target, serverName: 'other.test' }));
    });

    it('ends with its signal', async () => {
      const { socket: silent, port } = await takeUdpPort();
      try {
        const { once } = await prepare(named('quic'), { ...target, quicAddress: { host: '127.0.0.1', port } });
        const abort = new AbortController();
        setTimeout(() => abort.abort(new Error('told to')), 50);
        await failureOf(once(abort.signal));
      } finally {
        silent.close();
      }
    });

    it('is missing where no server is known', async () => {
      const { quicAddress: _quicAddress, ...none } = target;
      expect(await named('quic').prepare(none, new AbortController().signal)).to.deep.equal({
        missing: 'no server of QUIC is known here',
      });
    });
  });
});

/** For datagrams that are on their way. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
