/** Somebody in the middle: ends the client's TLS with a certificate of their own, and has one of their own upstream. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { BackendEncoder, type BackendMessage, FrontendEncoder } from '../../../../src/codec/pg/index.js';
import type { PostgresServer } from '../../../servers/index.js';
import type { Certificate } from '../../../support/certificates.js';
import { answerSslRequest, LoopbackServer, serveTls } from './loopback-server.js';

export interface SpyOptions {
  upstream: PostgresServer;
  certificate: Certificate;
  /** Of the upstream's certificate. */
  authority: string;
  /** Offers SCRAM-SHA-256 alone. */
  hidesPlus?: boolean;
  /** Passes nothing on from the server from its proof on. */
  holdsProof?: boolean;
}

/** AuthenticationRequest's number of SASLFinal. */
const SASL_FINAL = Buffer.from([0, 0, 0, 12]);
const PLUS_TOO = encoded({ name: 'AuthenticationSASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] });
const PLUS_NOT = encoded({ name: 'AuthenticationSASL', mechanisms: ['SCRAM-SHA-256'] });

function encoded(message: BackendMessage): Buffer {
  return new BackendEncoder().write(message).take();
}

function isSaslFinal(chunk: Buffer): boolean {
  return chunk[0] === 'R'.charCodeAt(0) && chunk.subarray(5, 9).equals(SASL_FINAL);
}

export class Spy {
  readonly #options: SpyOptions;
  readonly #fromClients: Buffer[] = [];
  readonly #upstream = new Set<Duplex>();
  #server: LoopbackServer | undefined;

  private constructor(options: SpyOptions) {
    this.#options = options;
  }

  static async start(options: SpyOptions): Promise<Spy> {
    const spy = new Spy(options);
    spy.#server = await LoopbackServer.start((socket) => spy.#serve(socket).catch(() => socket.destroy()));
    return spy;
  }

  get port(): number {
    return this.#server?.port as number;
  }

  sawFromClients(text: string): boolean {
    return Buffer.concat(this.#fromClients).includes(text);
  }

  async stop(): Promise<void> {
    for (const stream of this.#upstream) stream.destroy();
    await this.#server?.stop();
  }

  async #serve(socket: Socket): Promise<void> {
    const { upstream, certificate, authority, hidesPlus = false, holdsProof = false } = this.#options;
    const direct = upstream.version >= 17;
    if (!direct) await answerSslRequest(socket, 'S');
    const client = serveTls(socket, { ...certificate, ALPNProtocols: ['postgresql'] });
    const dialled = connect({ host: upstream.host, port: upstream.port });
    if (!direct) {
      dialled.write(new FrontendEncoder().write({ name: 'SSLRequest' }).take());
      await once(dialled, 'readable');
      dialled.read();
    }
    const server = connectTls({
      socket: dialled,
      servername: 'localhost',
      ca: authority,
      ALPNProtocols: ['postgresql'],
    });
    this.#upstream.add(dialled).add(server);
    for (const stream of [dialled, server]) stream.on('error', () => {});
    client.on('data', (chunk: Buffer) => {
      this.#fromClients.push(chunk);
      server.write(chunk);
    });
    let silent = false;
    server.on('data', (chunk: Buffer) => {
      silent ||= holdsProof && isSaslFinal(chunk);
      if (!silent) client.write(hidesPlus && chunk.equals(PLUS_TOO) ? PLUS_NOT : chunk);
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.end());
  }
}
