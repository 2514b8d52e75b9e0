/** A gateway with its log, metrics and admin address, as a service. */
import { type StatsListener, unwatchFile, watchFile } from 'node:fs';
import { firstValueFrom } from 'rxjs';
import { ConfigError, problemText } from '../gateway/config/index.js';
import { Gateway } from '../gateway/gateway.js';
import { messageOf } from '../gateway/message-of.js';
import { AdminServer, eventLog, type Logger, logger, Metrics } from '../gateway/ops/index.js';
import type { GatewayPlan } from '../gateway/plan.js';
import { keyHealth, keysReturn } from '../keys/index.js';
import type { HostAddress } from '../transport.js';
import type { PlanSource } from './gateway-command.js';
import { addressText } from './proxy-log.js';
import type { Service } from './service.js';

/** Between two looks at the configuration file, ms. A Kubernetes ConfigMap changes by a link that no event tells of. */
const POLL_MS = 2_000;

/** Starts it. */
export async function gatewayService(source: PlanSource): Promise<Service> {
  const { plan, warnings } = await source.load();
  const service = new GatewayService(source, plan);
  await service.start(plan, warnings);
  return service;
}

class GatewayService implements Service {
  readonly spent: Promise<undefined>;
  readonly #source: PlanSource;
  readonly #log: Logger;
  readonly #gateway: Gateway;
  readonly #metrics: Metrics;
  readonly #onChange: StatsListener = () => void this.reload();
  #admin: { address: HostAddress; server: AdminServer } | undefined;
  readonly #stopping = new AbortController();
  #reloading: Promise<void> = Promise.resolve();

  constructor(source: PlanSource, plan: GatewayPlan) {
    this.#source = source;
    this.#log = logger(plan.log);
    const log = eventLog(this.#log);
    this.#gateway = new Gateway(plan, {
      onEvent: (event) => {
        log(event);
        this.#metrics.onEvent(event);
      },
    });
    this.#metrics = new Metrics(() => this.#gateway.state, { process: true });
    this.spent = this.#keysLostAndBack();
  }

  async start(plan: GatewayPlan, warnings: readonly string[]): Promise<void> {
    this.#warn(warnings);
    try {
      await this.#openAdmin(plan.admin);
      await this.#gateway.start();
    } catch (error) {
      await this.#gateway.close();
      await this.#admin?.server.close();
      throw error;
    }
    if (this.#source.file) watchFile(this.#source.file, { interval: POLL_MS, persistent: false }, this.#onChange);
  }

  /** One after the other: a file that is written in parts changes several times. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  async drain(): Promise<void> {
    this.#stopping.abort();
    if (this.#source.file) unwatchFile(this.#source.file, this.#onChange);
    await this.#gateway.drain();
    await this.#admin?.server.close();
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

  async #reload(): Promise<void> {
    try {
      const { plan, warnings } = await this.#source.load();
      await this.#openAdmin(plan.admin);
      await this.#gateway.reload(plan);
      this.#log.level = plan.log.level;
      this.#warn(warnings);
    } catch (error) {
      this.#metrics.countFailedReload();
      const problems = error instanceof ConfigError ? error.problems.map(problemText) : [messageOf(error)];
      for (const problem of problems) this.#log.error({ problem }, 'configuration not usable, the one before stays');
    }
  }

  /** The one before is closed once the new one is open. */
  async #openAdmin(address: HostAddress | undefined): Promise<void> {
    const before = this.#admin;
    if (address?.host === before?.address.host && address?.port === before?.address.port) return;
    this.#admin = address && (await this.#listenAdmin(address));
    await before?.server.close();
  }

  async #listenAdmin(address: HostAddress): Promise<{ address: HostAddress; server: AdminServer }> {
    const server = new AdminServer({ metrics: this.#metrics, readState: () => this.#gateway.state });
    const open = await server.listen(address);
    this.#log.info({ address: addressText(open) }, 'admin');
    return { address, server };
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#log.warn({ warning }, 'configuration');
  }
}
