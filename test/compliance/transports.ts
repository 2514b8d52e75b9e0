/**
 * What Node guarantees of node:tls, checked side by side: each case is written once and runs over plain TLS, which is
 * the reference, and over turbo on networks that carry UDP, block it and lose it. Sockets are the kernel's, on loopback.
 *
 *     sameAsNative('what happens', async (lab) => {
 *       const { client, peer } = await lab.pair();
 *       …
 *       return { whatHappened };   // equal on all transports
 *     });
 */
import type { AddressInfo, ListenOptions } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { expect } from 'chai';
import * as turbo from '../../src/experimental.js';
import { listenThrough } from '../../src/workers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { frontNetwork } from './front.js';

export interface Transport {
  readonly name: string;
  readonly isTurbo: boolean;
  /** What must carry the first flights of every connection; undefined where chance decides. */
  readonly carrier: 'udp' | 'tcp' | undefined;
  /** The part of the datagrams that is lost. */
  readonly loss: number;
  /** How long a client waits for UDP at least, ms: where UDP works, a busy machine must not count as its failure. */
  readonly graceMinMs: number;
  readonly firstContact?: turbo.FirstContact;
  /** The ports are another process's: this one is its worker. */
  readonly overWorkers?: boolean;
}

/** Long forms run only when they are asked for. */
export const isLong = process.env.TURBOTLS_LONG === '1';

export const seed = process.env.TURBOTLS_SEED ?? String(Math.floor(Math.random() * 1e9));

export const transports: readonly Transport[] = [
  { name: 'node:tls', isTurbo: false, carrier: undefined, loss: 0, graceMinMs: 1 },
  { name: 'turbo', isTurbo: true, carrier: 'udp', loss: 0, graceMinMs: 2000 },
  { name: 'turbo with UDP blocked', isTurbo: true, carrier: 'tcp', loss: 1, graceMinMs: 2 },
  { name: `turbo at 20 % loss (seed ${seed})`, isTurbo: true, carrier: undefined, loss: 0.2, graceMinMs: 20 },
  { name: 'turbo over workers', isTurbo: true, carrier: 'udp', loss: 0, graceMinMs: 2000, overWorkers: true },
  ...(isLong
    ? [
        {
          name: 'careful turbo',
          isTurbo: true,
          carrier: 'udp',
          loss: 0,
          graceMinMs: 2000,
          firstContact: 'careful',
        } as const,
      ]
    : []),
];

const [native] = transports as [Transport];

/** For machines that are busy with something else: nothing here should take a second. */
const TIMEOUT_MS = isLong ? 300_000 : 20_000;

export type ClientOptions = turbo.TurboConnectionOptions;
/** What tls.createServer takes beside what its types say: options of net.Server. */
export type ServerOptions = tls.TlsOptions & { allowHalfOpen?: boolean; pauseOnConnect?: boolean; noDelay?: boolean };

export interface Pair {
  server: tls.Server;
  client: tls.TLSSocket;
  /** The server's end of `client`. */
  peer: tls.TLSSocket;
}

/** One run of a case over one transport: whatever it opens is closed with it. */
export class Lab {
  readonly transport: Transport;
  readonly network: LossyNetwork;
  readonly certificate: Certificate;
  readonly #servers = new Set<tls.Server>();
  readonly #sockets = new Set<{ destroy(): unknown }>();
  readonly #closed = new WeakSet<object>();
  readonly #cleanups: (() => unknown)[] = [];
  /** What carried each client that became secure. */
  readonly carriers: ('udp' | 'tcp' | undefined)[] = [];
  readonly ports = new Map<tls.Server, turbo.TurboPort>();

  constructor(transport: Transport, certificate: Certificate, title: string) {
    this.transport = transport;
    this.certificate = certificate;
    this.network = new LossyNetwork({ loss: transport.loss, seed: `${seed} ${title}` });
  }

  /** Options for a server that clients of this lab trust, with `options` over them. */
  serverOptions(options: ServerOptions = {}): ServerOptions & { turbo?: turbo.ServerTurboOptions } {
    const { key, cert } = this.certificate;
    const all = { key, cert, ...options };
    return this.transport.isTurbo ? { ...all, turbo: this.#serverTurbo() } : all;
  }

  /** Options for a client of this lab's servers, with `options` over them. */
  clientOptions(server: tls.Server, options: ClientOptions = {}): ClientOptions {
    const { port } = server.address() as AddressInfo;
    const all = { host: '127.0.0.1', port, ca: this.certificate.ca, servername: 'localhost', ...options };
    return this.transport.isTurbo ? { ...all, turbo: this.clientTurbo(options.turbo) } : all;
  }

  clientTurbo(options: turbo.ClientTurboOptions = {}): turbo.ClientTurboOptions {
    const limits = { graceMinMs: this.transport.graceMinMs, ...options.limits };
    const { firstContact } = this.transport;
    return { network: this.network, memory: new turbo.PathMemory(), firstContact, ...options, limits };
  }

  /** tls.createServer or its counterpart. */
  createServer(options: ServerOptions, listener?: (socket: tls.TLSSocket) => void): tls.Server {
    if (!this.transport.isTurbo) return this.#keepServer(tls.createServer(this.serverOptions(options), listener));
    const server = this.#share(turbo.createServer(this.serverOptions(options), listener));
    this.ports.set(server, server.turbo as turbo.TurboPort);
    return this.#keepServer(server);
  }

  /** A server of another kind, made natively, gets its turbo port where the transport is turbo. */
  adopt<S extends tls.Server>(server: S): S {
    if (this.transport.isTurbo) this.ports.set(this.#share(server), turbo.attach(server, this.#serverTurbo()));
    return this.#keepServer(server);
  }

  /** Listens on loopback until both ports are open. */
  async listen<S extends tls.Server>(server: S, options: ListenOptions = {}): Promise<S> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#open(server, options);
        return server;
      } catch (error) {
        // Port 0: somebody on this machine may have for UDP the number that TCP got.
        if ((error as turbo.TurboError).code !== 'ERR_TURBO_LISTEN' || tries === 10) throw error;
      }
    }
  }

  /** A listening server. */
  serve(options: ServerOptions = {}, listener?: (socket: tls.TLSSocket) => void): Promise<tls.Server> {
    return this.listen(this.createServer(options, listener));
  }

  /** tls.connect or its counterpart, to a server of this lab. */
  connect(server: tls.Server, options: ClientOptions = {}, listener?: () => void): tls.TLSSocket {
    return this.connectWith(this.clientOptions(server, options), listener);
  }

  /** The same with the arguments as they are. */
  connectWith(...args: unknown[]): tls.TLSSocket {
    const connect = (this.transport.isTurbo ? turbo.connect : tls.connect) as (...args: unknown[]) => tls.TLSSocket;
    return this.keep(connect(...args));
  }

  /** Two ends of a connection, both secure. */
  async pair(serverOptions: ServerOptions = {}, clientOptions: ClientOptions = {}): Promise<Pair> {
    const server = await this.serve(serverOptions);
    return { server, ...(await this.join(server, clientOptions)) };
  }

  /** A client of a listening server, and its other end, both secure. */
  async join(server: tls.Server, options: ClientOptions = {}): Promise<{ client: tls.TLSSocket; peer: tls.TLSSocket }> {
    const peer = new Promise<tls.TLSSocket>((resolve) => {
      server.once('secureConnection', resolve);
    });
    const client = this.connect(server, options);
    await new Promise<void>((resolve, reject) => {
      client.once('secureConnect', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed before it was secure')));
    });
    const pair = { client, peer: await peer };
    // Out of TLS's own callbacks: Node 20 crashes where a socket is destroyed within them.
    await turn();
    return pair;
  }

  /** A pair between which nothing is on its way any more: tickets are read, and what turbo says first. */
  async quietPair(serverOptions: ServerOptions = {}, clientOptions: ClientOptions = {}): Promise<Pair> {
    const pair = await this.pair(serverOptions, clientOptions);
    const { client, peer } = pair;
    const read = new Promise((resolve) => {
      client.once('data', resolve);
    });
    peer.write('!');
    await read;
    client.pause();
    await turn();
    return pair;
  }

  /** Makes sure that a socket is destroyed in the end, and that an error on it is nobody's surprise. */
  keep<S extends tls.TLSSocket>(socket: S): S {
    this.#keep(socket);
    socket.on('error', () => {});
    socket.once('secureConnect', () => {
      if ('turbo' in socket) this.carriers.push((socket as unknown as turbo.TurboSocket).turbo?.carrier);
    });
    return socket;
  }

  /** Resolves when the sockets have emitted 'close'. */
  async closing(...sockets: tls.TLSSocket[]): Promise<void> {
    for (const socket of sockets) await until(() => this.#closed.has(socket), "a socket has emitted 'close'");
  }

  /** A server closes its ports at once; those that another process has, as soon as that has heard of it. */
  async portsLeft(): Promise<void> {
    if (this.transport.overWorkers) await delay(100);
  }

  /** Something else to undo in the end. */
  onClose(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends what the case left open, and finds that nothing stays. */
  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
    for (const socket of this.#sockets) socket.destroy();
    let open = this.#servers.size;
    for (const server of this.#servers) server.close(() => open--);
    await until(() => open === 0, 'all servers are closed');
    await until(() => this.network.udpSockets === 0, 'all UDP sockets are closed');
    await until(() => this.network.tcpSockets === 0, 'all TCP sockets are closed');
  }

  /** Fails where a connection did not go over what its transport is named for. */
  checkCarriers(): void {
    const { carrier } = this.transport;
    if (carrier) expect(this.carriers.filter((used) => used !== carrier)).to.deep.equal([]);
  }

  async #open(server: tls.Server, options: ListenOptions): Promise<void> {
    let failed: Error | undefined;
    const onError = (error: Error) => {
      failed = error;
    };
    server.on('error', onError);
    server.listen({ host: '127.0.0.1', port: 0, ...options });
    const port = this.ports.get(server);
    const isOpen = () => server.listening && (!port || port.address() !== null);
    await until(() => failed !== undefined || isOpen(), 'the server listens');
    server.off('error', onError);
    if (failed) throw failed;
  }

  #serverTurbo(): turbo.ServerTurboOptions {
    // One process is both ends and the test: that its event loop is busy says nothing.
    const network = this.transport.overWorkers ? this.network.counting(frontNetwork()) : this.network;
    return { network, limits: { handshakeCpuShare: 100, sessionLifetimeMs: 60_000 } };
  }

  #share<S extends tls.Server>(server: S): S {
    return this.transport.overWorkers ? listenThrough(server, frontNetwork()) : server;
  }

  #keep(socket: { destroy(): unknown; once(event: 'close', listener: () => void): unknown }): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#closed.add(socket);
    });
  }

  #keepServer<S extends tls.Server>(server: S): S {
    this.#servers.add(server);
    server.on('connection', (socket) => this.#keep(socket));
    server.on('secureConnection', (socket) => {
      this.#keep(socket);
      socket.on('error', () => {});
    });
    return server;
  }
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Waits for something that must come: bounded, so that a defect is a failure and not a hang. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turns = 0; turns < 10 && !condition(); turns++) await turn();
  for (let waited = 0; !condition(); waited += 2) {
    if (waited > 5000) throw new Error(`Waited in vain until ${what}`);
    await delay(2);
  }
}

let certificate: Promise<Certificate> | undefined;

/** A case that hangs must still be cleared away, or the process would not end. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Not done within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function run<T>(
  transport: Transport,
  title: string,
  body: (lab: Lab) => Promise<T>,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  certificate ??= makeCertificate({ names: ['localhost', '127.0.0.1', '::1'] });
  const lab = new Lab(transport, await certificate, title);
  let result: T;
  try {
    result = await within(timeoutMs / 2, body(lab));
  } catch (error) {
    await lab.close().catch(() => {});
    throw error;
  }
  await lab.close();
  lab.checkCarriers();
  return result;
}

/** A case whose assertions are its own, on every transport. One that works for seconds has a time limit of its own. */
export function onEach(title: string, body: (lab: Lab) => Promise<void>, timeoutMs = TIMEOUT_MS): void {
  describe(title, function () {
    this.timeout(timeoutMs);
    for (const transport of transports) it(transport.name, () => run(transport, title, body, timeoutMs));
  });
}

/**
 * A case that returns what it saw: it must equal what is seen over node:tls, and, where `expected` is given, that must
 * be what node:tls shows in the first place.
 */
export function sameAsNative<T>(title: string, body: (lab: Lab) => Promise<T>, expected?: T): void {
  let reference: Promise<T> | undefined;
  const onNative = () => {
    reference ??= run(native, title, body);
    return reference;
  };
  describe(title, function () {
    this.timeout(TIMEOUT_MS);
    for (const transport of transports) {
      it(transport.name, async () => {
        const seen = transport.isTurbo ? await run(transport, title, body) : await onNative();
        if (transport.isTurbo) expect(seen).to.deep.equal(await onNative());
        else if (expected !== undefined) expect(seen).to.deep.equal(expected);
      });
    }
  });
}

/** Notes events by name, in their order, with the code of an error and what 'close' says. */
export function trace(
  socket: tls.TLSSocket,
  events: readonly string[] = ['connect', 'ready', 'secureConnect', 'secure', 'end', 'finish', 'error', 'close'],
): string[] {
  const seen: string[] = [];
  for (const event of events) {
    socket.on(event, (detail: unknown) => {
      if (event === 'error') seen.push(`error ${(detail as NodeJS.ErrnoException).code}`);
      else if (event === 'close') seen.push(`close ${detail}`);
      else seen.push(event);
    });
  }
  return seen;
}

/**
 * 'tlsClientError' by its code, but for what has no counterpart on TCP: a session that the client went past, because UDP
 * was late or lost, expires by itself and says so.
 */
export function onClientError(server: tls.Server, listener: (code: string | undefined, socket: tls.TLSSocket) => void) {
  server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, socket) => {
    if (code !== 'ERR_TURBO_SESSION_EXPIRED') listener(code, socket);
  });
}
