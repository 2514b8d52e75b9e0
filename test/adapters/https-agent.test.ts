/** https.request with an agent over TurboTLS. */
import { once } from 'node:events';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { Agent, type AgentOptions, request } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { expect } from 'chai';
import { PathMemory, TurboError, type TurboSocket, turboAgent } from '../../src/experimental.js';
import { closeGateways, passthrough, startGateway } from '../gateway/gateway-rig.js';
import { type NginxServer, requirePart, startNginx } from '../servers/index.js';
import { makeCertificate } from '../support/certificates.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { type Front, withFront } from './support.js';
import { WebServer } from './web-server.js';
import { POOL_SIZE, type WebSettings, webSuite } from './web-suite.js';

interface Asked {
  agent: Agent;
  body?: Buffer;
  signal?: AbortSignal;
  rejectUnauthorized?: boolean;
}

async function ask(url: string, { body, ...options }: Asked): Promise<IncomingMessage> {
  const outgoing = request(url, { method: body ? 'POST' : 'GET', ...options });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

function clientOf({ origin, ca, turbo }: WebSettings) {
  const agent = turboAgent({ ca, turbo, keepAlive: true, maxSockets: POOL_SIZE });
  return {
    async request(path: string, options: { body?: Buffer; signal?: AbortSignal } = {}) {
      const answer = await ask(`${origin}${path}`, { agent, ...options });
      return { status: answer.statusCode ?? 0, body: await buffer(answer) };
    },
    close: async () => agent.destroy(),
  };
}

describe('adapters: https agent', function () {
  this.timeout(30_000);

  webSuite({ make: clientOf, connectionEach: true, version: '1.1' });

  describe('turboAgent', () => {
    let server: WebServer;
    let front: Front;
    let ca: string;
    let origin: string;
    const agents = new Set<Agent>();

    before(async () => {
      const certificate = await makeCertificate({ names: ['127.0.0.1', 'localhost'] });
      ({ ca } = certificate);
      server = await WebServer.start(certificate);
      front = await withFront(server.address, 'open');
      origin = `https://127.0.0.1:${front.port}`;
    });
    after(async () => {
      await front?.close();
      await server?.stop();
    });
    afterEach(() => {
      for (const agent of agents) agent.destroy();
      agents.clear();
    });

    function open(options: AgentOptions = {}): Agent {
      const agent = turboAgent({ ca, turbo: front.turbo, ...options });
      agents.add(agent);
      return agent;
    }

    it('is an https.Agent that gives its connections the same names', () => {
      const agent = open({ keepAlive: true });
      expect(agent).to.be.instanceOf(Agent);
      const options = { host: 'example.com', port: 443, servername: 'example.com', rejectUnauthorized: false };
      expect(agent.getName(options)).to.equal(new Agent().getName(options));
    });

    it('one connection for one request after another, which says how it was made', async () => {
      const agent = open({ keepAlive: true });
      const before = server.connections;
      for (let round = 0; round < 3; round++) {
        const answer = await ask(`${origin}/who`, { agent });
        expect((answer.socket as TurboSocket).turbo?.carrier).to.equal('udp');
        await text(answer);
        await new Promise(setImmediate); // the agent takes it back
      }
      expect(server.connections - before).to.equal(1);
      expect(Object.values(agent.freeSockets)).to.have.lengthOf(1);
    });

    it('takes up sessions, as many as it is told to keep', async () => {
      for (const [maxCachedSessions, resumed] of [
        [100, 1],
        [0, 0],
      ] as const) {
        const agent = open({ maxCachedSessions });
        const before = server.resumed;
        for (let visit = 0; visit < 2; visit++) await text(await ask(`${origin}/who`, { agent }));
        expect(server.resumed - before, `maxCachedSessions: ${maxCachedSessions}`).to.equal(resumed);
      }
    });

    it('a session made without verification is not taken up with it', async () => {
      const other = await WebServer.start(await makeCertificate({ names: ['other.test'] }));
      const otherFront = await withFront(other.address, 'open');
      const agent = open();
      const url = `https://127.0.0.1:${otherFront.port}/who`;
      try {
        expect(await text(await ask(url, { agent, rejectUnauthorized: false }))).to.equal('nobody HTTP/1.1');
        const error = await ask(url, { agent }).catch((reason: Error) => reason);
        expect(error).to.have.property('code', 'ERR_TLS_CERT_ALTNAME_INVALID');
      } finally {
        await otherFront.close();
        await other.stop();
      }
    });

    it("a request's timeout is told while the connection is being made", async () => {
      const sockets = new Set<Socket>();
      const silent = createTcpServer((socket) => void sockets.add(socket.on('error', () => {})));
      await once(silent.listen(0, '127.0.0.1'), 'listening');
      const { port } = silent.address() as AddressInfo;
      const outgoing = request(`https://127.0.0.1:${port}`, { agent: open(), timeout: 50 });
      outgoing.end();
      await once(outgoing, 'timeout');
      const closed = once(outgoing, 'error');
      outgoing.destroy();
      expect((await closed)[0]).to.have.property('code', 'ECONNRESET');
      for (const socket of sockets) socket.destroy();
      silent.close();
    });

    it('what is wrong with its options is said', async () => {
      expect(() => turboAgent({ proxyEnv: process.env } as AgentOptions)).to.throw(TurboError, /proxyEnv/);
      expect(() => turboAgent({ maxCachedSessions: 0.5 })).to.throw(TurboError, /maxCachedSessions/);
    });
  });

  describe('nginx behind a gateway', () => {
    const FILE = 'a line of a file\n'.repeat(500_000); // 8.5 MB
    let nginx: NginxServer;
    let ca: string;

    before(async function () {
      requirePart(this, 'nginx');
      const tls = await makeCertificate({ names: ['127.0.0.1', 'localhost'] });
      ({ ca } = tls);
      nginx = await startNginx({ tls, files: { large: FILE } });
    });
    after(() => nginx?.stop());
    afterEach(closeGateways);

    for (const [udp, carrier, turbo] of [
      ['open', 'turbo', { limits: { graceMinMs: 5_000 } }],
      ['blocked', 'tcp', { network: new LossyNetwork({ loss: 1, seed: 1 }) }],
    ] as const) {
      it(`with UDP ${udp}`, async () => {
        const gateway = await startGateway([passthrough('web', [{ host: '127.0.0.1', port: nginx.tlsPort }])]);
        const agent = turboAgent({ ca, turbo: { memory: new PathMemory(), ...turbo }, keepAlive: true });
        const origin = `https://localhost:${gateway.port}`;
        const answer = await ask(`${origin}/request`, { agent });
        expect(answer.statusMessage).to.equal(STATUS_CODES[200]);
        expect(await text(answer)).to.equal('GET localhost HTTP/1.1 https\n');
        const file = await text(await ask(`${origin}/files/large`, { agent }));
        expect(file === FILE, `${file.length} characters came`).to.equal(true);
        agent.destroy();
        const ends = await gateway.ended(1);
        expect(ends.map((end) => end.carrier)).to.deep.equal([carrier]);
      });
    }
  });
});
