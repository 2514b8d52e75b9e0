/**
 * Metrics of a gateway whose connections are in worker processes: those of all workers together, and the front's own.
 *
 *     worker ── Metrics.report() ──► WorkerReports ─┬─► WorkerMetrics.text()
 *     workers that have ended: their last report ───┘
 *
 * A counter never goes down: what the last report of a worker had counted stays in the sum when the worker is gone.
 */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ArrivalRefusal, Front, PoolEvent, ShedReason } from '../../workers/index.js';
import { PREFIX, reloadsCounter, socketErrorsCounter } from './metric-set.js';
import type { MetricsOptions } from './metrics.js';

/** What is read of a front. */
export type FrontReading = Pick<Front, 'workers' | 'arriving' | 'sessions'>;

export interface WorkerMetricsSources {
  front: () => FrontReading;
  /** Names of the routes in force: the series of others are forgotten. */
  routes: () => readonly string[];
}

/** Of one worker process. */
export interface WorkerReports {
  /** @param json what `Metrics.report` gave there; it takes the place of the one before */
  take(json: string): void;
  /** It has ended: what it counted stays, the rest is forgotten. */
  end(): void;
}

/** A metric in prom-client's JSON. */
interface MetricJson {
  name: string;
  type: string;
  values: { labels: Partial<Record<string, string | number>> }[];
}

type Report = readonly MetricJson[];

/** What only ever goes up. */
const CUMULATIVE: ReadonlySet<string> = new Set(['counter', 'histogram']);

/** When the gateway was started is when its main process was: nothing is made of when workers were. */
const START_TIME = 'process_start_time_seconds';

export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #sources: WorkerMetricsSources;
  readonly #set: ReturnType<typeof frontSet>;
  /** Of workers that have not ended. */
  readonly #reports = new Map<WorkerReports, Report>();
  /** Of those that have, added up. */
  #past: Report = [];
  /** One reckoning at a time: whoever is between living and past would be missing in one that comes between. */
  #reckoning: Promise<unknown> = Promise.resolve();

  constructor(sources: WorkerMetricsSources, { process = false }: MetricsOptions = {}) {
    this.#sources = sources;
    this.#set = frontSet(this.#registry);
    addFrontGauges(this.#registry, sources.front);
    if (process) collectDefaultMetrics({ register: this.#registry });
  }

  /** Of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A place for the reports of one worker process. */
  add(): WorkerReports {
    let ended = false;
    const reports: WorkerReports = {
      take: (json) => {
        if (!ended) this.#reports.set(reports, JSON.parse(json) as Report);
      },
      end: () => {
        ended = true;
        void this.#inTurn(() => this.#retain(reports));
      },
    };
    return reports;
  }

  /** All of it, in Prometheus' text format: as of the last report of each worker. */
  text(): Promise<string> {
    return this.#inTurn(async () => {
      const own = (await this.#registry.getMetricsAsJSON()) as unknown as Report;
      this.#past = this.#ofRoutes(this.#past);
      const others = [...this.#reports.values()].map((report) => this.#ofRoutes(report));
      const all = AggregatorRegistry.aggregate([own, this.#past, ...others]);
      const startTime = this.#registry.getSingleMetric(START_TIME);
      if (startTime) all.registerMetric(startTime);
      return all.metrics();
    });
  }

  /** A configuration was put in force in all workers, or in none. */
  countReload(outcome: 'applied' | 'failed'): void {
    this.#set.reloads.inc({ outcome });
  }

  readonly onEvent = (event: PoolEvent): void => {
    switch (event.type) {
      case 'ended':
        this.#set.ends.inc({ how: event.wanted ? 'wanted' : 'died' });
        break;
      case 'shed':
        this.#set.shed.inc({ reason: event.reason satisfies ShedReason });
        break;
      case 'refused':
        this.#set.refused.inc({ reason: event.reason satisfies ArrivalRefusal });
        break;
      case 'unresponsive':
        this.#set.unresponsive.inc();
        break;
      case 'udp-error':
        this.#set.socketErrors.inc({ transport: 'udp' });
        break;
      case 'tcp-error':
        this.#set.socketErrors.inc({ transport: 'tcp' });
        break;
      default:
      // In the readings of the front.
    }
  };

  async #retain(reports: WorkerReports): Promise<void> {
    const last = this.#reports.get(reports) ?? [];
    const counted = last.filter(({ type }) => CUMULATIVE.has(type));
    this.#past = (await AggregatorRegistry.aggregate([this.#past, counted]).getMetricsAsJSON()) as unknown as Report;
    this.#reports.delete(reports);
  }

  #ofRoutes(report: Report): Report {
    const routes = new Set<unknown>(this.#sources.routes());
    return report.map((metric) => ({
      ...metric,
      values: metric.values.filter(({ labels: { route } }) => route === undefined || routes.has(route)),
    }));
  }

  #inTurn<T>(reckon: () => Promise<T>): Promise<T> {
    const result = this.#reckoning.then(reckon);
    this.#reckoning = result.catch(() => {});
    return result;
  }
}

function frontSet(registry: Registry) {
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers: [registry] });
  return {
    ends: counter('worker_ends_total', 'Worker processes that ended: told to, or died.', ['how']),
    shed: counter('front_shed_total', 'Datagrams that no worker got.', ['reason']),
    refused: counter('front_refused_total', 'TCP connections that no worker got.', ['reason']),
    unresponsive: counter('front_unresponsive_total', 'Workers that were ended since they did not answer.'),
    reloads: reloadsCounter(registry),
    socketErrors: socketErrorsCounter(registry),
  };
}

function addFrontGauges(registry: Registry, read: () => FrontReading): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: PREFIX + name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge('front_sessions', 'Sessions over UDP whose worker is remembered.', () => read().sessions);
  gauge('front_arriving_connections', 'TCP connections that no worker has yet.', () => read().arriving);
  gauge('front_lag_seconds', 'How long the worker that lags most has owed an answer.', () =>
    Math.max(0, ...read().workers.map(({ lagMs }) => lagMs / 1000)),
  );
  new Gauge({
    name: `${PREFIX}workers`,
    help: 'Worker processes.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const state of ['starting', 'serving', 'draining']) this.set({ state }, 0);
      for (const { serving, draining } of read().workers) {
        this.inc({ state: draining ? 'draining' : serving ? 'serving' : 'starting' });
      }
    },
  });
}
