/**
 * The gateway: one UDP and one TCP port for everything, routed by server name, ALPN and protocol.
 *
 *     Front (an address) ─► Connection ─► Router ─► Route ─► BackendPool
 *
 * A plan in force is never changed: a reload puts another one in its place, and connections keep the one that they
 * began with.
 */
import type { Subscription } from 'rxjs';
import type { DropReason } from '../engine/events.js';
import type { TurboListenerOptions } from '../engine/turbo-listener.js';
import { keyHealth } from '../keys/index.js';
import { TIMER_MAX_MS } from '../limit-units.js';
import type { HostAddress } from '../transport.js';
import { Admission } from './admission.js';
import type { Arrival, Endpoints } from './arrival.js';
import type { TargetState } from './backend/index.js';
import { CancelKeys, Canceller, type Passed } from './cancel.js';
import { Connection } from './connection.js';
import { GatewayError } from './errors.js';
import type { GatewayEvent, GatewayEventListener } from './events.js';
import { Front } from './front.js';
import type { CancelRequest } from './pg-startup.js';
import type { GatewayPlan } from './plan.js';
import { Route } from './route.js';
import { Router } from './router.js';
import { TICKET_SEED_BYTES } from './tickets.js';

export interface GatewayOptions {
  onEvent?: GatewayEventListener | undefined;
  /** Whose ports are listened on. Default: the kernel's. */
  network?: TurboListenerOptions['network'];
  /** 32 random bytes: gateways with the same resume each other's sessions. Default: each has its own. */
  ticketSeed?: Buffer | undefined;
}

export interface RouteState {
  name: string;
  connections: number;
  targets: readonly TargetState[];
}

/** A reading, for metrics and health. */
export interface GatewayState {
  phase: 'new' | 'running' | 'draining' | 'closed';
  listening: readonly HostAddress[];
  /** Connections that have their route. */
  connections: number;
  routes: readonly RouteState[];
  /** Why the keys of PKCS#11 tokens sign no more in this process. */
  keyError: Error | undefined;
  engine: {
    /** Sessions over UDP that wait for TCP, and the bytes they are charged. */
    halfOpen: { sessions: number; bytes: number };
    /** TCP connections whose first bytes are awaited. */
    unrouted: number;
    /** Datagrams dropped since the start, by reason. */
    drops: ReadonlyMap<DropReason, number>;
  };
}

/** A plan in force. */
interface Force {
  readonly plan: GatewayPlan;
  readonly routes: readonly Route[];
  readonly router: Router<Route>;
}

export class Gateway {
  readonly #onEvent: GatewayEventListener;
  readonly #options: Omit<GatewayOptions, 'onEvent'>;
  readonly #admission = new Admission();
  readonly #cancelKeys = new CancelKeys();
  readonly #canceller = new Canceller(this.#cancelKeys, () => this.#force.plan.workers ?? 1);
  readonly #connections = new Map<Connection, Promise<void>>();
  /** Ends what is neither a connection nor a front: CancelRequests on their way. */
  readonly #closing = new AbortController();
  #phase: GatewayState['phase'] = 'new';
  #force: Force;
  #fronts: Front[] = [];
  /** Those that a reload has closed and that have connections. */
  readonly #leaving = new Set<Front>();
  /** Datagrams dropped at addresses that are closed. */
  readonly #pastDrops = new Map<DropReason, number>();
  /** One change at a time. */
  #changing: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #keys: Subscription | undefined;

  constructor(plan: GatewayPlan, { onEvent = () => {}, ...options }: GatewayOptions = {}) {
    const { ticketSeed } = options;
    if (ticketSeed && ticketSeed.length < TICKET_SEED_BYTES) {
      throw new TypeError(`ticketSeed has at least ${TICKET_SEED_BYTES} bytes`);
    }
    this.#onEvent = onEvent;
    this.#options = options;
    this.#force = { plan, routes: [], router: new Router<Route>([]) };
  }

  get state(): GatewayState {
    return {
      phase: this.#phase,
      listening: this.#fronts.map(({ address }) => address),
      connections: this.#admission.connections,
      routes: this.#force.routes.map(({ plan: { name }, pool: { targets } }) => {
        return { name, connections: this.#admission.connectionsOf(name), targets };
      }),
      keyError: keyHealth().error,
      engine: this.#engineState(),
    };
  }

  #engineState(): GatewayState['engine'] {
    const engines = [...this.#fronts, ...this.#leaving].map(({ engine }) => engine);
    const sum = (count: (engine: Front['engine']) => number) => engines.reduce((all, one) => all + count(one), 0);
    const drops = new Map(this.#pastDrops);
    for (const engine of engines) addTo(drops, engine.drops);
    return {
      halfOpen: { sessions: sum(({ halfOpen }) => halfOpen.sessions), bytes: sum(({ halfOpen }) => halfOpen.bytes) },
      unrouted: sum(({ unrouted }) => unrouted),
      drops,
    };
  }

  /**
   * Opens all ports, or none.
   * @returns the addresses, with the numbers that port 0 got
   * @throws GatewayError ERR_GATEWAY_STATE, ERR_GATEWAY_LISTEN (cause: the port's error), ERR_GATEWAY_CERTIFICATE
   */
  async start(): Promise<HostAddress[]> {
    if (this.#phase !== 'new') throw new GatewayError('ERR_GATEWAY_STATE', `it is ${this.#phase}`);
    this.#phase = 'running';
    try {
      await this.#change(this.#force.plan);
      this.#keys = keyHealth().lost$.subscribe((error) => this.#emit({ type: 'key-lost', error }));
    } catch (error) {
      if (this.#phase === 'running') this.#phase = 'new';
      throw error;
    }
    return this.#fronts.map(({ address }) => address);
  }

  /**
   * Puts another plan in force: for new connections; those that are open go on under the plan that they began with.
   * Where it fails, the old plan stays.
   * @throws GatewayError as start does
   */
  async reload(plan: GatewayPlan): Promise<void> {
    const { added, removed } = await this.#change(plan);
    this.#emit({ type: 'reload', routes: plan.routes.length, added, removed });
  }

  /** Takes nothing new and lets connections end until the deadline (default: the plan's), then closes. */
  async drain(deadlineMs: number = this.#force.plan.limits.drainTimeoutMs): Promise<void> {
    if (this.#phase === 'running') {
      this.#phase = 'draining';
      this.#emit({ type: 'drain', connections: this.#admission.connections, deadlineMs });
      const deadline = performance.now() + deadlineMs;
      await this.#closeFronts(deadlineMs);
      // Clients are gone by now, but what they have sent may be on its way to the backends.
      await this.#connectionsOver(deadline - performance.now());
    }
    await this.close();
  }

  /** Ends everything, at once. */
  async close(): Promise<void> {
    this.#phase = 'closed';
    this.#keys?.unsubscribe();
    this.#closing.abort(new GatewayError('ERR_GATEWAY_CLOSED'));
    for (const connection of this.#connections.keys()) connection.close();
    await this.#closeFronts(0);
    await this.#changing;
    await Promise.all(this.#connections.values());
    this.#retire(this.#force.routes);
    this.#force = { ...this.#force, routes: [], router: new Router<Route>([]) };
  }

  /** Or the time is. */
  async #connectionsOver(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, Math.max(0, ms));
    });
    await Promise.race([Promise.all(this.#connections.values()), late]);
    clearTimeout(timer);
  }

  async #closeFronts(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#fronts, ...this.#leaving].map((front) => front.close(deadlineMs)));
    this.#fronts = [];
  }

  #change(plan: GatewayPlan): Promise<{ added: HostAddress[]; removed: HostAddress[] }> {
    const change = this.#changing.then(() => this.#apply(plan));
    this.#changing = change.catch(() => {});
    return change;
  }

  async #apply(plan: GatewayPlan): Promise<{ added: HostAddress[]; removed: HostAddress[] }> {
    this.#expectRunning();
    const routes = this.#makeRoutes(plan);
    const { kept, added, removed } = this.#matchFronts(plan);
    try {
      await openAll(added);
      this.#expectRunning();
    } catch (error) {
      this.#retire(routes);
      await Promise.all(added.map((front) => front.close(0)));
      throw error;
    }
    this.#retire(this.#force.routes);
    this.#force = { plan, routes, router: new Router(routes) };
    this.#fronts = [...kept, ...added];
    for (const front of removed) this.#leave(front);
    const addresses = (fronts: Front[]) => fronts.map(({ address }) => address);
    return { added: addresses(added), removed: addresses(removed) };
  }

  #expectRunning(): void {
    if (this.#phase !== 'running') throw new GatewayError('ERR_GATEWAY_STATE', `it is ${this.#phase}`);
  }

  /** All of them, or none. */
  #makeRoutes({ routes: plans }: GatewayPlan): Route[] {
    const routes: Route[] = [];
    try {
      for (const plan of plans)
        routes.push(new Route(plan, { onEvent: this.#emit, ticketSeed: this.#options.ticketSeed }));
      return routes;
    } catch (error) {
      this.#retire(routes);
      throw error;
    }
  }

  #retire(routes: readonly Route[]): void {
    for (const route of routes) route.retire();
  }

  /** Which addresses stay open, by what was asked for. */
  #matchFronts({ listen }: GatewayPlan): { kept: Front[]; added: Front[]; removed: Front[] } {
    const removed = [...this.#fronts];
    const [kept, added]: [Front[], Front[]] = [[], []];
    for (const address of listen) {
      const place = removed.findIndex(({ asked }) => asked.host === address.host && asked.port === address.port);
      if (place >= 0) kept.push(...removed.splice(place, 1));
      else added.push(this.#makeFront(address));
    }
    return { kept, added, removed };
  }

  #makeFront(address: HostAddress): Front {
    return new Front(address, {
      network: this.#options.network,
      plan: () => this.#force.plan,
      onArrival: (arrival) => this.#serve(arrival),
      onCancel: (request, endpoints) => this.#cancel(request, endpoints, false),
      onEvent: this.#emit,
    });
  }

  /** Its connections may go on as long as they like. */
  #leave(front: Front): void {
    this.#leaving.add(front);
    front.close(TIMER_MAX_MS).then(() => {
      this.#leaving.delete(front);
      addTo(this.#pastDrops, front.engine.drops);
    });
  }

  #serve(arrival: Arrival): void {
    if (this.#phase === 'closed') {
      arrival.stream.on('error', () => {}).destroy();
      return;
    }
    const { plan, router } = this.#force;
    const connection = new Connection(arrival, {
      id: this.#nextId++,
      router,
      limits: plan.limits,
      admission: this.#admission,
      cancelKeys: this.#cancelKeys,
      onCancel: (request, endpoints) => this.#cancel(request, endpoints, true),
      onEvent: this.#emit,
    });
    this.#connections.set(
      connection,
      connection.run().finally(() => this.#connections.delete(connection)),
    );
  }

  async #cancel(request: CancelRequest, { client, local }: Endpoints, encrypted: boolean): Promise<Passed> {
    const { routes } = this.#force;
    const info = { ...client, localAddress: local.address, localPort: local.port };
    const from = { ...info, serverName: undefined, alpn: undefined, tls: undefined };
    const outcome = await this.#canceller.cancel(request, from, routes, this.#closing.signal);
    if (outcome === 'too-many') return 'too-many';
    this.#emit({ type: 'cancel', encrypted, client, ...outcome });
    return 'passed-on';
  }

  /** What a listener throws is its own affair: connections must not suffer from it. */
  readonly #emit = (event: GatewayEvent): void => {
    try {
      this.#onEvent(event);
    } catch (error) {
      process.emitWarning(error as Error);
    }
  };
}

/** All, or none: those that were opened are for the caller to close. */
async function openAll(fronts: readonly Front[]): Promise<void> {
  for (const front of fronts) await front.open();
}

function addTo(all: Map<DropReason, number>, more: ReadonlyMap<DropReason, number>): void {
  for (const [reason, count] of more) all.set(reason, (all.get(reason) ?? 0) + count);
}
