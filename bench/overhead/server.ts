/**
 * The server, in a process of its own so that its CPU is its own: the same services over plain TCP, node:tls, node:tls
 * on a bare bridge, and turbo. Driven over IPC.
 */
import { createServer as createTcpServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { createServer as createTurboServer } from 'turbotls/experimental';
import { Bridge } from './bridge.js';
import { ORDER_BYTES, readOrder, type Service, WRITE_BYTES } from './service.js';

export type Request = { ask: 'start'; key: string; cert: string } | { ask: 'cpu' } | { ask: 'stop' };
export type Ports = Record<'tcp' | 'tls' | 'bridge' | 'turbo', number>;
/** User and system CPU of the process so far, µs. */
export interface Cpu {
  cpuUs: number;
}

const HOST = '127.0.0.1';
const servers: Server[] = [];

/** The first bytes on a connection say what is wanted. */
function serve(stream: Duplex): void {
  stream.on('error', () => {});
  stream.once('data', (first: Buffer) => {
    const { service, bytes } = readOrder(first);
    const take = services[service](stream, bytes);
    stream.on('data', take);
    if (first.length > ORDER_BYTES) take(first.subarray(ORDER_BYTES));
  });
}

const services: Record<Service, (stream: Duplex, bytes: number) => (chunk: Buffer) => void> = {
  answer(stream, bytes) {
    const answer = Buffer.alloc(bytes, 7);
    let missing = bytes;
    return ({ length }) => {
      missing -= length;
      if (missing > 0) return;
      missing = bytes;
      stream.write(answer);
    };
  },
  sink(stream, bytes) {
    let missing = bytes;
    return ({ length }) => {
      missing -= length;
      if (missing === 0) stream.write('.');
    };
  },
  source(stream, bytes) {
    const chunk = Buffer.alloc(WRITE_BYTES, 7);
    let left = bytes;
    const pour = () => {
      while (left > 0) {
        left -= chunk.length;
        if (!stream.write(chunk)) {
          stream.once('drain', pour);
          return;
        }
      }
    };
    pour();
    return () => {};
  },
};

async function start(key: string, cert: string): Promise<Ports> {
  const tlsOptions = { key, cert, noDelay: true };
  const overBridge = createTlsServer(tlsOptions, serve);
  const listening = {
    tcp: createTcpServer({ noDelay: true }, serve),
    tls: createTlsServer(tlsOptions, serve),
    bridge: createTcpServer({ noDelay: true }, (socket) => overBridge.emit('connection', new Bridge(socket))),
    // One machine gives all the load: what protects a server from that is out of the way.
    turbo: createTurboServer({ ...tlsOptions, turbo: { limits: { handshakeCpuShare: 1 } } }, serve),
  };
  const ports = await Promise.all(
    Object.entries(listening).map(async ([name, server]) => {
      servers.push(server);
      await new Promise<void>((done) => server.listen(0, HOST, done));
      return [name, (server.address() as { port: number }).port];
    }),
  );
  return Object.fromEntries(ports);
}

async function answer(request: Request): Promise<Ports | Cpu | Record<string, never>> {
  switch (request.ask) {
    case 'start':
      return start(request.key, request.cert);
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { cpuUs: user + system };
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
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
