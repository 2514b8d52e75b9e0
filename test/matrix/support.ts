/**
 * What the suites of the reliability matrix share: the seed and the form of a run, a world (virtual network and clock)
 * with TurboTLS servers that echo, and clients that count round trips.
 *
 *     world.server('10.0.0.2')  TurboListener ─► tls.Server ─► echo
 *     world.connect(…)          connect() of src/client, on a host of its own
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { connect, type TurboConnectionOptions, type TurboSocket } from '../../src/client/connect.js';
import { PathMemory } from '../../src/client/path-memory.js';
import type { EngineEvent } from '../../src/engine/events.js';
import { TurboListener } from '../../src/engine/turbo-listener.js';
import { defaultLimits, type Limits } from '../../src/limits.js';
import type { Clock, Timer } from '../../src/platform/clock.js';
import { VirtualNetwork, type VirtualNetworkOptions } from '../simulator/network.js';
import { VirtualClock } from '../simulator/virtual-clock.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';

/** The full form of the matrix, instead of the one that `npm test` has time for. */
export const isLong = process.env.TURBOTLS_LONG === '1';
/** Decides every random choice of a run. */
export const seed = process.env.TURBOTLS_SEED ?? String(Math.floor(Math.random() * 2 ** 32));

export const ONE_WAY_MS = 25;
export const ROUND_TRIP_MS = 2 * ONE_WAY_MS;
export const PORT = 443;
export const SERVER = '10.0.0.2';
export const CLIENT = '10.0.0.1';
export const NAME = 'example.test';

/** Longer than any session, any connection without first bytes and any handshake lives. */
const DRAIN_MS = 31_000;

/** One of two, by the form of this run. */
export function byForm<T>(forms: { short: T; long: T }): T {
  return isLong ? forms.long : forms.short;
}

/** Call within `describe`: says which form runs, and from which seed. */
export function announceSeed(): void {
  before(() => {
    console.log(`      ${byForm({ short: 'short form', long: 'full form' })}, TURBOTLS_SEED=${seed}`);
  });
}

export function sha256(bytes: Uint8Array | readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) hash.update(chunk);
  return hash.digest('hex');
}

export interface ServerSettings {
  address?: string;
  port?: number;
  tls?: tls.TlsOptions;
  /** Default: the world's. */
  certificate?: Certificate;
  limits?: Partial<Limits>;
  /** False: a TLS server as any other, without turbo. Default true. */
  turbo?: boolean;
  /** What it does with a secure connection. Default: echo. */
  onSecure?: (socket: tls.TLSSocket) => void;
}

/** What a TLSSocket begins on. One for all servers: on Node 20 each storage that was ever used slows everything down. */
const beginning = new AsyncLocalStorage<{ stream: Duplex; timer: Timer }>();

/** A tls.Server on the virtual network. */
export class TestServer {
  readonly listener: TurboListener | undefined;
  readonly tls: tls.Server;
  /** How often the engine reported each thing: `bound`, `rejected unknown-session`, `dropped claimed`, … */
  readonly events = new Map<string, number>();
  /** What each secure connection runs on: a ServerIO, or TCP. */
  readonly streams = new WeakMap<tls.TLSSocket, Duplex>();
  /** Secure connections, those that are over too. */
  secured = 0;
  readonly #clock: Clock;
  readonly #open = new Set<Duplex>();
  readonly #ready: Promise<unknown>;
  readonly #tcp: ReturnType<ReturnType<VirtualNetwork['host']>['createTcpServer']> | undefined;

  constructor(world: World, settings: ServerSettings) {
    const { address = SERVER, port = PORT, turbo = true, limits, onSecure = echo } = settings;
    const { key, cert } = settings.certificate ?? world.certificate;
    this.#clock = world.clock;
    this.tls = tls.createServer({ key, cert, ...settings.tls }, (socket) => {
      const begun = beginning.getStore();
      begun?.timer.cancel();
      if (begun) this.streams.set(socket, begun.stream);
      this.secured++;
      socket.on('error', () => {});
      onSecure(socket);
    });
    const host = world.net.host(address);
    if (turbo) {
      const listener = new TurboListener({ network: host, clock: world.clock, limits });
      listener.events$.subscribe((event) => this.#count(event));
      this.listener = listener;
      this.#ready = listener.listen({ port });
      void this.#serve(listener);
    } else {
      // Half-open, as node:tls keeps a real net.Socket open by itself.
      this.#tcp = host.createTcpServer({ allowHalfOpen: true }).listen({ port });
      this.#tcp.on('connection', (socket) => this.#begin(socket));
      this.#ready = once(this.#tcp, 'listening');
    }
  }

  /** Streams under TLS that are not closed. */
  get open(): number {
    return this.#open.size;
  }

  count(event: string): number {
    return this.events.get(event) ?? 0;
  }

  async ready(): Promise<this> {
    await this.#ready;
    return this;
  }

  /** Ends at once, as a process that is killed: clients hear of it by RST or FIN. */
  async stop(): Promise<void> {
    for (const stream of this.#open) stream.destroy();
    this.#tcp?.close();
    await this.listener?.close({ deadlineMs: 0 });
  }

  async #serve(listener: TurboListener): Promise<void> {
    for await (const { stream } of listener) this.#begin(stream);
  }

  /** TLS begins, as `attach` begins it: within a time limit, and over when the client ends within its handshake. */
  #begin(stream: Duplex): void {
    this.#open.add(stream);
    const timer = this.#clock.after(defaultLimits.handshakeTimeoutMs, () => stream.destroy());
    stream.once('close', () => {
      timer.cancel();
      this.#open.delete(stream);
    });
    // A TLSSocket takes this from its stream when it is made.
    stream.allowHalfOpen = false;
    beginning.run({ stream, timer }, () => this.tls.emit('connection', stream));
    stream.allowHalfOpen = true;
  }

  #count(event: EngineEvent): void {
    const name = 'reason' in event ? `${event.type} ${event.reason}` : event.type;
    this.events.set(name, this.count(name) + 1);
  }
}

export function echo(socket: tls.TLSSocket): void {
  socket.pipe(socket);
}

/** What a client saw of an exchange, times in virtual ms since it called `connect`. */
export interface Seen {
  /** What carried the first flights. */
  readonly carrier: 'udp' | 'tcp' | undefined;
  readonly secureMs: number;
  /** The first echoed byte. */
  readonly firstByteMs: number;
  /** `firstByteMs` in round trips of the link. */
  readonly roundTrips: number;
}

export interface ExchangeOptions {
  payload?: Buffer;
  /** Ends its side with the payload, as `socket.end(payload)`, and reads on. */
  halfClose?: boolean;
}

export class World {
  readonly clock: VirtualClock;
  readonly net: VirtualNetwork;
  readonly certificate: Certificate;
  readonly #servers: TestServer[] = [];

  constructor(certificate: Certificate, options: Partial<VirtualNetworkOptions> = {}) {
    this.certificate = certificate;
    this.clock = new VirtualClock();
    this.net = new VirtualNetwork({
      clock: this.clock,
      seed,
      ...options,
      link: { delayMs: ONE_WAY_MS, ...options.link },
    });
  }

  server(settings: ServerSettings = {}): Promise<TestServer> {
    const server = new TestServer(this, settings);
    this.#servers.push(server);
    return this.clock.run(server.ready());
  }

  /** An empty memory, in this world's time. */
  memory(): PathMemory {
    return new PathMemory({ clock: this.clock, localNetwork: () => 'virtual' });
  }

  /** `connect` of src/client from a host of this world. Does not drive the clock. */
  connect({ turbo, ...options }: TurboConnectionOptions = {}, from = CLIENT): TurboSocket {
    return connect({
      host: SERVER,
      port: PORT,
      servername: NAME,
      ca: this.certificate.ca,
      ...options,
      turbo: { network: this.net.host(from), clock: this.clock, memory: this.memory(), ...turbo },
    });
  }

  /** Sends a payload as soon as TLS is secure, and gets it back; then closes. Does not drive the clock. */
  async exchange(
    socket: tls.TLSSocket & { turbo?: TurboSocket['turbo'] },
    options: ExchangeOptions = {},
  ): Promise<Seen> {
    const { payload = Buffer.from('ping'), halfClose = false } = options;
    const begunAt = this.clock.now();
    await once(socket, 'secureConnect');
    const secureMs = this.clock.now() - begunAt;
    if (halfClose) socket.end(payload);
    else socket.write(payload);
    let firstByteMs: number | undefined;
    let carrier: 'udp' | 'tcp' | undefined;
    const chunks: Buffer[] = [];
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      firstByteMs ??= this.clock.now() - begunAt;
      carrier ??= socket.turbo?.carrier;
      chunks.push(chunk);
      length += chunk.length;
      if (length >= payload.length && !halfClose) socket.end();
    });
    await once(socket, 'close');
    expect(sha256(chunks), 'echoed bytes').to.equal(sha256(payload));
    if (firstByteMs === undefined) throw new Error('the connection ended without an echoed byte');
    return { carrier, secureMs, firstByteMs, roundTrips: firstByteMs / ROUND_TRIP_MS };
  }

  /** The same by node:tls over TCP alone. */
  visitPlain(options: tls.ConnectionOptions = {}, exchange: ExchangeOptions = {}): Promise<Seen> {
    const socket = this.net.host(CLIENT).connectTcp({ host: SERVER, port: PORT });
    const secure = tls.connect({ socket, servername: NAME, ca: this.certificate.ca, ...options });
    return this.clock.run(this.exchange(secure, exchange));
  }

  /** Connects, exchanges and closes, in virtual time. */
  visit(options: TurboConnectionOptions = {}, exchange: ExchangeOptions = {}): Promise<Seen> {
    return this.clock.run(this.exchange(this.connect(options), exchange));
  }

  /**
   * Shows that nothing is left of the connections once their time limits are over, and nothing at all once the servers
   * are closed: no socket, no session, no timer, no packet.
   */
  async expectNothingLeft(): Promise<void> {
    await this.clock.advance(DRAIN_MS);
    const ports = this.net.openSockets().filter(({ remote }) => remote !== undefined);
    expect(ports, 'open connections').to.deep.equal([]);
    for (const { listener, open } of this.#servers) {
      expect(open, 'streams under TLS').to.equal(0);
      if (listener) expect(listener.engine.halfOpen, 'half-open').to.deep.equal({ sessions: 0, bytes: 0 });
    }
    for (const server of this.#servers) {
      await this.clock.run(server.stop());
    }
    await this.clock.runUntilIdle();
    expect(this.net.openSockets(), 'open sockets').to.deep.equal([]);
    expect(this.clock.pending, 'pending timers').to.equal(0);
  }
}

let defaultCertificate: Promise<Certificate> | undefined;

/** A world with the certificate of all tests; `chainLength` for one with another chain. */
export async function makeWorld(
  options: Partial<VirtualNetworkOptions> & { chainLength?: number } = {},
): Promise<World> {
  const { chainLength = 1, ...rest } = options;
  defaultCertificate ??= makeCertificate({ names: [NAME, SERVER] });
  const certificate =
    chainLength === 1 ? await defaultCertificate : await makeCertificate({ names: [NAME, SERVER], chainLength });
  return new World(certificate, rest);
}
