/** http2.connect over TurboTLS, and @grpc/grpc-js, which has no hook for it, through a local proxy. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { createHttp2Connection, PathMemory, TurboError, type TurboSocket } from '../../src/experimental.js';
import { makeCertificate } from '../support/certificates.js';
import { type Front, withFront } from './support.js';
import { WebServer } from './web-server.js';
import { type WebSettings, webSuite } from './web-suite.js';

/** A session, and another one where that is gone, as users of http2 keep it. */
function clientOf({ origin, ca, turbo }: WebSettings) {
  let session: ClientHttp2Session | undefined;
  function open(): ClientHttp2Session {
    if (session && !session.destroyed && !session.closed) return session;
    session = connect(origin, { createConnection: createHttp2Connection({ ca, turbo }) });
    session.on('error', () => {}); // its streams report it
    return session;
  }
  return {
    async request(path: string, { body, signal }: { body?: Buffer; signal?: AbortSignal } = {}) {
      const headers = { ':path': path, ':method': body ? 'POST' : 'GET' };
      const stream = open().request(headers, signal ? { signal } : {});
      const content = buffer(stream);
      const answered = once(stream, 'response');
      stream.end(body);
      const [[{ ':status': status }], whole] = await Promise.all([answered, content]);
      return { status, body: whole };
    },
    async close() {
      if (!session || session.destroyed) return;
      const closed = once(session, 'close');
      session.destroy();
      await closed;
    },
  };
}

describe('adapters: http2', function () {
  this.timeout(30_000);

  webSuite({ make: clientOf, connectionEach: false, version: '2.0' });

  describe('createHttp2Connection', () => {
    let server: WebServer;
    let front: Front;
    let ca: string;

    before(async () => {
      const certificate = await makeCertificate({ names: ['127.0.0.1', 'localhost'] });
      ({ ca } = certificate);
      server = await WebServer.start(certificate);
      front = await withFront(server.address, 'open');
    });
    after(async () => {
      await front?.close();
      await server?.stop();
    });

    it("takes TLS's options among those of http2.connect; the session is one of HTTP/2 over TurboTLS", async () => {
      const createConnection = createHttp2Connection({ turbo: front.turbo });
      const session = connect(`https://localhost:${front.port}`, { ca, createConnection });
      await once(session, 'connect');
      expect(session.alpnProtocol).to.equal('h2');
      expect(session.encrypted).to.equal(true);
      expect(session.socket.remotePort).to.equal(front.port);
      session.close();
      await once(session, 'close');
      front.expectCarrier();
    });

    it('returns the socket at once', () => {
      const url = new URL(`https://127.0.0.1:${front.port}`);
      const socket = createHttp2Connection({ ca, turbo: front.turbo })(url) as TurboSocket;
      expect(socket.connecting).to.equal(true);
      socket.destroy();
    });

    it('http: goes over TCP as ever, and is refused where TurboTLS is required', async () => {
      const plain = createServer();
      plain.on('stream', (stream) => stream.end('in the clear'));
      await once(plain.listen(0, '::1'), 'listening');
      const url = `http://[::1]:${(plain.address() as AddressInfo).port}`;
      const session = connect(url, { createConnection: createHttp2Connection() });
      expect(String(await buffer(session.request()))).to.equal('in the clear');
      session.close();
      await once(session, 'close');
      const strict = createHttp2Connection({ turbo: { mode: 'require', memory: new PathMemory() } });
      expect(() => connect(url, { createConnection: strict })).to.throw(TurboError, /ask for https:/);
      plain.close();
    });
  });
});
