/**
 * A worker for tests: a TLS server that sends back what it gets, on whatever the settings say.
 *
 *     process.send({ ask: 'block', ms: 500 })   // from the parent
 */
import { readdirSync, readSync } from 'node:fs';
import * as tls from 'node:tls';
import type { Accepted } from '../../src/engine/turbo-listener.js';
import { TurboListener } from '../../src/engine/turbo-listener.js';
import { attach, createServer } from '../../src/experimental.js';
import { listenThrough, WorkerNetwork } from '../../src/workers/index.js';

export interface WorkerSettings {
  key: string;
  cert: string;
  port: number;
  host?: string;
  /** What serves: a TurboListener, or a tls.Server with a TurboTLS port. Default 'listener'. */
  server?: 'listener' | 'attach';
  protocols?: Exclude<Accepted['protocol'], undefined>[];
  /** 48 bytes in hex: session tickets that every worker takes. */
  ticketKeys?: string;
  /** It does not close when it is told to drain. */
  stubborn?: boolean;
  /** It exits before it serves. */
  broken?: boolean;
  /** It leaves SIGTERM alone. */
  deaf?: boolean;
}

/** What the parent may ask for. */
export type WorkerRequest =
  /** The event loop stands still for so long. */
  | { ask: 'block'; ms: number }
  | { ask: 'report' }
  /** What it finds in an open file that it has from its parent. */
  | { ask: 'read'; descriptor: number };

export interface WorkerReport {
  pid: number;
  descriptors: number;
  connections: number;
  halfOpen: number;
  sessions: number;
}

const settings = JSON.parse(process.env.WORKER_SETTINGS ?? '{}') as WorkerSettings;
if (settings.broken) process.exit(3);
if (settings.deaf) process.on('SIGTERM', () => {});
const { key, cert, port, host = '127.0.0.1', protocols = ['tls'] } = settings;
const network = WorkerNetwork.of();
const ticketKeys = settings.ticketKeys ? { ticketKeys: Buffer.from(settings.ticketKeys, 'hex') } : {};
let sessions = 0;

// What the front tells is told back; what else comes is told too.
network.told$.subscribe((bytes) => network.tell(Buffer.concat([Buffer.from('heard '), bytes])));
network.drain$.subscribe((deadlineMs) => {
  network.tell(Buffer.from(`drain ${deadlineMs}`));
  if (settings.deaf && deadlineMs === 0) setImmediate(() => process.exit(4));
});

function echo(socket: tls.TLSSocket): void {
  socket.on('error', () => {});
  socket.pipe(socket);
}

async function serveByListener() {
  const server = tls.createServer({ key, cert, ...ticketKeys }, echo);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const listener = new TurboListener({ network, protocols, limits: { handshakeCpuShare: 100 } });
  listener.sessions$.subscribe(() => sessions++);
  network.drain$.subscribe((deadlineMs) => settings.stubborn || void listener.close({ deadlineMs }));
  await listener.listen({ host, port });
  void accept(listener, server);
  return { halfOpen: () => listener.engine.halfOpen.sessions };
}

/** What is not TLS is answered with its name and the first bytes, as the worker finds them. */
async function accept(listener: TurboListener, server: tls.Server): Promise<void> {
  for await (const { protocol, stream } of listener) {
    if (protocol === 'tls') {
      server.emit('connection', stream);
      continue;
    }
    stream.on('error', () => {});
    stream.once('data', (bytes: Buffer) => stream.end(Buffer.concat([Buffer.from(`${protocol} `), bytes])));
  }
}

async function serveByServer() {
  const server = createServer({ key, cert, ...ticketKeys, turbo: { mode: 'off' } }, echo);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  listenThrough(server, network);
  const turbo = attach(server, { network, limits: { handshakeCpuShare: 100 } });
  turbo.events$.subscribe(({ type }) => {
    if (type === 'session') sessions++;
  });
  network.drain$.subscribe(() => server.close());
  await new Promise<void>((resolve) => {
    server.listen({ host, port }, resolve);
  });
  return { halfOpen: () => turbo.engine?.halfOpen.sessions ?? 0 };
}

const { halfOpen } = settings.server === 'attach' ? await serveByServer() : await serveByListener();

process.on('message', (request: WorkerRequest) => {
  if (request.ask === 'block') {
    const end = performance.now() + request.ms;
    while (performance.now() < end);
  } else if (request.ask === 'read') {
    // From its beginning: whoever has the file shares the place in it.
    const bytes = Buffer.alloc(100);
    const length = readSync(request.descriptor, bytes, 0, bytes.length, 0);
    process.send?.({ pid: process.pid, text: bytes.toString('utf8', 0, length) });
  } else if (request.ask === 'report') {
    const report: WorkerReport = {
      pid: process.pid,
      descriptors: readdirSync('/proc/self/fd').length,
      connections: network.connections,
      halfOpen: halfOpen(),
      sessions,
    };
    process.send?.(report);
  }
});
