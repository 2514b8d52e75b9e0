/** Each form of a connection that a Dialer gives, to node's own https server with a TurboTLS port. */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { attach, Dialer, type DialerOptions, PathMemory, type TurboSocket } from '../../src/experimental.js';
import { makeAuthority, makeCertificate } from '../support/certificates.js';
import { LossyNetwork } from '../support/lossy-network.js';

const ASK = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

describe('adapters: Dialer', () => {
  for (const [udp, carrier, network] of [
    ['open', 'udp', undefined],
    ['blocked', 'tcp', new LossyNetwork({ loss: 1, seed: 1 })],
  ] as const) {
    describe(`with UDP ${udp}`, () => {
      let server: Server;
      let ca: string;
      let address: { host: string; port: number };

      before(async () => {
        const { key, cert, ca: authority } = await makeCertificate({ names: ['localhost'] });
        ca = authority;
        server = createServer({ key, cert }, (incoming, answer) => {
          const { servername } = incoming.socket as TurboSocket & { servername: string };
          answer.end(`hello ${servername}`);
        });
        attach(server);
        await once(server.listen(0, '127.0.0.1'), 'listening');
        address = { host: 'localhost', port: (server.address() as AddressInfo).port };
      });
      after(() => void server?.close());

      function dialer(options: DialerOptions = {}): Dialer {
        const limits = { graceMinMs: udp === 'open' ? 5_000 : 2 };
        return new Dialer({ ca, turbo: { memory: new PathMemory(), limits, network }, ...options });
      }

      async function answered(socket: TurboSocket): Promise<void> {
        socket.write(ASK);
        await once(socket, 'readable');
        expect(socket.turbo?.carrier).to.equal(carrier);
        expect(await text(socket)).to.match(/^HTTP\/1\.1 200 OK\r\n[\s\S]*hello localhost/);
      }

      it('dial: a socket whose TLS is ready', async () => {
        const socket = await dialer().dial(address);
        expect(socket.authorized).to.equal(true);
        await answered(socket);
      });

      it('dial: ended by a signal, refused for a wrong certificate', async () => {
        const signal = AbortSignal.abort();
        expect(
          await dialer()
            .dial(address, { signal })
            .catch((error: Error) => error.name),
        ).to.equal('AbortError');
        const { cert } = await makeAuthority({ name: 'Another Authority' });
        const error = await dialer({ ca: cert })
          .dial(address)
          .catch((reason: Error) => reason);
        expect(error)
          .to.have.property('code')
          .that.matches(/^UNABLE_TO_/);
      });

      it('connect: handed on as it is, for createConnection', async () => {
        const { connect } = dialer();
        const outgoing = request({ ...address, path: '/path', createConnection: connect as never });
        outgoing.end();
        const [answer] = await once(outgoing, 'response');
        expect((answer.socket as TurboSocket).turbo?.carrier).to.equal(carrier);
        expect(await text(answer)).to.equal('hello localhost');
      });

      it("connect: the listener is that of 'secureConnect', and its options come over the dialer's", async () => {
        const socket = dialer({ servername: 'wrong.test' }).connect({ ...address, servername: 'localhost' }, () =>
          expect(socket.authorized).to.equal(true),
        );
        await once(socket, 'secureConnect');
        await answered(socket);
      });

      it('socket: dials when its user connects it', async () => {
        const socket = dialer().socket(address);
        expect(socket.remoteAddress).to.equal(undefined);
        socket.connect(address.port, address.host);
        await once(socket, 'connect');
        await answered(socket);
      });
    });
  }
});
