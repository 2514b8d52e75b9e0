/** undici's Pool and Agent, and fetch, over TurboTLS. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Agent, Client, Pool, fetch as undiciFetch } from 'undici';
import { TurboError, undiciConnector } from '../../src/experimental.js';
import { makeCertificate } from '../support/certificates.js';
import { type Front, withFront } from './support.js';
import { WebServer } from './web-server.js';
import { POOL_SIZE, type WebSettings, webSuite } from './web-suite.js';

/** @param allowH2 as the application asks undici for it */
function poolOf({ origin, ca, turbo }: WebSettings, allowH2: boolean) {
  const pool = new Pool(origin, { connections: POOL_SIZE, allowH2, connect: undiciConnector({ ca, turbo }) });
  return {
    async request(path: string, { body, signal }: { body?: Buffer; signal?: AbortSignal } = {}) {
      const answer = await pool.request({ path, method: body ? 'POST' : 'GET', body: body ?? null, signal });
      return { status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) };
    },
    close: () => pool.destroy(),
  };
}

function fetchOf({ origin, ca, turbo }: WebSettings) {
  const dispatcher = new Agent({ connections: POOL_SIZE, connect: undiciConnector({ ca, turbo }) });
  return {
    async request(path: string, { body, signal }: { body?: Buffer; signal?: AbortSignal } = {}) {
      const init = { method: body ? 'POST' : 'GET', body: body ?? null, dispatcher };
      const answer = await undiciFetch(`${origin}${path}`, { ...init, ...(signal && { signal }) });
      return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
    },
    close: () => dispatcher.destroy(),
  };
}

describe('adapters: undici', function () {
  this.timeout(30_000);

  describe('Pool, HTTP/1.1', () => {
    webSuite({ make: (settings) => poolOf(settings, false), connectionEach: true, version: '1.1' });
  });

  describe('Pool, HTTP/2', () => {
    webSuite({ make: (settings) => poolOf(settings, true), connectionEach: false, version: '2.0' });
  });

  describe('fetch with an Agent', () => {
    webSuite({ make: fetchOf, connectionEach: true, version: '1.1', requests: 100 });
  });

  describe('undiciConnector', () => {
    let server: WebServer;
    let front: Front;
    let ca: string;
    let origin: string;

    before(async () => {
      const certificate = await makeCertificate({ names: ['127.0.0.1', 'localhost'] });
      ({ ca } = certificate);
      server = await WebServer.start(certificate);
      front = await withFront(server.address, 'open');
      origin = `https://127.0.0.1:${front.port}`;
    });
    after(async () => {
      await front.close();
      await server.stop();
    });

    it("Node's own fetch takes the dispatcher too", async () => {
      const dispatcher = new Agent({ connect: undiciConnector({ ca, turbo: front.turbo }) });
      const init = { dispatcher } as object; // Node's types know the Agent of their own undici only
      const answer = await fetch(`${origin}/who`, init);
      expect(await answer.text()).to.equal('nobody HTTP/1.1');
      await dispatcher.close();
      front.expectCarrier();
    });

    it('takes up the session of the connection before, unless told to keep none', async () => {
      for (const [maxCachedSessions, resumed] of [
        [undefined, 1],
        [0, 0],
      ] as const) {
        const connect = undiciConnector({ ca, turbo: front.turbo, ...{ maxCachedSessions } });
        const before = server.resumed;
        for (let visit = 0; visit < 2; visit++) {
          const client = new Client(origin, { connect });
          await (await client.request({ path: '/who', method: 'GET' })).body.dump();
          await client.close();
        }
        expect(server.resumed - before, `maxCachedSessions: ${maxCachedSessions}`).to.equal(resumed);
      }
    });

    it('one Agent for several origins: each is verified by its own name', async () => {
      const other = await WebServer.start(await makeCertificate({ names: ['localhost'] }));
      const otherFront = await withFront(other.address, 'open');
      const agent = new Agent({ connect: undiciConnector({ ca, turbo: front.turbo }) });
      const who = async (url: string) => (await undiciFetch(`${url}/who`, { dispatcher: agent })).text();
      try {
        expect(await who(origin)).to.equal('nobody HTTP/1.1');
        expect(await who(`https://localhost:${otherFront.port}`)).to.equal('localhost HTTP/1.1');
        const error = await who(`https://127.0.0.1:${otherFront.port}`).catch((reason: Error) => reason.cause);
        expect(error).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
      } finally {
        await agent.destroy();
        await otherFront.close();
        await other.stop();
      }
    });

    it('http: origins go over TCP as ever', async () => {
      const plain = createHttpServer((_incoming, answer) => void answer.end('in the clear'));
      await once(plain.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
      const agent = new Agent({ connect: undiciConnector({ ca, turbo: front.turbo }) });
      const strict = new Agent({ connect: undiciConnector({ ca, turbo: { mode: 'require' } }) });
      try {
        expect(await (await undiciFetch(url, { dispatcher: agent })).text()).to.equal('in the clear');
        const error = await undiciFetch(url, { dispatcher: strict }).catch((reason: Error) => reason.cause);
        expect(error).to.be.instanceOf(TurboError).with.property('code', 'ERR_TURBO_REQUIRED');
      } finally {
        await Promise.all([agent.destroy(), strict.destroy()]);
        plain.close();
      }
    });

    it('a Unix socket is taken as ever', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'turbotls-undici-'));
      const socketPath = join(folder, 'http.sock');
      const plain = createHttpServer((_incoming, answer) => void answer.end('by a Unix socket'));
      await once(plain.listen(socketPath), 'listening');
      const client = new Client('http://localhost', { socketPath, connect: undiciConnector() });
      const { body } = await client.request({ path: '/', method: 'GET' });
      expect(await body.text()).to.equal('by a Unix socket');
      await client.close();
      plain.close();
      await rm(folder, { recursive: true });
    });

    it("a connection that is not made in time fails with undici's own code", async () => {
      const sockets = new Set<Socket>();
      const silent = createTcpServer((socket) => void sockets.add(socket.on('error', () => {})));
      await once(silent.listen(0, '127.0.0.1'), 'listening');
      const { port } = silent.address() as AddressInfo;
      const client = new Client(`https://127.0.0.1:${port}`, { connect: undiciConnector({ timeout: 50 }) });
      const error = await client.request({ path: '/', method: 'GET' }).catch((reason: Error) => reason);
      expect(error).to.have.property('code', 'UND_ERR_CONNECT_TIMEOUT');
      expect(error)
        .to.have.property('message')
        .that.matches(/https:\/\/127\.0\.0\.1:\d+, timeout: 50ms/);
      await client.destroy();
      for (const socket of sockets) socket.destroy();
      silent.close();
    });

    it('what goes wrong with a socket later is not thrown at the process', async () => {
      const connect = undiciConnector({ ca, turbo: front.turbo });
      const socket = await new Promise<Socket | null>((resolve) => {
        const origin = { protocol: 'https:', hostname: front.host, port: String(front.port) };
        connect(origin, (...[, connected]) => resolve(connected));
      });
      const closed = new Promise((resolve) => void socket?.once('close', resolve)); // `once` would listen for errors
      socket?.destroy(new Error('after an upgrade, say'));
      await closed;
    });

    it('answers what is wrong with its options not within the call', async () => {
      expect(() => undiciConnector({ maxCachedSessions: -1 })).to.throw(TurboError, /maxCachedSessions/);
      const connect = undiciConnector({ turbo: { mode: 'on' as 'off' } });
      let called = false;
      const answered = new Promise((resolve) => {
        connect({ protocol: 'https:', hostname: '127.0.0.1', port: '1' }, (...[error]) => {
          called = true;
          resolve(error);
        });
      });
      expect(called).to.equal(false);
      expect(await answered).to.have.property('code', 'ERR_TURBO_BAD_OPTION');
    });
  });
});
