/** Health checks: each target on a timer of its own, with jitter, so that many gateways do not check in step. */
import type { Clock, Timer } from '../../platform/clock.js';
import type { BackendDialer } from './dialer.js';
import type { Target } from './target.js';

/** How far the time between two checks may be from its interval, as a part of it. */
const JITTER = 0.2;

export interface HealthCheckOptions {
  plan: { intervalMs: number; timeoutMs: number };
  targets: readonly Target[];
  dialer: BackendDialer;
  clock: Clock;
  onResult: (target: Target, error: Error | undefined, begunAt: number) => void;
}

export class HealthChecks {
  readonly #options: HealthCheckOptions;
  readonly #end = new AbortController();
  readonly #timers = new Map<Target, Timer>();

  constructor(options: HealthCheckOptions) {
    this.#options = options;
    for (const target of options.targets) this.#schedule(target);
  }

  /** No check is left under way, and none is heard of again. */
  close(): void {
    this.#end.abort();
    for (const timer of this.#timers.values()) timer.cancel();
  }

  #schedule(target: Target): void {
    const { plan, clock } = this.#options;
    const delayMs = plan.intervalMs * (1 + JITTER * (2 * Math.random() - 1));
    this.#timers.set(
      target,
      clock.after(delayMs, () => void this.#check(target)),
    );
  }

  async #check(target: Target): Promise<void> {
    const { plan, dialer, clock, onResult } = this.#options;
    const begunAt = clock.now();
    const error = await dialer.probe(target.address, plan.timeoutMs, this.#end.signal).then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (this.#end.signal.aborted) return;
    this.#schedule(target);
    onResult(target, error, begunAt);
  }
}
