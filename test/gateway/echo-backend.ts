/** Backends for tests that echo, plain or with TLS, and keep account of who came; `closeBackends` closes what a test left. */
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { type ProxyHeader, readProxyHeader } from '../../src/wire/proxy-protocol.js';

export interface EchoBackend {
  readonly host: string;
  readonly port: number;
  /** Connections so far. */
  readonly seen: number;
  /** Connections that are open. */
  readonly open: Set<Socket>;
  /** PROXY headers that came. */
  readonly headers: ProxyHeader[];
  /** The TLS sockets that are secure. */
  readonly secure: TLSSocket[];
  stop(): Promise<void>;
}

export interface EchoOptions {
  /** Default: plain. */
  tls?: TlsOptions;
  /** Whether each connection begins with a PROXY header. */
  proxyProtocol?: boolean;
  port?: number;
  /** Instead of an echo. */
  serve?: (socket: Socket) => void;
}

const backends = new Set<EchoBackend>();

export async function startEcho({
  tls,
  proxyProtocol,
  port = 0,
  serve = echo,
}: EchoOptions = {}): Promise<EchoBackend> {
  const headers: ProxyHeader[] = [];
  const secure: TLSSocket[] = [];
  const open = new Set<Socket>();
  let seen = 0;
  const tlsServer = tls && createTlsServer(tls);
  tlsServer?.on('secureConnection', (socket) => {
    secure.push(socket);
    socket.on('error', ignore);
    serve(socket);
  });
  const server = createTcpServer({ allowHalfOpen: true, noDelay: true }, async (socket) => {
    seen++;
    open.add(socket);
    socket.on('error', ignore);
    socket.once('close', () => open.delete(socket));
    if (proxyProtocol) headers.push(await takeHeader(socket));
    if (tlsServer) tlsServer.emit('connection', socket);
    else serve(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const backend: EchoBackend = {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    get seen() {
      return seen;
    },
    open,
    headers,
    secure,
    stop: () => stop(server, open),
  };
  backends.add(backend);
  return backend;
}

/** For `afterEach`. */
export async function closeBackends(): Promise<void> {
  await Promise.all([...backends].map((backend) => backend.stop()));
  backends.clear();
}

async function stop(server: Server, open: Set<Socket>): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  for (const socket of open) socket.destroy();
  await closed;
}

async function takeHeader(socket: Socket): Promise<ProxyHeader> {
  for (;;) {
    await once(socket, 'readable');
    const bytes = (socket.read() as Buffer | null) ?? Buffer.alloc(0);
    const read = readProxyHeader(bytes);
    if (read === 'invalid') throw new Error('no PROXY header came');
    if (read === 'incomplete') {
      socket.unshift(bytes);
      continue;
    }
    socket.unshift(bytes.subarray(read.length));
    return read.header;
  }
}

function echo(socket: Socket): void {
  socket.pipe(socket);
}

function ignore(): void {}
