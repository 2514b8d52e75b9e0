/**
 * The server of the benchmarks, in a process of its own so that its CPU and memory are its own: node:tls on one port,
 * turbo on another, the same certificate and the same echo. Driven over IPC.
 */
import { createServer as createTlsServer, type Server, type TLSSocket } from 'node:tls';
import { createServer as createTurboServer } from 'turbotls/experimental';

/** What the driver asks. */
export type Request =
  | { ask: 'start'; key: string; cert: string; mode: Mode; maxVersion?: 'TLSv1.2' | 'TLSv1.3' }
  | { ask: 'cpu' }
  | { ask: 'memory' }
  | { ask: 'stop' };
/**
 * What the server does with a connection: say a byte when it is secure, say it and end, swallow all bytes and say so at
 * the end, or send as many bytes as it is asked for.
 */
export type Mode = 'greet' | 'farewell' | 'sink' | 'source';
export interface Ports {
  tls: number;
  turbo: number;
}
export interface Cpu {
  /** User and system CPU of the process, µs. */
  cpuUs: number;
}
export interface Memory {
  rssBytes: number;
  /** heapUsed and external after a collection. */
  heldBytes: number;
  connections: number;
}

const WRITE_BYTES = 64 * 1024;

const servers: Server[] = [];
let open = 0;

function serve(mode: Mode, socket: TLSSocket): void {
  open++;
  socket.on('close', () => open--);
  socket.on('error', () => {});
  if (mode === 'greet') socket.write('.');
  if (mode === 'farewell') socket.end('.');
  if (mode === 'sink') {
    socket.resume();
    socket.on('end', () => socket.end('done'));
  }
  if (mode === 'source') socket.once('data', (request) => pour(socket, Number(request.toString())));
}

function pour(socket: TLSSocket, bytes: number): void {
  const chunk = Buffer.alloc(WRITE_BYTES, 7);
  let left = bytes;
  const more = () => {
    while (left > 0) {
      left -= chunk.length;
      if (!socket.write(chunk)) {
        socket.once('drain', more);
        return;
      }
    }
    socket.end();
  };
  more();
}

async function answer(request: Request): Promise<Ports | Cpu | Memory | Record<string, never>> {
  switch (request.ask) {
    case 'start': {
      const { key, cert, mode, maxVersion } = request;
      const options = { key, cert, noDelay: true, ...(maxVersion ? { maxVersion } : {}) };
      const onSocket = (socket: TLSSocket) => serve(mode, socket);
      // One machine gives all the load: what protects a server from that is out of the way.
      const limits = { handshakeCpuShare: 1, halfOpenSessions: 8192 };
      servers.push(createTlsServer(options, onSocket), createTurboServer({ ...options, turbo: { limits } }, onSocket));
      await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
      const [tls = 0, turbo = 0] = servers.map((server) => (server.address() as { port: number }).port);
      return { tls, turbo };
    }
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { cpuUs: user + system };
    }
    case 'memory': {
      globalThis.gc?.();
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rssBytes: rss, heldBytes: heapUsed + external, connections: open };
    }
    case 'stop':
      for (const server of servers) server.close();
      process.disconnect();
      return {};
  }
}

process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.connected && process.send?.(reply));
});
