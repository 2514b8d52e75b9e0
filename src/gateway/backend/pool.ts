/**
 * The backends of a route: which one a connection gets, and what becomes of those that do not answer.
 *
 *     dial ─► order: those that are up, balanced; then those that are down ─► one after the other, until one is ready
 *
 * A target that fails is passed over at once and counts as down: until a health check finds it again, or, where there
 * are none, until one connection in each backoff does.
 */
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../platform/clock.js';
import type { HostAddress } from '../../transport.js';
import { GatewayError } from '../errors.js';
import type { BackendPlan } from '../plan.js';
import { type Balancer, balancerFor } from './balance.js';
import type { ClientInfo } from './client-info.js';
import { BackendDialer, type Errand } from './dialer.js';
import { HealthChecks } from './health.js';
import { Target } from './target.js';

export interface BackendConnection {
  /** Ready for the client's first byte. It has a listener for 'error', so that none is thrown at the process. */
  stream: Duplex;
  target: HostAddress;
  /** From the first attempt until it was ready, those that failed included. */
  connectMs: number;
  /** The connection is over: it counts no more. Again is no error. */
  release(): void;
}

export interface TargetState {
  readonly address: HostAddress;
  readonly healthy: boolean;
  /** Connections, with those that are being made. */
  readonly connections: number;
  /** Why the last connection or check failed, if none has succeeded since. */
  readonly lastError: Error | undefined;
}

/** A target is up again, or is down from here on, and why. */
export type BackendEvent =
  | { type: 'backend'; state: 'up'; target: HostAddress }
  | { type: 'backend'; state: 'down'; target: HostAddress; error: Error };

export interface BackendPoolOptions {
  onEvent?: ((event: BackendEvent) => void) | undefined;
  clock?: Clock | undefined;
}

/** Failures of this machine's own: no target is to blame, and none would do better. */
const OWN_FAULTS: readonly string[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'];

export class BackendPool {
  readonly #targets: readonly Target[];
  readonly #balance: Balancer;
  readonly #dialer: BackendDialer;
  readonly #checks: HealthChecks | undefined;
  readonly #onEvent: (event: BackendEvent) => void;
  readonly #clock: Clock;

  /** Reads the files that `plan.tls` names; throws what node:fs and node:tls throw. Health checks begin. */
  constructor(plan: BackendPlan, { onEvent = () => {}, clock = systemClock }: BackendPoolOptions = {}) {
    this.#targets = plan.targets.map((address) => new Target(address));
    this.#balance = balancerFor(plan.balance);
    this.#dialer = new BackendDialer(plan, clock);
    this.#onEvent = onEvent;
    this.#clock = clock;
    if (!plan.health) return;
    this.#checks = new HealthChecks({
      plan: plan.health,
      targets: this.#targets,
      dialer: this.#dialer,
      clock,
      onResult: (target, error, begunAt) => this.#report(target, error, begunAt),
    });
  }

  get targets(): readonly TargetState[] {
    return this.#targets;
  }

  /**
   * A connection to the first target that gives one.
   * @throws GatewayError ERR_GATEWAY_BACKEND, its cause the error or an AggregateError of all; the signal's reason;
   * errors that no backend is to blame for, as they are
   */
  async dial(client: ClientInfo, signal: AbortSignal): Promise<BackendConnection> {
    const begunAt = this.#clock.now();
    const errand = this.#dialer.errandFor(client);
    const errors: Error[] = [];
    for (const target of this.#order(client.address)) {
      const stream = await this.#attempt(target, errand, signal);
      if (!(stream instanceof Error)) return this.#connection(target, stream, begunAt);
      errors.push(stream);
    }
    throw unreachable(this.#targets, errors);
  }

  /** Ends the health checks. Connections go on, those that are being made too. */
  close(): void {
    this.#checks?.close();
  }

  /** Those that may well be up, then, as nothing else is left, those that are known to be down. */
  #order(clientAddress: string): Target[] {
    const now = this.#clock.now();
    const hopeful = this.#targets.filter((target) => target.healthy || (!this.#checks && target.isDue(now)));
    const others = this.#targets.filter((target) => !hopeful.includes(target));
    return [...this.#balance(hopeful, clientAddress), ...this.#balance(others, clientAddress)];
  }

  /** The stream, or why there is none. It counts as a connection of the target from the start. */
  async #attempt(target: Target, errand: Errand, signal: AbortSignal): Promise<Duplex | Error> {
    const begunAt = this.#clock.now();
    target.beginTrial(begunAt);
    target.connections++;
    try {
      const stream = await this.#dialer.dial(target.address, errand, signal);
      this.#report(target, undefined, begunAt);
      return stream;
    } catch (error) {
      target.connections--;
      if (signal.aborted || isOwnFault(error)) throw error;
      this.#report(target, error as Error, begunAt);
      return error as Error;
    }
  }

  #connection(target: Target, stream: Duplex, begunAt: number): BackendConnection {
    let isHeld = true;
    const release = () => {
      if (isHeld) target.connections--;
      isHeld = false;
    };
    stream.on('error', () => {});
    return { stream, target: target.address, connectMs: this.#clock.now() - begunAt, release };
  }

  #report(target: Target, error: Error | undefined, begunAt: number): void {
    const { address } = target;
    if (isOwnFault(error)) return;
    if (!error) {
      if (target.succeeded()) this.#onEvent({ type: 'backend', state: 'up', target: address });
    } else if (target.failed(error, begunAt, this.#clock.now())) {
      this.#onEvent({ type: 'backend', state: 'down', target: address, error });
    }
  }
}

function isOwnFault(error: unknown): boolean {
  return OWN_FAULTS.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

function unreachable(targets: readonly Target[], errors: readonly Error[]): GatewayError {
  const cause = errors.length === 1 ? errors[0] : new AggregateError(errors);
  const tried = targets.map(({ address: { host, port }, lastError }) => `${host}:${port} (${lastError?.message})`);
  return new GatewayError('ERR_GATEWAY_BACKEND', tried.join(', '), { cause, retryable: true });
}
