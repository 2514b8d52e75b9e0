/** A worker of node:cluster for tests: servers that say which process they are in before they send back what they get. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import * as tls from 'node:tls';
import { sharePorts, type WorkersError } from 'turbotls/cluster';
import * as turbo from 'turbotls/experimental';
import { primary } from '../../src/workers/cluster-worker.js';
import { WorkerNetwork } from '../../src/workers/worker-network.js';
import type { ClusterSettings, Failure, Listen, Reply, Request } from './cluster-messages.js';

const settings = JSON.parse(process.env.CLUSTER_SETTINGS ?? '{}') as ClusterSettings;
const { key, cert, servers } = settings;
const credentials = {
  key,
  cert,
  ...(settings.ticketKeys && { ticketKeys: Buffer.from(settings.ticketKeys, 'hex') }),
};
const limits = { handshakeCpuShare: 100 };
const { frontTimeoutMs } = settings;
if (frontTimeoutMs) WorkerNetwork.of(primary, { limits: { frontTimeoutMs } });

interface Made {
  server: Server | turbo.TurboListener;
  events: string[];
}

const made = new Map<string, Made>();

function echo(socket: tls.TLSSocket): void {
  socket.on('error', () => {});
  socket.write(`${process.pid} `);
  socket.pipe(socket);
}

function make({ kind = 'tls', maxConnections, attachLate, own }: Listen): Server | turbo.TurboListener {
  if (kind === 'listener') return listener();
  const options: turbo.AttachOptions = { limits, ...(own && { network: turbo.nodeNetwork }) };
  const respond = (_request: unknown, response: { end(text: string): unknown }) => response.end(String(process.pid));
  let server: tls.Server;
  if (kind === 'https') server = https.createServer(credentials, respond);
  else if (kind === 'http2') server = http2.createSecureServer(credentials, respond) as unknown as tls.Server;
  else if (servers === 'node' || attachLate) server = tls.createServer(credentials, echo);
  else server = turbo.createServer({ ...credentials, turbo: options }, echo);
  if (servers === 'turbo' && kind !== 'tls') turbo.attach(server, options);
  if (attachLate) server.once('listening', () => turbo.attach(server, options));
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  return server;
}

function listener(): turbo.TurboListener {
  const made = new turbo.TurboListener({ limits });
  const server = tls.createServer(credentials, echo);
  void (async () => {
    for await (const { stream } of made) server.emit('connection', stream);
  })();
  return made;
}

function failureOf(error: NodeJS.ErrnoException & { port?: number }): Failure {
  const { code, message, syscall, port } = error;
  return { code, message, ...(syscall && { syscall }), ...(port !== undefined && { port }) };
}

async function listen(asked: Listen): Promise<unknown> {
  const { name, options } = asked;
  let each = made.get(name);
  if (!each) {
    const events: string[] = [];
    each = { server: make(asked), events };
    made.set(name, each);
    if (!(each.server instanceof turbo.TurboListener)) {
      for (const event of ['listening', 'close', 'drop']) each.server.on(event, () => events.push(event));
      each.server.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
    }
  }
  const { server } = each;
  try {
    if (server instanceof turbo.TurboListener) return { port: (await server.listen(options)).port };
    const failed = once(server, 'error').then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    const opened = once(server, 'listening');
    server.listen(options);
    await Promise.race([asked.attachLate ? failed : opened, failed]);
    const address = server.address();
    return typeof address === 'string' ? { path: address } : { port: (address as AddressInfo).port };
  } catch (error) {
    return failureOf(error as Error);
  }
}

async function answer({ name, args }: Request): Promise<unknown> {
  if (name === 'listen') return listen(args as Listen);
  const { server, events = [] } = made.get(args as string) ?? {};
  if (name === 'close') {
    if (server instanceof turbo.TurboListener) return server.close();
    return new Promise((resolve) => {
      server?.close((error?: NodeJS.ErrnoException) => resolve(error?.code));
    });
  }
  if (name === 'state' && server && !(server instanceof turbo.TurboListener)) {
    const connections = await new Promise((resolve) => {
      server.getConnections((_error, count) => resolve(count));
    });
    return { events, listening: server.listening, connections, address: server.address() };
  }
  if (name === 'disconnect') setImmediate(() => cluster.worker?.disconnect());
  if (name === 'shareInWorker') {
    try {
      sharePorts();
    } catch (error) {
      return `${(error as WorkersError).code} ${(error as Error).message}`;
    }
  }
  return undefined;
}

process.on('message', async (request: Partial<Request>) => {
  if (request.name === undefined) return; // of turbotls
  const value = await answer(request as Request);
  if (process.connected) process.send?.({ replyTo: request.id ?? 0, value } satisfies Reply);
});
process.send?.('ready');
