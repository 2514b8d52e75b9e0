/** A gateway with its log and admin address, as a service: in this process, or in workers. */
import { type StatsListener, unwatchFile, watchFile } from 'node:fs';
import { type CheckOptions, ConfigError, problemText } from '../gateway/config/index.js';
import { messageOf } from '../gateway/message-of.js';
import { AdminServer, type AdminSources, type Logger, logger } from '../gateway/ops/index.js';
import type { GatewayPlan } from '../gateway/plan.js';
import type { HostAddress } from '../transport.js';
import { InOneProcess } from './in-one-process.js';
import { InWorkers } from './in-workers.js';
import { type PlanSource, planOf } from './plan-source.js';
import { addressText } from './proxy-log.js';
import type { Service } from './service.js';

/** What serves by the plan. */
export interface Serving {
  /** What becomes of private keys where a plan is made in this process. */
  readonly keys: CheckOptions['keys'];
  readonly sources: AdminSources;
  /** As a Service has it. */
  readonly spent?: Promise<undefined>;
  start(): Promise<void>;
  /** Where it fails, the plan before stays. */
  reload(plan: GatewayPlan, text: string): Promise<void>;
  countFailedReload(): void;
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Between two looks at the configuration file, ms. A Kubernetes ConfigMap changes by a link that no event tells of. */
const POLL_MS = 2_000;

/** Starts it. */
export async function gatewayService(source: PlanSource): Promise<Service> {
  const text = await source.read();
  const { plan, warnings } = firstPlanOf(text);
  const log = logger(plan.log);
  const serving = plan.workers === undefined ? new InOneProcess(plan, log) : new InWorkers(plan, text, log);
  const service = new GatewayService(source, log, serving);
  await service.start(plan, warnings);
  return service;
}

/** Whether there are workers is to be known before a key is opened; where nothing can be served, all that is wrong is told. */
function firstPlanOf(text: string): { plan: GatewayPlan; warnings: readonly string[] } {
  let first: ReturnType<typeof planOf>;
  try {
    first = planOf(text, { keys: 'unread' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    planOf(text, { keys: 'read' });
    // Mended in between, perhaps for workers: this process has had the keys now.
    throw error;
  }
  return first.plan.workers === undefined ? planOf(text, { keys: 'read' }) : first;
}

class GatewayService implements Service {
  readonly spent?: Promise<undefined>;
  readonly #source: PlanSource;
  readonly #log: Logger;
  readonly #serving: Serving;
  readonly #onChange: StatsListener = () => void this.reload();
  #admin: { address: HostAddress; server: AdminServer } | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #ending = false;

  constructor(source: PlanSource, log: Logger, serving: Serving) {
    this.#source = source;
    this.#log = log;
    this.#serving = serving;
    if (serving.spent) this.spent = serving.spent;
  }

  async start(plan: GatewayPlan, warnings: readonly string[]): Promise<void> {
    this.#warn(warnings);
    try {
      await this.#openAdmin(plan.admin);
      await this.#serving.start();
    } catch (error) {
      await this.#serving.close();
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
    this.#ending = true;
    if (this.#source.file) unwatchFile(this.#source.file, this.#onChange);
    await this.#serving.drain();
    // One that was under way has failed, and may have opened another admin address.
    await this.#reloading;
    await this.#admin?.server.close();
  }

  async #reload(): Promise<void> {
    if (this.#ending) return;
    try {
      const text = await this.#source.read();
      const { plan, warnings } = planOf(text, { keys: this.#serving.keys });
      await this.#openAdmin(plan.admin);
      await this.#serving.reload(plan, text);
      this.#log.level = plan.log.level;
      this.#warn(warnings);
    } catch (error) {
      if (this.#ending) return;
      this.#serving.countFailedReload();
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
    const server = new AdminServer(this.#serving.sources);
    const open = await server.listen(address);
    this.#log.info({ address: addressText(open) }, 'admin');
    return { address, server };
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#log.warn({ warning }, 'configuration');
  }
}
