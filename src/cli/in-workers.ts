/** A gateway in workers: this process has the ports, and no key. */
import { messageOf } from '../gateway/message-of.js';
import { type AdminSources, type Logger, poolLog, WorkerMetrics, type WorkerReports } from '../gateway/ops/index.js';
import type { GatewayPlan } from '../gateway/plan.js';
import { type SharedPlan, Supervisor, type SupervisorEvent, type WorkerName } from '../gateway/workers/index.js';
import type { Serving } from './gateway-service.js';

const WORKER = new URL('./gateway-worker.js', import.meta.url);

export class InWorkers implements Serving {
  readonly keys = 'unread';
  readonly sources: AdminSources;
  readonly #log: Logger;
  readonly #supervisor: Supervisor;
  readonly #metrics: WorkerMetrics;
  /** Of each worker that has not ended, by its process. */
  readonly #reports = new Map<WorkerName['pid'], WorkerReports>();
  #plan: GatewayPlan;

  /** @param text of which the plan was made, and workers make theirs */
  constructor(plan: GatewayPlan, text: string, log: Logger) {
    this.#plan = plan;
    this.#log = log;
    const { routeTimeoutMs } = plan.limits;
    this.#supervisor = new Supervisor({ module: WORKER, plan: sharedPlan(plan, text), routeTimeoutMs });
    this.#metrics = new WorkerMetrics(
      { front: () => this.#supervisor.front, routes: () => this.#plan.routes.map(({ name }) => name) },
      { process: true },
    );
    const { contentType } = this.#metrics;
    this.sources = {
      metrics: { contentType, text: () => this.#metricsText() },
      readiness: (scope) => this.#supervisor.readiness(scope),
    };
    const toLog = poolLog(log);
    this.#supervisor.events$.subscribe((event) => this.#onEvent(event, toLog));
  }

  start(): Promise<void> {
    return this.#supervisor.start();
  }

  async reload(plan: GatewayPlan, text: string): Promise<void> {
    const { workers = this.#plan.workers } = plan;
    if (plan.workers === undefined) this.#log.warn('workers go with the next start, not with a reload');
    await this.#supervisor.reload(sharedPlan({ ...plan, workers }, text));
    this.#plan = { ...plan, workers };
    this.#metrics.countReload('applied');
    this.#log.info({ routes: plan.routes.length, workers }, 'configuration in force');
  }

  countFailedReload(): void {
    this.#metrics.countReload('failed');
  }

  async drain(): Promise<void> {
    const connections = this.#supervisor.front.workers.reduce((sum, worker) => sum + worker.connections, 0);
    this.#log.info({ connections, deadlineMs: this.#plan.limits.drainTimeoutMs }, 'draining');
    await this.#supervisor.drain();
  }

  close(): Promise<void> {
    return this.#supervisor.close();
  }

  async #metricsText(): Promise<string> {
    for (const { worker, report } of await this.#supervisor.look()) {
      if (report) this.#reports.get(worker.pid)?.take(report.metrics);
    }
    return this.#metrics.text();
  }

  #onEvent(event: SupervisorEvent, toLog: ReturnType<typeof poolLog>): void {
    switch (event.type) {
      case 'plan-refused':
        this.#log.error({ worker: event.worker.pid, problem: messageOf(event.error) }, 'worker cannot serve');
        break;
      case 'spent':
        this.#log.warn({ worker: event.worker.pid }, 'worker is replaced: its key is lost, and back for a new one');
        break;
      case 'too-few':
        this.#log.error({ problem: messageOf(event.error) }, 'fewer workers than configured');
        break;
      case 'last-report':
        this.#reports.get(event.worker.pid)?.take(event.report.metrics);
        break;
      default:
        toLog(event);
        this.#metrics.onEvent(event);
        if (event.type === 'started') this.#reports.set(event.worker.pid, this.#metrics.add());
        if (event.type === 'ended') this.#forget(event.worker);
    }
  }

  /** A report that comes later is no one's. */
  #forget({ pid }: WorkerName): void {
    this.#reports.get(pid)?.end();
    this.#reports.delete(pid);
  }
}

function sharedPlan({ workers = 1, limits }: GatewayPlan, text: string): SharedPlan {
  return { text, workers, drainTimeoutMs: limits.drainTimeoutMs };
}
