/**
 * One address: a TCP and a UDP port, and what comes before TLS there.
 *
 *     TCP ─► [PROXY header] ─► first bytes ─┬─ tombstone: the engine's, a session over UDP gets its TCP connection
 *              │ afresh                     ├─ TLS, SSLRequest: an arrival
 *              └─ only of those trusted     ├─ GSSENCRequest: 'N', and afresh
 *     UDP ─► session: an arrival            ├─ CancelRequest: passed on
 *                                           └─ StartupMessage: TLS is mandatory here
 */
import { isIPv6 } from 'node:net';
import { type Accepted, TurboListener, type TurboListenerOptions } from '../engine/turbo-listener.js';
import { TIMER_MAX_MS } from '../limit-units.js';
import type { TcpSocket } from '../platform/network.js';
import type { HostAddress } from '../transport.js';
import { type ProxyHeader, readProxyHeader } from '../wire/proxy-protocol.js';
import { type Arrival, type Endpoints, endpointsOf, endpointsOfSession } from './arrival.js';
import { KEEP_ALIVE_MS } from './bounds.js';
import type { Passed } from './cancel.js';
import { GatewayError } from './errors.js';
import type { GatewayEventListener } from './events.js';
import { sayAndClose } from './last-words.js';
import { type CancelRequest, parseCancelRequest, parseRequest, TLS_MANDATORY } from './pg-startup.js';
import type { GatewayPlan } from './plan.js';
import { type Head, readHead } from './read-head.js';
import { Refusal } from './stop.js';

export interface FrontOptions {
  /** The one in force. */
  plan: () => GatewayPlan;
  onArrival: (arrival: Arrival) => void;
  onCancel: (request: CancelRequest, endpoints: Endpoints) => Promise<Passed>;
  onEvent: GatewayEventListener;
  network?: TurboListenerOptions['network'];
}

/** A TCP connection on its way to TLS. */
interface Visit {
  readonly socket: TcpSocket;
  readonly since: number;
  endpoints: Endpoints;
  proxied: boolean;
  /** It has asked for GSS encryption. */
  gssenc: boolean;
  /** What it sends before TLS must come in time, whatever it consists of. */
  readonly timer: NodeJS.Timeout;
}

type OnTcp = Extract<Accepted, { carrier: 'tcp' }>;

export class Front {
  readonly #options: FrontOptions;
  readonly #listener: TurboListener;
  readonly #visits = new WeakMap<TcpSocket, Visit>();
  /** As it was asked for. */
  readonly asked: HostAddress;
  #address: HostAddress;
  #open = false;
  #serving: Promise<void> = Promise.resolve();

  constructor(address: HostAddress, options: FrontOptions) {
    this.asked = address;
    this.#address = address;
    this.#options = options;
    this.#listener = new TurboListener({
      network: options.network,
      limits: { firstBytesTimeoutMs: options.plan().limits.routeTimeoutMs },
      protocols: [
        'tls',
        'pg-ssl-request',
        'pg-gssenc-request',
        'pg-cancel-request',
        'pg-startup',
        'proxy-v1',
        'proxy-v2',
      ],
    });
    this.#listener.events$.subscribe((event) => {
      if (event.type === 'refused') this.#report(undefined, event.reason, event.error);
      else options.onEvent({ type: 'engine', listen: this.#address, event });
    });
  }

  /** From `open` on with the port that it got. */
  get address(): HostAddress {
    return this.#address;
  }

  get engine(): TurboListener['engine'] {
    return this.#listener.engine;
  }

  /** @throws GatewayError ERR_GATEWAY_LISTEN */
  async open(): Promise<HostAddress> {
    const { host, port } = this.#address;
    try {
      const bound = await this.#listener.listen({ host, port });
      this.#address = { host, port: bound.port };
    } catch (error) {
      throw new GatewayError('ERR_GATEWAY_LISTEN', `${host}:${port}`, { cause: error });
    }
    this.#open = true;
    this.#serving = this.#serve();
    this.#options.onEvent({ type: 'listening', address: this.#address });
    return this.#address;
  }

  /** Accepts nothing more; what is open may go on until the deadline. Called again it may end that sooner. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#open) this.#options.onEvent({ type: 'unlistening', address: this.#address });
    this.#open = false;
    await this.#listener.close({ deadlineMs: Math.min(deadlineMs, TIMER_MAX_MS) });
    await this.#serving;
  }

  async #serve(): Promise<void> {
    for await (const accepted of this.#listener) {
      if (accepted.carrier === 'tcp') void this.#receive(accepted);
      else this.#options.onArrival(this.#session(accepted.stream));
    }
  }

  #session(stream: Extract<Accepted, { carrier: 'turbo' }>['stream']): Arrival {
    const endpoints = endpointsOfSession(stream, (tcp) => {
      tcp.setKeepAlive(true, KEEP_ALIVE_MS);
      return this.#visits.get(tcp)?.endpoints ?? endpointsOf(tcp);
    });
    endpoints.catch(() => {});
    return { carrier: 'turbo', stream, since: performance.now(), endpoints };
  }

  /** What the first bytes are, or the next ones behind a header. */
  async #receive(accepted: OnTcp): Promise<void> {
    const visit = this.#visits.get(accepted.stream) ?? this.#begin(accepted.stream);
    try {
      await this.#take(accepted, visit);
    } catch (error) {
      clearTimeout(visit.timer);
      visit.socket.destroy();
      this.#report(visit, 'peer-gone', error);
    }
  }

  #begin(socket: TcpSocket): Visit {
    // Whoever reads at that time hears of it, the engine too.
    const { routeTimeoutMs } = this.#options.plan().limits;
    const timer = setTimeout(() => socket.destroy(new Refusal('route-timeout')), routeTimeoutMs).unref();
    const visit: Visit = {
      socket,
      since: performance.now(),
      endpoints: endpointsOf(socket),
      proxied: false,
      gssenc: false,
      timer,
    };
    this.#visits.set(socket, visit);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.on('error', ignore);
    return visit;
  }

  async #take({ protocol, stream }: OnTcp, visit: Visit): Promise<void> {
    switch (protocol) {
      case 'proxy-v1':
      case 'proxy-v2':
        await this.#takeProxyHeader(visit);
        break;
      case 'pg-gssenc-request':
        await this.#declineGss(visit);
        break;
      case 'pg-startup':
        this.#report(visit, 'tls-required', new GatewayError('ERR_GATEWAY_TLS_REQUIRED', 'a StartupMessage'));
        clearTimeout(visit.timer);
        sayAndClose(stream, TLS_MANDATORY);
        break;
      case 'pg-cancel-request':
        await this.#takeCancelRequest(visit);
        break;
      case 'tls':
      case 'pg-ssl-request':
        clearTimeout(visit.timer);
        this.#options.onArrival({
          carrier: 'tcp',
          protocol,
          stream,
          since: visit.since,
          endpoints: visit.endpoints,
        });
    }
  }

  async #takeProxyHeader(visit: Visit): Promise<void> {
    const { address } = endpointsOf(visit.socket).client;
    if (visit.proxied) throw new Refusal('proxy-header-repeated');
    if (!this.#options.plan().proxyProtocolFrom.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) {
      throw new Refusal('proxy-header-untrusted');
    }
    const { source, destination } = await readHead(visit.socket, parseProxyHeader);
    visit.proxied = true;
    if (source && destination) visit.endpoints = { client: source, local: destination };
    this.#listener.readmit(visit.socket);
  }

  /** There is none here: libpq goes on in the same connection, with SSLRequest or in the clear. */
  async #declineGss(visit: Visit): Promise<void> {
    if (visit.gssenc) throw new Refusal('gssenc-repeated');
    visit.gssenc = true;
    await readHead(visit.socket, parseRequest);
    visit.socket.write('N');
    this.#listener.readmit(visit.socket);
  }

  async #takeCancelRequest(visit: Visit): Promise<void> {
    const request = await readHead(visit.socket, parseCancelRequest);
    clearTimeout(visit.timer);
    const passed = await this.#options.onCancel(request, visit.endpoints);
    if (passed === 'too-many') throw new Refusal('too-many-cancels');
    // The end is the answer: the backends have had it.
    sayAndClose(visit.socket, Buffer.alloc(0));
  }

  /** @param reason where the error has none of its own */
  #report(visit: Visit | undefined, reason: Refusal['reason'], error: unknown): void {
    const refusal = error instanceof Refusal ? error : new Refusal(reason, { cause: error });
    this.#options.onEvent({
      type: 'refused',
      reason: refusal.reason,
      carrier: 'tcp',
      client: visit?.endpoints.client,
      route: undefined,
      serverName: undefined,
      error: refusal.error,
    });
  }
}

function parseProxyHeader(bytes: Buffer): Head<ProxyHeader> | 'incomplete' {
  const read = readProxyHeader(bytes);
  if (read === 'invalid') throw new Refusal('proxy-header-invalid');
  return read === 'incomplete' ? read : { value: read.header, length: read.length };
}

function ignore(): void {}
