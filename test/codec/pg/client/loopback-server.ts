/** Small servers on loopback for the way to TLS: each connection is handled by a script. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';

/** What a server does with its n-th connection, from 0. */
export type Script = (socket: Socket, nth: number) => unknown;

export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that were made to it. */
  connections = 0;

  private constructor(server: Server, script: Script) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      script(socket, this.connections++);
    });
  }

  /** On a port of 127.0.0.1, or a Unix socket. */
  static async start(script: Script, path?: string): Promise<LoopbackServer> {
    const server = createServer();
    const loopback = new LoopbackServer(server, script);
    server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path });
    await once(server, 'listening');
    return loopback;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once the peers have ended all connections. */
  async allClosed(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.resume();
      if (!socket.closed) await once(socket, 'close');
    }
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}

export const SSL_REQUEST = '0000000804d2162f';

/** Reads SSLRequest, whole, and then sends `answer`. */
export async function answerSslRequest(socket: Socket, answer: string | Buffer): Promise<void> {
  const request = await firstBytes(socket, 8);
  if (request.toString('hex') !== SSL_REQUEST) throw new Error(`no SSLRequest but ${request.toString('hex')}`);
  socket.write(answer);
}

/** TLS as a server on what is left of `socket`. */
export function serveTls(socket: Socket, options: TLSSocketOptions): TLSSocket {
  const tls = new TLSSocket(socket, { isServer: true, ...options });
  tls.on('error', () => {});
  return tls;
}

/** Exactly so many bytes, and nothing after them. */
export async function firstBytes(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes: Buffer | null = socket.read(length);
    if (bytes) return bytes;
    await once(socket, 'readable');
  }
}
