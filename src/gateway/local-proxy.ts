/**
 * A local proxy: plain TCP or a Unix socket on this machine, TurboTLS to a gateway.
 *
 *     psql ── localhost:6432 ──► LocalProxy ══ TLS over UDP, then TCP ══► db.example.com:443
 *
 * Transparent, it is no party to the TLS that passes; originating, it makes the TLS session. `proxy/session.ts` is one
 * client's way through it.
 */
import type { Socket } from 'node:net';
import type { HostAddress, PathAddress } from '../transport.js';
import { GatewayError } from './errors.js';
import type { ProxyClient, ProxyEvent } from './proxy/events.js';
import { closeAll, type Listener, listenOn } from './proxy/listen.js';
import { defaultProxyLimits, type ProxyLimits, type ProxyPlan } from './proxy/plan.js';
import { type RemoteOptions, Remotes } from './proxy/remote.js';
import { serveClient } from './proxy/session.js';

export type { ProxyClient, ProxyConnection, ProxyEvent, ProxyRefusal, ProxyTimings } from './proxy/events.js';
export {
  defaultProxyLimits,
  type OriginateMode,
  type ProxyLimits,
  type ProxyPlan,
  type TransparentMode,
} from './proxy/plan.js';

export interface LocalProxyOptions {
  onEvent?: ((event: ProxyEvent) => void) | undefined;
  /** How TurboTLS is done: memory, limits, sockets. */
  turbo?: Omit<RemoteOptions, 'firstContact'> | undefined;
}

const DRAIN_MS = 10_000;

/** A plan in force. */
interface Force {
  plan: ProxyPlan;
  limits: ProxyLimits;
  remotes: Remotes;
  remote: RemoteOptions;
}

export class LocalProxy {
  readonly #onEvent: (event: ProxyEvent) => void;
  readonly #turbo: Omit<RemoteOptions, 'firstContact'>;
  #force: Force;
  #state: 'new' | 'running' | 'closed' = 'new';
  #listeners: Listener[] = [];
  /** Of each client's connection: what ends it, and its end. */
  readonly #sessions = new Map<AbortController, Promise<void>>();

  constructor(plan: ProxyPlan, { onEvent = () => {}, turbo = {} }: LocalProxyOptions = {}) {
    // What a listener throws is its own affair: connections must not suffer from it.
    this.#onEvent = (event) => {
      try {
        onEvent(event);
      } catch (error) {
        process.emitWarning(error as Error);
      }
    };
    this.#turbo = turbo;
    this.#force = this.#inForce(plan);
  }

  /** Clients that are connected. */
  get connections(): number {
    return this.#sessions.size;
  }

  /**
   * Opens all addresses, or none.
   * @returns them, with the numbers that port 0 got
   * @throws GatewayError ERR_GATEWAY_STATE, ERR_GATEWAY_LISTEN (cause: the socket's error)
   */
  async start(): Promise<(HostAddress | PathAddress)[]> {
    if (this.#state !== 'new') throw new GatewayError('ERR_GATEWAY_STATE', `the proxy is ${this.#state}`);
    this.#state = 'running';
    try {
      for (const address of this.#force.plan.listen) {
        this.#listeners.push(...(await listenOn(address, (socket, client) => this.#accept(socket, client))));
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    const addresses = this.#listeners.map(({ address }) => address);
    for (const address of addresses) this.#onEvent({ type: 'listening', address });
    return addresses;
  }

  /** Another plan for the connections that come from now on; the addresses stay as they are. */
  reload(plan: ProxyPlan): void {
    this.#force = this.#inForce(plan);
  }

  /** Takes nothing new and lets connections end until the deadline, then closes. */
  async drain(deadlineMs: number = DRAIN_MS): Promise<void> {
    this.#stopListening();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.all(this.#sessions.values()), deadline]);
    clearTimeout(timer);
    await this.close();
  }

  /** Ends everything, at once. */
  async close(): Promise<void> {
    this.#stopListening();
    for (const abort of this.#sessions.keys()) abort.abort(new GatewayError('ERR_GATEWAY_CLOSED'));
    await Promise.all(this.#sessions.values());
  }

  #stopListening(): void {
    this.#state = 'closed';
    closeAll(this.#listeners.splice(0));
  }

  #accept(socket: Socket, client: ProxyClient): void {
    const { limits } = this.#force;
    if (this.#state === 'running' && this.#sessions.size < limits.connections) {
      const abort = new AbortController();
      this.#sessions.set(abort, this.#serve(socket, client, abort));
      return;
    }
    socket.on('error', () => {});
    socket.destroy();
    const closing = this.#state !== 'running';
    this.#onEvent({
      type: 'refused',
      reason: closing ? 'closing' : 'too-many-connections',
      client,
      error: closing
        ? new GatewayError('ERR_GATEWAY_CLOSED')
        : new GatewayError('ERR_GATEWAY_LIMIT', `${limits.connections} connections`),
    });
  }

  async #serve(socket: Socket, client: ProxyClient, abort: AbortController): Promise<void> {
    const { plan, limits, remotes, remote } = this.#force;
    const end = await serveClient(socket, { client, mode: plan.mode, limits, remotes, remote }, abort);
    this.#sessions.delete(abort);
    this.#onEvent(end);
  }

  #inForce(plan: ProxyPlan): Force {
    const limits = { ...defaultProxyLimits, ...plan.limits };
    const { connectTimeoutMs, holdOffMs } = limits;
    const onUnreachable = (target: HostAddress, error: Error, next: HostAddress | undefined) =>
      this.#onEvent({ type: 'unreachable', target, error, next });
    const remotes = new Remotes([plan.to, ...plan.backups], { connectTimeoutMs, holdOffMs, onUnreachable });
    return { plan, limits, remotes, remote: { ...this.#turbo, firstContact: plan.firstContact } };
  }
}
