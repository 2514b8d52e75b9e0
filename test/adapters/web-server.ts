/** A server for HTTP clients: node's own, HTTP/1.1 and HTTP/2 on one port, that is stopped and started again. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from '../support/certificates.js';

type Incoming = IncomingMessage | Http2ServerRequest;
type Answer = ServerResponse | Http2ServerResponse;

/**
 * `/echo` answers with what came, `/meet?50` when so many ask for it at a time, `/never` not at all, `/who` with the name
 * that the client's TLS asked for and its HTTP version.
 */
export class WebServer {
  readonly #host = '127.0.0.1';
  readonly #certificate: Certificate;
  readonly #sockets = new Set<Socket>();
  #server: Http2SecureServer;
  #meeting: Answer[] = [];
  /** Since the start: TLS connections, and those of them that took up a session. */
  connections = 0;
  resumed = 0;
  /** Requests to `/never` that came, and those of them whose client gave up. */
  asked = 0;
  abandoned = 0;

  private constructor(certificate: Certificate) {
    this.#certificate = certificate;
    this.#server = this.#make();
  }

  static async start(certificate: Certificate): Promise<WebServer> {
    const server = new WebServer(certificate);
    await server.#listen(0);
    return server;
  }

  get address(): { host: string; port: number } {
    return { host: this.#host, port: (this.#server.address() as AddressInfo).port };
  }

  /** As a process that is killed, and another one on the same port. */
  async restart(): Promise<void> {
    const { port } = this.address;
    await this.stop();
    this.#server = this.#make();
    await this.#listen(port);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => void this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #listen(port: number): Promise<void> {
    await once(this.#server.listen(port, this.#host), 'listening');
  }

  #make(): Http2SecureServer {
    const { key, cert } = this.#certificate;
    const server = createSecureServer({ key, cert, allowHTTP1: true });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      this.connections++;
      if (socket.isSessionReused()) this.resumed++;
    });
    server.on('request', (incoming: Incoming, answer: Answer) => this.#answer(incoming, answer));
    server.on('session', (session) => session.on('error', () => {}));
    server.on('tlsClientError', () => {});
    return server;
  }

  #answer(incoming: Incoming, answer: Answer): void {
    incoming.on('error', () => {});
    answer.on('error', () => {});
    const [path, value] = (incoming.url ?? '').split('?');
    switch (path) {
      case '/echo':
        incoming.pipe(answer as ServerResponse);
        break;
      case '/meet':
        this.#meeting.push(answer);
        if (this.#meeting.length < Number(value)) break;
        for (const waiting of this.#meeting.splice(0)) waiting.end('met');
        break;
      case '/never':
        this.asked++;
        answer.on('close', () => this.abandoned++);
        break;
      default: {
        const { servername } = incoming.socket as TLSSocket & { servername: string | false };
        answer.end(`${servername || 'nobody'} HTTP/${incoming.httpVersion}`);
      }
    }
  }
}
