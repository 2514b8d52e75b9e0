/**
 * Which TLSSocket belongs to which connection, although Node does not tell: the answers to SNICallback, resumeSession and
 * newSession may come from anywhere, a shared timer say, and what belongs to a connection must still find it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { expect } from 'chai';
import * as turbo from '../../src/experimental.js';
import { makeCertificate } from '../support/certificates.js';
import { type ClientOptions, type Lab, type ServerOptions, sameAsNative, transports, until } from './transports.js';

/** Calls back from a timer that was made before there was any connection. */
class Elsewhere {
  readonly #waiting: (() => void)[] = [];
  readonly #timer = setInterval(() => {
    for (const callback of this.#waiting.splice(0)) callback();
  }, 5);

  soon(callback: () => void): void {
    this.#waiting.push(callback);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

type Ask = (server: tls.Server, elsewhere: Elsewhere) => void;

const noTickets = { maxVersion: 'TLSv1.2', secureOptions: 0x4000 /* SSL_OP_NO_TICKET */ } as const;

const asking: Record<string, { options?: ServerOptions; ask?: Ask; sni?: boolean }> = {
  'SNICallback, TLS 1.3': { sni: true },
  'SNICallback, TLS 1.2': { sni: true, options: { maxVersion: 'TLSv1.2' } },
  newSession: {
    options: noTickets,
    ask: (server, elsewhere) =>
      server.on('newSession', (_id: Buffer, _data: Buffer, done: () => void) => elsewhere.soon(done)),
  },
  resumeSession: {
    options: noTickets,
    ask: (server, elsewhere) =>
      server.on('resumeSession', (_id: Buffer, done: (error: null, data: null) => void) =>
        elsewhere.soon(() => done(null, null)),
      ),
  },
  OCSPRequest: {
    ask: (server, elsewhere) =>
      server.on('OCSPRequest', (_c: Buffer, _i: Buffer, done: (error: null, response: Buffer) => void) =>
        elsewhere.soon(() => done(null, Buffer.from('a response'))),
      ),
  },
};

async function answered(lab: Lab, elsewhere: Elsewhere, { options, ask, sni }: (typeof asking)[string]) {
  const { key, cert } = lab.certificate;
  const SNICallback: ServerOptions['SNICallback'] = (_name, callback) =>
    elsewhere.soon(() => callback(null, tls.createSecureContext({ key, cert })));
  const server = lab.createServer({ ...options, allowHalfOpen: true, ...(sni ? { SNICallback } : {}) });
  ask?.(server, elsewhere);
  await lab.listen(server);
  return lab.join(server, { requestOCSP: true } as ClientOptions);
}

describe('compliance: callbacks that are answered from elsewhere', () => {
  let elsewhere: Elsewhere;

  before(() => {
    elsewhere = new Elsewhere();
  });
  after(() => elsewhere.stop());

  for (const [name, how] of Object.entries(asking)) {
    sameAsNative(name, async (lab) => {
      const { client, peer } = await answered(lab, elsewhere, how);
      expect(peer.remotePort).to.equal(client.localPort);
      expect(peer.localPort).to.equal(client.remotePort);
      return { address: peer.remoteAddress, family: peer.remoteFamily, allowHalfOpen: peer.allowHalfOpen };
    });
  }

  sameAsNative('twenty at once, each with its own connection', async (lab) => {
    const server = await lab.serve({
      SNICallback: (_name, callback) => elsewhere.soon(() => callback(null)),
    });
    const ports = new Map<string, number | undefined>();
    server.on('secureConnection', (socket) => {
      socket.once('data', (name) => ports.set(String(name), socket.remotePort));
    });
    const clients = Array.from({ length: 20 }, () => lab.connect(server));
    for (const [index, client] of clients.entries()) client.write(String(index));
    await until(() => ports.size === 20, 'everybody has said its name');
    for (const [index, client] of clients.entries()) expect(ports.get(String(index))).to.equal(client.localPort);
    return ports.size;
  });

  sameAsNative('the caller keeps its own context in events of the client', async (lab) => {
    const storage = new AsyncLocalStorage<string>();
    const server = await lab.serve({}, (socket) => socket.end('hello'));
    const seen: string[] = [];
    const client = storage.run('a request', () => lab.connect(server));
    for (const event of ['lookup', 'connect', 'secureConnect', 'data', 'end', 'close']) {
      client.on(event, () => seen.push(`${event}: ${storage.getStore()}`));
    }
    await lab.closing(client);
    return seen;
  });

  for (const transport of transports.filter(({ isTurbo }) => isTurbo)) {
    it(`the time limit of a handshake ends with it, ${transport.name}`, async () => {
      const network = transport.loss === 1 ? { turbo: { mode: 'off' as const } } : {};
      const errors = (await errorsPastLimit(150, network)) ?? (await errorsPastLimit(3_000, network));
      expect(errors).to.deep.equal([]);
    });
  }

  /** The server's errors on a connection that outlives the limit. Undefined where a busy machine took longer to make it. */
  async function errorsPastLimit(
    handshakeTimeoutMs: number,
    network: turbo.TurboConnectionOptions,
  ): Promise<Error[] | undefined> {
    const { key, cert, ca } = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    const server = turbo.createServer({ key, cert, ...noTickets, turbo: { limits: { handshakeTimeoutMs } } });
    server.on('newSession', (_id: Buffer, _data: Buffer, done: () => void) => elsewhere.soon(done));
    const outcome = new Promise<tls.TLSSocket | undefined>((resolve) => {
      server.once('secureConnection', resolve);
      server.once('tlsClientError', () => resolve(undefined));
    });
    server.listen(0, '127.0.0.1');
    await until(() => server.turbo?.address() != null, 'the server listens');
    const { port } = server.address() as { port: number };
    const client = turbo.connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...network });
    client.on('error', () => {});
    const peer = await outcome;
    const errors: Error[] = [];
    peer?.on('error', (error) => errors.push(error));
    if (peer) await delay(2 * handshakeTimeoutMs);
    client.destroy();
    peer?.destroy();
    await new Promise((resolve) => void server.close(resolve));
    return peer && errors;
  }
});
