/**
 * One connection, from the bytes that TLS begins with to its end:
 *
 *     [SSLRequest: 'S'] ─► ClientHello ─► route ─► limits ─┬─ passthrough: backend ─► relay
 *                                                          └─ terminate: TLS ─► [cancel?] ─► backend ─► relay
 *
 * A step that cannot go on throws a Refusal, before the route and its limits have taken the connection, or an Ending,
 * afterwards. A session over UDP goes on before TCP has claimed it, as far as it needs no address; its limits are
 * looked at when the address is there.
 */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type ClientHello, readClientHello } from '../wire/client-hello.js';
import type { Admission, Lease } from './admission.js';
import { encodeAlert } from './alert.js';
import type { Arrival, Endpoints } from './arrival.js';
import type { BackendConnection, ClientInfo } from './backend/index.js';
import { type CancelKeys, type Passed, watchCancelKey } from './cancel.js';
import { GatewayError } from './errors.js';
import type { EndReason, GatewayEventListener, RefusedReason, RoutedConnection } from './events.js';
import { sayAndClose } from './last-words.js';
import {
  BACKEND_UNREACHABLE,
  type CancelRequest,
  parseCancelRequest,
  parseFirstMessage,
  parseRequest,
} from './pg-startup.js';
import type { GatewayLimits, RouteProtocol } from './plan.js';
import { type Head, readHead } from './read-head.js';
import { relay, withoutLateReset } from './relay.js';
import type { Route } from './route.js';
import type { Router } from './router.js';
import { Ending, Refusal } from './stop.js';
import { describeTls, type Terminator } from './terminate.js';

/** What a connection takes from its gateway: the plan of the moment in which it arrived, and what all share. */
export interface Surroundings {
  id: number;
  router: Router<Route>;
  limits: GatewayLimits;
  admission: Admission;
  cancelKeys: CancelKeys;
  onCancel: (request: CancelRequest, endpoints: Endpoints) => Promise<Passed>;
  onEvent: GatewayEventListener;
}

/** How a connection that was carried, or should have been, ended. */
interface Outcome {
  reason: EndReason;
  error?: Error | undefined;
  up?: number;
  down?: number;
}

interface Progress {
  hello?: number;
  handshake?: number;
  backend?: number;
  firstByte?: number;
}

/** What the client can be told: an alert, nothing for a while, what TLS carries. */
type ClientStage = { name: 'clear' } | { name: 'handshake' } | { name: 'secure'; socket: TLSSocket };

/** Where an address is needed and not known yet, none is made up. */
const NO_ENDPOINTS: Endpoints = { client: { address: '', port: 0 }, local: { address: '', port: 0 } };

export class Connection {
  readonly #arrival: Arrival;
  readonly #around: Surroundings;
  readonly #abort = new AbortController();
  readonly #progress: Progress = {};
  #protocol: RouteProtocol = 'tls';
  #hello: ClientHello | undefined;
  #route: Route | undefined;
  #alpn: string | undefined;
  #endpoints: Endpoints | undefined;
  #client: ClientStage = { name: 'clear' };
  #started = false;
  #target: BackendConnection['target'] | undefined;

  constructor(arrival: Arrival, around: Surroundings) {
    this.#arrival = arrival;
    this.#around = around;
  }

  /** Resolves when it is over. Never rejects. */
  async run(): Promise<void> {
    const { stream } = this.#arrival;
    stream.on('error', ignore);
    stream.once('close', this.#onClose);
    try {
      await this.#answerSslRequest();
      const hello = await this.#readHello();
      await this.#serve(this.#findRoute(hello));
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Ends it, wherever it is: the gateway closes. */
  close(): void {
    this.#stop('closing', 'closing');
    if (!this.#arrival.stream.destroyed) this.#arrival.stream.destroy();
  }

  readonly #onClose = () => this.#stop(this.#arrival.carrier === 'turbo' ? 'unclaimed' : 'peer-gone', 'client-gone');

  get #signal(): AbortSignal {
    return this.#abort.signal;
  }

  #stop(refused: RefusedReason, ended: EndReason): void {
    if (!this.#signal.aborted) this.#abort.abort(this.#started ? new Ending(ended) : new Refusal(refused));
  }

  /** Ends it unless what is returned is called in time. */
  #limit(ms: number, stop: Refusal | Ending): () => void {
    const timer = setTimeout(() => this.#abort.abort(stop), ms).unref();
    return () => clearTimeout(timer);
  }

  /** TLS begins behind the answer; bytes that came before it would become part of what is encrypted (CVE-2021-23222). */
  async #answerSslRequest(): Promise<void> {
    const { carrier, stream } = this.#arrival;
    if (carrier === 'turbo' || this.#arrival.protocol !== 'pg-ssl-request') return;
    this.#protocol = 'postgresql';
    await readHead(stream, parseRequest, this.#signal);
    if (stream.readableLength > 0) throw new Refusal('injected-bytes');
    stream.write('S');
  }

  async #readHello(): Promise<ClientHello> {
    const { stream, since } = this.#arrival;
    const { routeTimeoutMs, clientHelloBytes } = this.#around.limits;
    const inTime = this.#limit(
      Math.max(0, since + routeTimeoutMs - performance.now()),
      new Refusal('route-timeout', { alert: 'internal_error' }),
    );
    try {
      const hello = await readHead(stream, (bytes) => parseHello(bytes, clientHelloBytes), this.#signal);
      this.#hello = hello;
      this.#progress.hello = performance.now();
      return hello;
    } finally {
      inTime();
    }
  }

  #findRoute(hello: ClientHello): Route {
    const { serverName, alpn } = hello;
    if (alpn.includes('postgresql')) this.#protocol = 'postgresql';
    const [only] = alpn;
    if (alpn.length === 1) this.#alpn = only;
    const route = this.#around.router.find({ serverName, alpn, protocol: this.#protocol });
    if (route === 'no-alpn') throw new Refusal(route, { alert: 'no_application_protocol' });
    if (route === 'no-route') throw new Refusal(route, { alert: 'unrecognized_name' });
    this.#route = route;
    return route;
  }

  async #serve(route: Route): Promise<void> {
    const leave = route.use({ postgres: this.#protocol === 'postgresql' });
    const admitted = this.#admit(route);
    admitted.catch((refusal) => {
      if (!this.#signal.aborted) this.#abort.abort(refusal);
    });
    try {
      const outcome = await this.#carry(route, admitted);
      const lease = await admitted;
      lease();
      this.#report(route, outcome);
    } finally {
      leave();
    }
  }

  /** A place within the limits; for a session over UDP when TCP has claimed it. */
  async #admit(route: Route): Promise<Lease> {
    const { carrier } = this.#arrival;
    this.#endpoints = carrier === 'tcp' ? this.#arrival.endpoints : await this.#arrival.endpoints;
    const lease = this.#around.admission.enter(route.plan, this.#around.limits, this.#endpoints.client.address);
    if (typeof lease === 'string') throw new Refusal(lease, { alert: 'internal_error' });
    this.#started = true;
    this.#around.onEvent({ type: 'connection-start', ...this.#described(route) });
    return lease;
  }

  /** Never rejects: what ends it before there is a relay becomes the outcome, and the client is told. */
  async #carry(route: Route, admitted: Promise<Lease>): Promise<Outcome> {
    try {
      if (this.#arrival.carrier === 'tcp') await admitted;
      const { terminator } = route;
      return await (terminator ? this.#terminate(route, terminator, admitted) : this.#passThrough(route, admitted));
    } catch (error) {
      // It was refused, or left while its session was claimed.
      if (error instanceof Refusal) return { reason: 'client-gone' };
      const ending = error instanceof Ending ? error : new Ending('internal-error', { cause: error });
      this.#leaveClient(ending);
      return { reason: ending.reason, error: ending.error };
    }
  }

  async #passThrough(route: Route, admitted: Promise<Lease>): Promise<Outcome> {
    if (this.#arrival.carrier === 'turbo') this.#arrival.stream.relayed = true;
    const early = this.#mayBeEarly(route) ? this.#around.admission.enterEarly(route.plan) : undefined;
    if (early) admitted.then(early, early);
    else await admitted;
    const backend = await this.#dial(route, undefined);
    return this.#relay(this.#arrival.stream, backend);
  }

  /** Before TCP has claimed its session: where the backend need not know who it is for. */
  #mayBeEarly({ plan: { backend } }: Route): boolean {
    return !this.#endpoints && !backend.proxyProtocol && backend.balance !== 'source';
  }

  async #terminate(route: Route, terminator: Terminator, admitted: Promise<Lease>): Promise<Outcome> {
    const socket = await this.#handshake(terminator);
    await admitted;
    if (!route.speaksPostgres) return this.#relay(socket, await this.#dial(route, socket));
    const request = await this.#readStartup(socket);
    if (request) {
      const passed = await this.#around.onCancel(request, this.#endpoints ?? NO_ENDPOINTS);
      if (passed === 'too-many') throw new Ending('too-many-cancels');
      // The end is the answer: the backend has had it.
      sayAndClose(socket, Buffer.alloc(0));
      return { reason: 'cancel' };
    }
    const backend = await this.#dial(route, socket);
    let forget: (() => void) | undefined;
    watchCancelKey(backend.stream, (key) => {
      forget = this.#around.cancelKeys.add(key, { backend: route.plan.backend, target: backend.target });
    });
    return this.#relay(socket, backend).finally(() => forget?.());
  }

  async #handshake(terminator: Terminator): Promise<TLSSocket> {
    const inTime = this.#limit(this.#around.limits.handshakeTimeoutMs, new Ending('handshake-timeout'));
    this.#client = { name: 'handshake' };
    try {
      const socket = await terminator.handshake(this.#arrival.stream, this.#hello?.serverName, this.#signal);
      this.#client = { name: 'secure', socket };
      this.#progress.handshake = performance.now();
      this.#alpn = socket.alpnProtocol || undefined;
      return socket;
    } catch (error) {
      throw this.#signal.aborted ? this.#signal.reason : new Ending('handshake-failed', { cause: error });
    } finally {
      inTime();
    }
  }

  /** The first message of PostgreSQL, if it is a CancelRequest; all others stay. */
  async #readStartup(socket: TLSSocket): Promise<CancelRequest | undefined> {
    const late = new GatewayError('ERR_GATEWAY_TIMEOUT', 'a StartupMessage');
    const inTime = this.#limit(this.#around.limits.routeTimeoutMs, new Ending('startup-timeout', { cause: late }));
    try {
      const first = await readHead(socket, parseFirstMessage, this.#signal);
      return first === 'CancelRequest' ? await readHead(socket, parseCancelRequest, this.#signal) : undefined;
    } catch (error) {
      if (error instanceof Refusal) throw new Ending('startup-invalid', { cause: error.cause });
      throw error instanceof Ending ? error : new Ending('client-gone', { cause: error });
    } finally {
      inTime();
    }
  }

  /** @param socket where TLS ends here */
  async #dial(route: Route, socket: TLSSocket | undefined): Promise<BackendConnection> {
    try {
      const backend = await route.pool.dial(this.#clientInfo(socket), this.#signal);
      this.#target = backend.target;
      this.#progress.backend = backend.connectMs;
      return backend;
    } catch (error) {
      if (this.#signal.aborted) throw this.#signal.reason;
      throw new Ending('backend-unreachable', { cause: error, alert: 'internal_error' });
    }
  }

  #clientInfo(socket: TLSSocket | undefined): ClientInfo {
    const { client, local } = this.#endpoints ?? NO_ENDPOINTS;
    return {
      ...client,
      localAddress: local.address,
      localPort: local.port,
      serverName: this.#hello?.serverName,
      alpn: socket ? this.#alpn : undefined,
      tls: socket && describeTls(socket),
    };
  }

  /** From here on the relay hears what becomes of the streams. */
  async #relay(client: Duplex, backend: BackendConnection): Promise<Outcome> {
    const { idleTimeoutMs } = this.#around.limits;
    this.#arrival.stream.off('close', this.#onClose);
    backend.stream.once('data', () => {
      this.#progress.firstByte = performance.now();
    });
    const end = await relay(client, backend.stream, { idleTimeoutMs, signal: this.#signal }).finally(backend.release);
    const { up, down, reason, error } = withoutLateReset(end, client);
    if (reason !== 'aborted') return { reason, error, up, down };
    const stop: unknown = this.#signal.reason;
    return { reason: stop instanceof Ending ? stop.reason : 'closing', error, up, down };
  }

  /** Before there is a route, or room on it. */
  #refuse(error: unknown): void {
    const refusal = this.#refusalOf(error);
    this.#leaveClient(refusal);
    const { carrier } = this.#arrival;
    this.#around.onEvent({
      type: 'refused',
      reason: refusal.reason,
      carrier,
      client: this.#endpoints?.client ?? (carrier === 'tcp' ? this.#arrival.endpoints.client : undefined),
      route: this.#route?.plan.name,
      serverName: this.#hello?.serverName,
      error: refusal.error,
    });
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    const gone = error instanceof GatewayError || (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    return new Refusal(gone ? 'peer-gone' : 'internal-error', { cause: error });
  }

  /** Says why, as far as that can be said at this stage, and closes. */
  #leaveClient({ alert, reason }: Refusal | Ending): void {
    const { stream } = this.#arrival;
    stream.off('close', this.#onClose);
    switch (this.#client.name) {
      case 'clear':
        if (alert) sayAndClose(stream, encodeAlert(alert));
        else stream.destroy();
        break;
      case 'handshake': // the terminator's
        break;
      case 'secure': {
        const isPostgres = reason === 'backend-unreachable' && this.#route?.speaksPostgres;
        sayAndClose(this.#client.socket, isPostgres ? BACKEND_UNREACHABLE : Buffer.alloc(0));
      }
    }
  }

  #described(route: Route): RoutedConnection {
    return {
      id: this.#around.id,
      route: route.plan.name,
      mode: route.plan.mode.kind,
      carrier: this.#arrival.carrier,
      protocol: this.#protocol,
      serverName: this.#hello?.serverName,
      alpn: this.#alpn,
      client: this.#endpoints?.client,
    };
  }

  #report(route: Route, { reason, error, up = 0, down = 0 }: Outcome): void {
    const { since } = this.#arrival;
    const { hello = since, handshake, backend, firstByte } = this.#progress;
    const sinceArrival = (at: number | undefined) => (at === undefined ? undefined : at - since);
    this.#around.onEvent({
      type: 'connection-end',
      ...this.#described(route),
      target: this.#target,
      timings: {
        helloMs: hello - since,
        handshakeMs: sinceArrival(handshake),
        backendMs: backend,
        firstByteMs: sinceArrival(firstByte),
        totalMs: performance.now() - since,
      },
      up,
      down,
      reason,
      error,
    });
  }
}

/** All of it stays, for whoever ends the TLS. */
function parseHello(bytes: Buffer, limit: number): Head<ClientHello> | 'incomplete' {
  const hello = readClientHello(bytes, limit);
  if (hello === 'incomplete') return hello;
  if (hello === 'too-long') throw new Refusal('client-hello-too-long', { alert: 'decode_error' });
  if (hello === 'invalid') throw new Refusal('client-hello-invalid', { alert: 'decode_error' });
  return { value: hello, length: 0 };
}

function ignore(): void {}
