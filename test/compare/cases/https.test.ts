/** HTTPS by Node and undici, as it is compared, with a real server. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import { attach } from 'turbotls/experimental';
import type { Case, HttpsTarget } from '../../../src/compare/case.js';
import { httpsCases } from '../../../src/compare/cases/https.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../support/certificates.js';
import { until } from '../../support/engine-rig.js';
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

describe('compare: HTTPS cases', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let server: Server;
  let target: HttpsTarget;
  const sockets = new Set<Socket>();
  /** `GET /path host`, of each request. */
  let requests: string[];
  let status: number;
  let isSilent: boolean;

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    server = createServer(certificate, ({ method, url, headers }, response) => {
      requests.push(`${method} ${url} ${headers.host}`);
      if (isSilent) return;
      response.writeHead(status);
      response.write('a body that goes on'); // and does not end
    });
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    attach(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    target = {
      group: 'https',
      address: { host: '127.0.0.1', port },
      serverName: 'localhost',
      ca: certificate.ca,
      path: '/some/path?with=query',
    };
  });
  beforeEach(() => {
    requests = [];
    status = 200;
    isSilent = false;
  });
  afterEach(closePrepared);
  after(() => {
    server?.close();
    server?.closeAllConnections();
  });

  it('are each compared with the same client as it is', () => {
    expect(httpsCases.map(({ id, reference, group }) => [id, reference, group])).to.deep.equal([
      ['https-undici', 'https-undici', 'https'],
      ['https-undici-turbo', 'https-undici', 'https'],
      ['https-node', 'https-node', 'https'],
      ['https-node-turbo', 'https-node', 'https'],
    ]);
  });

  for (const one of httpsCases as readonly Case[]) {
    const isTurbo = one.id.endsWith('-turbo');

    describe(one.id, () => {
      it('tells when TCP and TLS were there, and ends with the head of the response', async () => {
        const sample = await sampleOf(one, target);
        expect(phaseNames(sample)).to.deep.equal(['tcp', 'secure']);
        expect(inOrder(sample), JSON.stringify(sample)).to.equal(true);
        expect(sample.ms).to.be.above(sample.phases.at(-1)?.atMs as number);
        expect(sample.carrier).to.be.oneOf(isTurbo ? ['udp', 'tcp'] : ['tcp']);
        expect(requests).to.deep.equal([`GET /some/path?with=query localhost:${target.address.port}`]);
      });

      it('takes whatever the status is', async () => {
        status = 404;
        await sampleOf(one, target);
      });

      it('makes a connection each time, a cold one, and leaves none behind', async () => {
        const resumed: boolean[] = [];
        const note = (socket: { isSessionReused(): boolean }) => resumed.push(socket.isSessionReused());
        server.on('secureConnection', note);
        const { once } = await prepare(one, target);
        for (let count = 0; count < 3; count++) await once(new AbortController().signal);
        server.off('secureConnection', note);
        expect(resumed).to.deep.equal([false, false, false]);
        await until(() => sockets.size === 0);
      });

      it('verifies the certificate and the name in it', async () => {
        const { cert: ca } = await makeAuthority({ name: 'Another Authority' });
        const untrusted = await failureOf(sampleOf(one, { ...target, ca }));
        expect(untrusted.code).to.be.oneOf(NOT_TRUSTED);
        for (const serverName of ['other.test', '127.0.0.9']) {
          const error = await failureOf(sampleOf(one, { ...target, serverName }));
          expect(error.code).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
        }
        await sampleOf(one, { ...target, serverName: '127.0.0.1' });
      });

      it('fails where nobody listens', async () => {
        const error = await failureOf(sampleOf(one, { ...target, address: { host: '127.0.0.1', port: 1 } }));
        expect(error.code).to.equal('ECONNREFUSED');
      });

      it('ends with its signal, and leaves nothing behind', async () => {
        isSilent = true;
        const { once } = await prepare(one, target);
        const abort = new AbortController();
        const failure = failureOf(once(abort.signal));
        await until(() => requests.length === 1);
        abort.abort(new Error('told to'));
        expect((await failure).message).to.equal('told to');
        await until(() => sockets.size === 0);
      });

      if (isTurbo) {
        it('UDP carries the first flights', async () => {
          const { phases } = await sampleOverUdp(one, target);
          expect(phases.map(({ name }) => name)).to.have.members(['tcp', 'udp', 'secure']);
        });

        it('goes where TurboTLS is', async () => {
          await sampleOf(one, { ...target, address: { host: '127.0.0.1', port: 1 }, turboAddress: target.address });
        });
      }
    });
  }
});
