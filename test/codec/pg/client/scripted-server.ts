/** A server on loopback that says whatever a script has it say, and keeps what it was sent. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocketOptions } from 'node:tls';
import {
  BackendEncoder,
  type BackendMessage,
  decodeSASLInitialResponse,
  decodeSASLResponse,
  FrontendDecoder,
  type FrontendMessage,
} from '../../../../src/codec/pg/index.js';
import { ScramServer } from '../auth/scram-server.js';
import { LoopbackServer, serveTls } from './loopback-server.js';

/** What is done with a connection. It is left open where the script ends without `end`. */
export type PeerScript = (peer: Peer) => Promise<unknown>;

/** One client, seen from the server. */
export class Peer {
  /** From 0: which of the server's connections this is. */
  readonly nth: number;
  /** Everything that has come. */
  readonly seen: FrontendMessage[] = [];
  /** Resolves once the connection is over. */
  readonly closed: Promise<void>;
  readonly #stream: Duplex;
  readonly #decoder = new FrontendDecoder();
  readonly #waiting: FrontendMessage[] = [];

  constructor(stream: Duplex, nth: number) {
    this.nth = nth;
    this.#stream = stream;
    this.#decoder.loginDone();
    stream.on('error', () => {});
    this.closed = new Promise((resolve) => stream.once('close', () => resolve()));
    stream.on('data', (chunk: Buffer) => {
      this.#decoder.push(chunk);
      for (let message = this.#decoder.next(); message; message = this.#decoder.next()) {
        this.seen.push(message);
        this.#waiting.push(message);
      }
      stream.emit('messages');
    });
  }

  /** The next message; rejects when the client has gone. */
  async receive(): Promise<FrontendMessage> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message) return message;
      await Promise.race([once(this.#stream, 'messages'), this.#gone()]);
    }
  }

  /** The next message of that name, of those that come. */
  async receiveThe<Name extends FrontendMessage['name']>(
    name: Name,
  ): Promise<Extract<FrontendMessage, { name: Name }>> {
    for (;;) {
      const message = await this.receive();
      if (message.name === name) return message as Extract<FrontendMessage, { name: Name }>;
    }
  }

  async #gone(): Promise<never> {
    await this.closed;
    throw new Error('the client has gone');
  }

  send(...messages: BackendMessage[]): void {
    this.sendBytes(encoded(...messages));
  }

  sendBytes(bytes: Buffer): void {
    if (this.#stream.writable) this.#stream.write(bytes);
  }

  /** A byte at a time. */
  async sendSlowly(bytes: Buffer, everyMs: number): Promise<void> {
    for (const byte of bytes) {
      if (!this.#stream.writable) return;
      this.sendBytes(Buffer.from([byte]));
      await delay(everyMs);
    }
  }

  end(): void {
    this.#stream.end();
  }

  /** Resolves once the client has taken some of what was written. */
  async drained(): Promise<void> {
    if (this.#stream.writableNeedDrain) await Promise.race([once(this.#stream, 'drain'), this.#gone()]);
  }

  get isGone(): boolean {
    return !this.#stream.writable;
  }
}

export function encoded(...messages: BackendMessage[]): Buffer {
  return new BackendEncoder().writeAll(messages).take();
}

export class ScriptedServer {
  readonly peers: Peer[] = [];
  readonly #server: LoopbackServer;

  private constructor(server: LoopbackServer) {
    this.#server = server;
  }

  /** @param tls direct TLS; none: plain TCP */
  static async start(script: PeerScript, tls?: TLSSocketOptions): Promise<ScriptedServer> {
    const run = (socket: Socket, nth: number) => {
      const stream = tls ? serveTls(socket, { ...tls, ALPNProtocols: ['postgresql'] }) : socket;
      const peer = new Peer(stream, nth);
      scripted.peers.push(peer);
      script(peer).catch(() => {}); // the client has gone
    };
    const scripted = new ScriptedServer(await LoopbackServer.start(run));
    return scripted;
  }

  get port(): number {
    return this.#server.port;
  }

  /** Names of all that was sent to it, of each connection. */
  get seen(): string[][] {
    return this.peers.map(({ seen }) => seen.map(({ name }) => name));
  }

  /** Resolves once the clients have ended all connections. */
  async allClosed(): Promise<void> {
    for (const { closed } of this.peers) await closed;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/** The server's side of SCRAM up to a signature that has still to be sent. */
export async function scramExchange(peer: Peer, password: string, mechanisms = ['SCRAM-SHA-256']): Promise<Buffer> {
  const scram = new ScramServer({ password });
  await peer.receiveThe('StartupMessage');
  peer.send({ name: 'AuthenticationSASL', mechanisms });
  const initial = await peer.receiveThe('PasswordOrSASL');
  const { data } = decodeSASLInitialResponse(initial.body);
  peer.send({ name: 'AuthenticationSASLContinue', data: scram.first(data ?? Buffer.alloc(0)) });
  const response = await peer.receiveThe('PasswordOrSASL');
  return scram.final(decodeSASLResponse(response.body).data);
}
