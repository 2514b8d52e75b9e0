/**
 * A worker of a gateway: a whole gateway in a process of its own, whose ports are the front's. The main process says by
 * which plan it serves, asks how it is, and lets it end.
 */
import { firstValueFrom } from 'rxjs';
import { keyHealth, keysReturn } from '../../keys/index.js';
import { WorkerNetwork } from '../../workers/index.js';
import type { GatewayEvent } from '../events.js';
import { Gateway } from '../gateway.js';
import {
  eventLog,
  type Logger,
  logger,
  Metrics,
  type ReadinessScope,
  readinessOf,
  readTicketSeed,
} from '../ops/index.js';
import { type GatewayPlan, shareOf } from '../plan.js';
import {
  decodeToWorker,
  encodeToMain,
  failureOf,
  type Report,
  TICKET_DESCRIPTOR,
  type ToMain,
  type ToWorker,
} from './control.js';

export interface GatewayWorkerOptions {
  /**
   * Makes a plan of the text that the main process sends.
   * @throws ConfigError
   */
  planOf: (text: string) => GatewayPlan;
}

/** A gateway with its log and metrics. */
interface Running {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The main process tells of these, once for all workers. */
const OF_ALL: ReadonlySet<GatewayEvent['type']> = new Set<GatewayEvent['type']>([
  'listening',
  'unlistening',
  'reload',
  'drain',
]);

export class GatewayWorker {
  /** Whether it came to serve; resolves when everything is over. */
  readonly ended: Promise<boolean>;
  readonly #options: GatewayWorkerOptions;
  readonly #network: WorkerNetwork;
  readonly #ticketSeed = readTicketSeed(TICKET_DESCRIPTOR);
  readonly #ending = new AbortController();
  #end: (served: boolean) => void = () => {};
  #running: Running | undefined;
  /** One plan after the other. */
  #plans: Promise<void> = Promise.resolve();

  /** Serves this process's parent. */
  constructor(options: GatewayWorkerOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#network = WorkerNetwork.of(process, { held: true });
    this.#network.told$.subscribe((bytes) => this.#obey(decodeToWorker(bytes)));
    this.#network.drain$.subscribe((deadlineMs) => void this.#drain(deadlineMs));
    this.#network.gone$.subscribe(() => void this.#drain(undefined));
    // Until it serves, nothing else keeps the process alive.
    this.#network.link.hold(1);
    void this.#watchKeys();
    this.#tell({ new: true });
  }

  #tell(fields: Partial<ToMain>): void {
    this.#network.tell(encodeToMain(fields));
  }

  #obey({ request, plan, look }: ToWorker): void {
    if (look) void this.#report().then((report) => this.#tell({ request, report }));
    if (plan) this.#plans = this.#plans.then(() => this.#take(request, plan));
  }

  async #take(request: number, { text, workers }: NonNullable<ToWorker['plan']>): Promise<void> {
    if (this.#ending.signal.aborted) return;
    try {
      const plan = shareOf(this.#options.planOf(text), workers);
      if (this.#running) await change(this.#running, plan);
      else await this.#start(plan);
      this.#tell({ request });
    } catch (error) {
      this.#tell({ request, failure: failureOf(error) });
      if (!this.#running) this.#leave(false);
    }
  }

  async #start(plan: GatewayPlan): Promise<void> {
    const log = logger(plan.log, undefined, { worker: process.pid });
    const toLog = eventLog(log);
    const gateway = new Gateway(plan, {
      network: this.#network,
      ticketSeed: this.#ticketSeed,
      onEvent: (event) => {
        if (OF_ALL.has(event.type)) return;
        toLog(event);
        metrics.onEvent(event);
      },
    });
    const metrics = new Metrics(() => gateway.state, { process: true });
    await gateway.start();
    this.#running = { gateway, metrics, log };
    this.#network.ready();
  }

  async #report(): Promise<Report> {
    if (!this.#running) return { metrics: '[]', notReady: [STARTS], notListening: [STARTS] };
    const { gateway, metrics } = this.#running;
    const missing = (scope: ReadinessScope) => {
      const { ready, lines } = readinessOf(gateway.state, scope);
      return ready ? [] : lines;
    };
    return { metrics: await metrics.report(), notReady: missing('all'), notListening: missing('listening') };
  }

  /** Connections may end until then: 0 is at once. Undefined: the front is gone, and nobody says when. */
  async #drain(deadlineMs: number | undefined): Promise<void> {
    const again = this.#ending.signal.aborted;
    this.#ending.abort();
    const atOnce = deadlineMs === undefined || deadlineMs === 0;
    // A front that closes answers no more: a gateway that starts would wait for its ports.
    if (atOnce && !this.#running && this.#network.link.isOpen) this.#network.close();
    if (again) {
      // It was told before: with its front, or on a second word of it, ends what is left.
      if (atOnce) await this.#running?.gateway.close();
      return;
    }
    await this.#plans;
    await this.#running?.gateway.drain(deadlineMs);
    this.#tell({ report: await this.#report() });
    this.#leave(this.#running !== undefined);
  }

  #leave(served: boolean): void {
    this.#ending.abort();
    this.#network.link.hold(-1);
    this.#network.close();
    this.#end(served);
  }

  /** A process whose key process is gone cannot reach the next one: another worker could. */
  async #watchKeys(): Promise<void> {
    const { signal } = this.#ending;
    try {
      await firstValueFrom(keyHealth().lost$);
      await keysReturn(signal);
      this.#running?.log.error('the key is back, for a new worker: this one ends');
      this.#tell({ spent: true });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

const STARTS = 'a worker starts';

async function change({ gateway, log }: Running, plan: GatewayPlan): Promise<void> {
  await gateway.reload(plan);
  log.level = plan.log.level;
}
