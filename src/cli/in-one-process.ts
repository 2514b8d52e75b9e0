/** A gateway in this process. */
import { firstValueFrom } from 'rxjs';
import { Gateway } from '../gateway/gateway.js';
import { type AdminSources, eventLog, type Logger, Metrics, readinessOf } from '../gateway/ops/index.js';
import type { GatewayPlan } from '../gateway/plan.js';
import { keyHealth, keysReturn } from '../keys/index.js';
import type { Serving } from './gateway-service.js';

export class InOneProcess implements Serving {
  readonly keys = 'read';
  readonly sources: AdminSources;
  readonly spent: Promise<undefined>;
  readonly #log: Logger;
  readonly #gateway: Gateway;
  readonly #metrics: Metrics;
  readonly #stopping = new AbortController();

  constructor(plan: GatewayPlan, log: Logger) {
    this.#log = log;
    const toLog = eventLog(log);
    this.#gateway = new Gateway(plan, {
      onEvent: (event) => {
        toLog(event);
        this.#metrics.onEvent(event);
      },
    });
    this.#metrics = new Metrics(() => this.#gateway.state, { process: true });
    this.sources = { metrics: this.#metrics, readiness: (scope) => readinessOf(this.#gateway.state, scope) };
    this.spent = this.#keysLostAndBack();
  }

  async start(): Promise<void> {
    await this.#gateway.start();
  }

  async reload(plan: GatewayPlan): Promise<void> {
    await this.#gateway.reload(plan);
    if (plan.workers !== undefined) this.#log.warn('workers come with the next start, not with a reload');
  }

  countFailedReload(): void {
    this.#metrics.countFailedReload();
  }

  async drain(): Promise<void> {
    this.#stopping.abort();
    await this.#gateway.drain();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#gateway.close();
  }

  /**
   * A process whose key process is gone cannot reach the next one. What needs no key goes on until another process could
   * do better: who supervises this one starts it.
   */
  async #keysLostAndBack(): Promise<undefined> {
    await firstValueFrom(keyHealth().lost$);
    try {
      await keysReturn(this.#stopping.signal);
      this.#log.error('the key is back, for a new process: this one ends');
    } catch {
      // It is told to stop anyway.
      await new Promise(() => {});
    }
  }
}
