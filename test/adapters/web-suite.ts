/** What every HTTP client shows over TurboTLS, with UDP open and blocked. */
import { expect } from 'chai';
import type { ClientTurboOptions } from '../../src/experimental.js';
import { bytes } from '../compliance/bytes.js';
import { makeAuthority, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';
import { CountingNetwork, FlightCounter } from '../support/flights.js';
import { type Front, type Udp, withFront } from './support.js';
import { WebServer } from './web-server.js';

export interface WebAnswer {
  status: number;
  body: Buffer;
}

export interface WebClient {
  /** POST where there is a body. */
  request(path: string, options?: { body?: Buffer; signal?: AbortSignal }): Promise<WebAnswer>;
  close(): Promise<void>;
}

export interface WebSettings {
  origin: string;
  ca: string;
  turbo: ClientTurboOptions;
}

/** As many connections as it may open at a time. */
export const POOL_SIZE = 50;
const AT_A_TIME = 20;
const LARGE_BYTES = 8 * 2 ** 20;

export interface WebKind {
  make: (settings: WebSettings) => WebClient;
  /** Whether each request that is under way has a connection of its own. */
  connectionEach: boolean;
  version: '1.1' | '2.0';
  /** Default 1,000. */
  requests?: number;
}

export function webSuite({ make, connectionEach, version, requests = 1_000 }: WebKind): void {
  for (const udp of ['open', 'blocked'] as const) {
    describe(`with UDP ${udp}`, () => describePath(udp));
  }

  function describePath(udp: Udp): void {
    let server: WebServer;
    let front: Front;
    let ca: string;
    const clients = new Set<WebClient>();

    before(async () => {
      const certificate = await makeCertificate({ names: ['127.0.0.1', 'localhost'] });
      ({ ca } = certificate);
      server = await WebServer.start(certificate);
      front = await withFront(server.address, udp);
    });
    after(async () => {
      await front?.close();
      await server?.stop();
    });
    afterEach(async () => {
      await Promise.all([...clients].map((client) => client.close()));
      clients.clear();
      front.expectCarrier();
    });

    function open(changes: Partial<WebSettings> = {}): WebClient {
      const client = make({ origin: `https://127.0.0.1:${front.port}`, ca, turbo: front.turbo, ...changes });
      clients.add(client);
      return client;
    }

    async function refusal(outcome: Promise<unknown>): Promise<string> {
      const error = await outcome.then(
        () => expect.fail('it was not refused'),
        (reason: Error & { code?: string }) => reason,
      );
      const { code } = (error.cause as { code?: string }) ?? error;
      return code ?? String(error);
    }

    it(`${requests} requests`, async () => {
      const client = open();
      const left = Array.from({ length: requests }, (_, index) => `request ${index}`);
      const ask = async () => {
        for (let body = left.pop(); body !== undefined; body = left.pop()) {
          const answer = await client.request('/echo', { body: Buffer.from(body) });
          expect({ ...answer, body: String(answer.body) }).to.deep.equal({ status: 200, body });
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, ask));
    });

    it('eight megabytes up and down', async () => {
      const sent = bytes('large', LARGE_BYTES);
      const { body } = await open().request('/echo', { body: sent });
      expect(body.equals(sent), `${body.length} bytes came back`).to.equal(true);
    });

    it('fifty requests at a time', async () => {
      const client = open();
      const before = server.connections;
      const answers = await Promise.all(Array.from({ length: POOL_SIZE }, () => client.request(`/meet?${POOL_SIZE}`)));
      expect(answers.map(({ body }) => String(body))).to.deep.equal(Array(POOL_SIZE).fill('met'));
      const connections = server.connections - before;
      if (connectionEach) expect(connections).to.equal(POOL_SIZE);
      else expect(connections).to.be.within(1, POOL_SIZE);
    });

    it('asks for the name of its origin, and for its version of HTTP', async () => {
      const byName = await open({ origin: `https://localhost:${front.port}` }).request('/who');
      expect(String(byName.body)).to.equal(`localhost HTTP/${version}`);
      const byAddress = await open().request('/who');
      expect(String(byAddress.body)).to.equal(`nobody HTTP/${version}`);
    });

    it('goes on after the server was restarted', async () => {
      const client = open();
      await client.request('/echo', { body: Buffer.from('before') });
      await server.restart();
      const body = Buffer.from('after');
      // It may not have heard yet that its connection is gone.
      const answer = await client.request('/echo', { body }).catch(() => client.request('/echo', { body }));
      expect(String(answer.body)).to.equal('after');
    });

    it('a request that is given up ends, at the server too; the next one is answered', async () => {
      const client = open();
      await client.request('/who');
      const { asked, abandoned } = server;
      const giveUp = new AbortController();
      const outcome = client.request('/never', { signal: giveUp.signal }).catch((error: Error) => error.name);
      await until(() => server.asked > asked);
      giveUp.abort();
      expect(await outcome).to.equal('AbortError');
      await until(() => server.abandoned > abandoned);
      expect((await client.request('/who')).status).to.equal(200);
    });

    it('a request that takes too long ends', async () => {
      const client = open();
      await client.request('/who');
      const outcome = client.request('/never', { signal: AbortSignal.timeout(50) });
      expect(await outcome.catch((error: Error) => error.name)).to.be.oneOf(['TimeoutError', 'AbortError']);
    });

    it('refuses a certificate of another authority', async () => {
      const { cert } = await makeAuthority({ name: 'Another Authority' });
      expect(await refusal(open({ ca: cert }).request('/who'))).to.be.oneOf([
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      ]);
    });

    it('refuses a certificate for another name', async () => {
      const other = await WebServer.start(await makeCertificate({ names: ['other.test'] }));
      const otherFront = await withFront(other.address, udp);
      const origin = `https://localhost:${otherFront.port}`;
      try {
        expect(await refusal(open({ origin }).request('/who'))).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
        expect((await open().request('/who')).status).to.equal(200);
      } finally {
        await otherFront.close();
        await other.stop();
      }
    });

    it(`the first answer takes ${udp === 'open' ? 'two' : 'three'} round trips`, async () => {
      const counter = new FlightCounter();
      const network = new CountingNetwork(counter);
      await open({ turbo: { ...front.turbo, network } }).request('/who');
      expect(counter.roundTrips).to.equal(udp === 'open' ? 2 : 3);
    });
  }
}
